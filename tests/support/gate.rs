//! An endpoint that answers when it is told to, so that tests decide what
//! happens while a request is under way.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

/// Longest wait for a request.
const PATIENCE: Duration = Duration::from_secs(60);

/// The endpoint. Requests that wait when it is dropped are never answered.
pub struct Gate {
    pub address: SocketAddr,
    arrived: Receiver<Sender<()>>,
}

/// A request that waits for its answer.
pub struct Held(Sender<()>);

impl Gate {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (tell, arrived) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let tell = tell.clone();
                // Whoever sent the request may be gone by now.
                thread::spawn(move || drop(converse(stream, &tell)));
            }
        });
        Self { address, arrived }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The next request, once it is here.
    pub fn next(&self) -> Held {
        Held(
            self.arrived
                .recv_timeout(PATIENCE)
                .expect("a request arrives"),
        )
    }
}

impl Held {
    /// Answers it: done.
    pub fn answer(self) {
        self.0.send(()).expect("the request still waits");
    }
}

fn converse(stream: TcpStream, tell: &Sender<Sender<()>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let line = line.trim_end().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse().unwrap_or(0);
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let (answer, answered) = mpsc::channel();
        if tell.send(answer).is_err() || answered.recv().is_err() {
            // Keeps the connection open without an answer.
            loop {
                thread::park();
            }
        }
        stream.write_all(b"HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n{}")?;
    }
}
