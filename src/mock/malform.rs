//! Answers that cannot be understood, of several kinds.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;

use super::answer::{Delivery, Reply};

/// How an answer is spoilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformation {
    /// A page of HTML in its place, with status 200, as proxies and portals send it.
    Html,
    /// JSON that ends in the middle.
    Cut,
    /// Less than its `Content-Length`, then the connection is closed.
    Torn,
    /// No body.
    Empty,
    /// A JSON array around the object.
    List,
    /// Text that is no JSON.
    Text,
    /// Bytes that are no UTF-8.
    Binary,
    /// The object of another resource.
    Other,
    /// JSON that is nested 100,000 deep.
    Deep,
    /// 17 MiB of JSON.
    Huge,
    /// A thousand headers.
    Headers,
    /// Nothing that is HTTP.
    Noise,
}

/// All of them, by their names.
pub const MALFORMATIONS: &[(&str, Malformation)] = &[
    ("html", Malformation::Html),
    ("cut", Malformation::Cut),
    ("torn", Malformation::Torn),
    ("empty", Malformation::Empty),
    ("list", Malformation::List),
    ("text", Malformation::Text),
    ("binary", Malformation::Binary),
    ("other", Malformation::Other),
    ("deep", Malformation::Deep),
    ("huge", Malformation::Huge),
    ("headers", Malformation::Headers),
    ("noise", Malformation::Noise),
];

const DEPTH: usize = 100_000;
const SIZE: usize = 17 * 1024 * 1024;

impl Malformation {
    /// The answer, spoilt.
    pub(super) fn spoil(self, reply: &Reply) -> Delivery {
        let body = |body: Vec<u8>| {
            Delivery::Answer(Reply {
                body: body.into(),
                ..reply.clone()
            })
        };
        match self {
            Self::Html => Delivery::Answer(Reply {
                media: "text/html".into(),
                ..Reply::new(200, "<html><body>It works!</body></html>")
            }),
            Self::Cut => body(half(&reply.body).to_vec()),
            Self::Empty => body(Vec::new()),
            Self::List => body([b"[", &*reply.body, b"]"].concat()),
            Self::Text => body(b"done".to_vec()),
            Self::Binary => body(vec![0xff, 0xfe, 0x00, 0x80]),
            Self::Other => body(b"{\"id\":\"another\",\"href\":\"/another\"}".to_vec()),
            Self::Deep => raw(reply, wrapped(&"[".repeat(DEPTH), &"]".repeat(DEPTH))),
            Self::Huge => raw(reply, wrapped("\"", &("x".repeat(SIZE) + "\""))),
            Self::Torn => {
                let (head, text) = (reply.head(), half(&reply.body));
                Delivery::raw(reply, [head.as_bytes(), text].concat())
            }
            Self::Headers => {
                let head = reply.head();
                let (first, rest) = head.split_once("\r\n").expect("a head has lines");
                let more = "x-more: 1\r\n".repeat(1000);
                let text = format!("{first}\r\n{more}{rest}");
                Delivery::raw(reply, [text.as_bytes(), &reply.body].concat())
            }
            Self::Noise => Delivery::raw(reply, b"200 done, bye\r\n\r\n".to_vec()),
        }
    }
}

/// An answer with another body, of which the record keeps the original.
fn raw(reply: &Reply, body: String) -> Delivery {
    let spoilt = Reply {
        body: body.into(),
        ..reply.clone()
    };
    Delivery::raw(reply, spoilt.bytes())
}

fn wrapped(open: &str, close: &str) -> String {
    format!("{{\"id\":{open}{close}}}")
}

fn half(body: &Bytes) -> &[u8] {
    &body[..body.len() / 2]
}

impl FromStr for Malformation {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let found = MALFORMATIONS.iter().find(|(name, _)| *name == text);
        found.map(|(_, it)| *it).ok_or(())
    }
}

impl fmt::Display for Malformation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = MALFORMATIONS.iter().find(|(_, it)| it == self);
        f.write_str(found.map_or("", |(name, _)| name))
    }
}
