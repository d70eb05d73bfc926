//! How connections end that do not end by themselves.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::answer::Reply;

/// The connection is not to go on as HTTP.
#[derive(Debug, thiserror::Error)]
#[error("ended without an answer")]
pub(super) struct Cut(pub End);

/// How a connection ends.
#[derive(Debug, Clone)]
pub(super) enum End {
    /// It is closed.
    Close,
    /// It is reset.
    Reset,
    /// These bytes go out, with a pause between them if there is one; then it is closed.
    Raw(Bytes, Option<Duration>),
}

impl End {
    /// Ends the connection. That the other side is gone already is as good.
    pub async fn come(self, mut stream: TcpStream) {
        match self {
            Self::Close => {}
            Self::Reset => drop(stream.set_zero_linger()),
            Self::Raw(bytes, None) => {
                drop(stream.write_all(&bytes).await);
                drop(stream.shutdown().await);
            }
            Self::Raw(bytes, Some(pause)) => {
                for byte in bytes {
                    if stream.write_u8(byte).await.is_err() {
                        return;
                    }
                    sleep(pause).await;
                }
                drop(stream.shutdown().await);
            }
        }
    }
}

/// A reply as HTTP.
pub(super) fn response(reply: &Reply) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(reply.body.clone()));
    *response.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in reply.headers() {
        if let Ok(value) = HeaderValue::from_str(value) {
            let name = HeaderName::from_static(name);
            response.headers_mut().insert(name, value);
        }
    }
    response
}
