//! The mock, in this process.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use orderctl::mock::{Accepts, Delay, MockOptions, Notice, Script, serve};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::oneshot;

use super::ENDPOINTS;

/// How the mock is to be.
#[derive(Debug, Clone, Default)]
pub struct Manner {
    pub latency: Duration,
    pub asynchronous: bool,
    pub faults: Vec<String>,
    /// A fault script, beside all this.
    pub script: &'static str,
}

/// A mock that serves until it is dropped.
pub struct Mock {
    pub address: SocketAddr,
    folder: TempDir,
    stop: Option<oneshot::Sender<()>>,
    served: Option<JoinHandle<()>>,
}

impl Mock {
    /// Answers at once, without faults.
    pub fn start() -> Self {
        Self::with(&Manner::default())
    }

    /// Answers after `latency`.
    pub fn slow(latency: Duration) -> Self {
        Self::with(&Manner {
            latency,
            ..Manner::default()
        })
    }

    /// Commits these faults.
    pub fn failing(faults: &[&str]) -> Self {
        let faults = faults.iter().map(|&fault| fault.to_owned()).collect();
        Self::with(&Manner {
            faults,
            ..Manner::default()
        })
    }

    pub fn with(manner: &Manner) -> Self {
        Self::listening(manner, SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    pub fn listening(manner: &Manner, listen: SocketAddr) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let options = MockOptions {
            listen,
            endpoints: ENDPOINTS.map(str::to_owned).into(),
            latency: manner.latency.into(),
            asynchronous: manner.asynchronous,
            faults: manner
                .faults
                .iter()
                .map(|fault| fault.parse().expect("a fault"))
                .collect(),
            script: script(manner),
            record: Some(folder.path().join("record")),
            ..MockOptions::default()
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let (tell, told) = mpsc::channel();
        let served = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let ready = |address| tell.send(address).expect("it is waited for");
            let served = serve(options, ready, async { drop(stopped.await) });
            runtime
                .expect("a runtime")
                .block_on(served)
                .expect("the mock serves");
        });
        let address = told.recv().expect("the mock listens");
        Self {
            address,
            folder,
            stop: Some(stop),
            served: Some(served),
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The file that grows by a line with every call.
    pub fn record_file(&self) -> PathBuf {
        self.folder.path().join("record")
    }

    /// Every call so far.
    pub fn record(&self) -> Vec<Call> {
        let text = fs::read_to_string(self.record_file()).expect("the record");
        // The last line may be half written.
        let complete = text.rfind('\n').map_or("", |end| &text[..end]);
        complete.lines().map(Call::of).collect()
    }
}

/// The script, in which endpoints take their time as all of them do where it does not say.
fn script(manner: &Manner) -> Script {
    if manner.script.is_empty() {
        return Script::default();
    }
    let mut script = Script::parse(manner.script, Path::new("faults.toml")).expect("a script");
    for played in script.manners.values_mut() {
        if manner.asynchronous {
            played.accepts.get_or_insert(Accepts {
                after: manner.latency.into(),
                notice: Notice::None,
            });
        } else if played.latency == Delay::NONE {
            played.latency = manner.latency.into();
        }
    }
    script
}

impl Drop for Mock {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(served) = self.served.take() {
            assert!(
                served.join().is_ok() || thread::panicking(),
                "the mock panicked"
            );
        }
    }
}

/// A line of the record.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    pub endpoint: String,
    pub method: String,
    pub path: String,
    pub key: String,
    pub effect: String,
    pub body: Value,
}

impl Call {
    fn of(line: &str) -> Self {
        let line: Value = serde_json::from_str(line).expect("a line is JSON");
        let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        Self {
            endpoint: text("endpoint"),
            method: text("method"),
            path: text("path"),
            key: text("idempotencyKey"),
            effect: text("effect"),
            body: line["body"].clone(),
        }
    }

    pub fn is_applied(&self) -> bool {
        self.effect == "applied"
    }
}
