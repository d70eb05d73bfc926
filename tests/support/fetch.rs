//! What a system holds, as it answers a `GET`.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// The body of the answer to a `GET` below the resources of an endpoint of the mock at `address`.
pub fn resources(address: &str, endpoint: &str, below: &str) -> String {
    let host = address.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let path = format!("/{endpoint}/tmf-api/ResourceActivationAndConfiguration/v4/resource{below}");
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    body.to_owned()
}
