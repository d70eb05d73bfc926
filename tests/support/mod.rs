//! What the tests of activation have in common: chains made by the pipe itself,
//! a mock to send them to, a folder to work in, and the journal and the mock's
//! record to see afterwards what happened.

pub mod evidence;
pub mod gate;
pub mod mock;
pub mod tasks;

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;

use serde_json::Value;
use tempfile::TempDir;

pub use mock::Mock;

/// The names in every endpoints file that is written here.
pub const ENDPOINTS: [&str; 7] = ["acs", "bng", "cmts", "ipam", "olt", "warehouse", "wifi"];

const API: &str = "tmf-api/ResourceActivationAndConfiguration/v4";

/// The moment at which the orders of the example are decomposed.
const NOW: &str = "2026-11-23T12:00:00Z";

/// The real binary, with no variables of the tests' own environment.
pub fn orderctl() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_orderctl"));
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"ORDERCTL_") {
            command.env_remove(name);
        }
    }
    command
}

/// Where the example is.
pub fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/broadband-b2c")
}

/// An order of the example under another number, and everything derived from it, with its plan.
pub fn chain(order: &str, number: &str) -> String {
    chain_of(&numbered(order, number))
}

/// An order of the example under another number: its id and its external id.
pub fn numbered(order: &str, number: &str) -> String {
    let text = fs::read_to_string(example().join(order)).expect("the example has this order");
    let mut order: Value = serde_json::from_str(&text).expect("JSON");
    order["id"] = format!("ORD-{number}").into();
    order["externalId"] = format!("CRM-{number}").into();
    order.to_string()
}

/// Orders, and everything derived from them, with their plans.
pub fn chain_of(orders: &str) -> String {
    let catalog = example().join("../catalog/broadband");
    let decomposed = filter(
        orderctl()
            .args(["decompose", "--now", NOW, "--catalog"])
            .arg(&catalog),
        orders,
    );
    filter(
        orderctl().args(["plan", "--catalog"]).arg(&catalog),
        &decomposed,
    )
}

/// What a command makes of a text.
pub fn filter(command: &mut Command, input: &str) -> String {
    let output = run(command, input);
    assert!(output.status.success(), "{command:?}: {}", stderr(&output));
    stdout(&output)
}

/// Runs a command to its end, with this standard input.
pub fn run(command: &mut Command, input: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut stdin = child.stdin.take().expect("it is piped");
    thread::scope(|scope| {
        // It may end before it has read everything.
        scope.spawn(move || drop(stdin.write_all(input.as_bytes())));
        child.wait_with_output().expect("it can be waited for")
    })
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// A folder with a project: endpoints file, journal, and the chain to be carried out.
pub struct Workplace {
    folder: TempDir,
}

impl Workplace {
    /// A project whose endpoints are all played at `address` (`http://…`).
    pub fn new(address: &str) -> Self {
        let workplace = Self {
            folder: tempfile::tempdir().expect("a folder"),
        };
        workplace.write(
            "orderctl.toml",
            "formatVersion = \"1.0\"\nendpoints = \"endpoints.toml\"\njournal = \"journal.db\"\n",
        );
        workplace.endpoints(address, "timeout = \"20s\"\nconcurrency = 4\nretries = 5\n");
        workplace
    }

    /// Writes the endpoints file: all endpoints at `address`, with these settings.
    pub fn endpoints(&self, address: &str, settings: &str) {
        let mut text = String::from("formatVersion = \"1.0\"\n");
        for name in ENDPOINTS {
            write!(
                text,
                "[endpoint.{name}]\nprotocol = \"tmf702\"\naddress = \"{address}/{name}/{API}\"\n{settings}"
            )
            .expect("a string takes every write");
        }
        self.write("endpoints.toml", &text);
    }

    /// Leads one endpoint to another address.
    pub fn redirect(&self, name: &str, address: &str) {
        let path = format!("/{name}/{API}\"");
        let redirect = |line: &str| match line.strip_suffix(&path) {
            Some(_) => format!("address = \"{address}{path}\n"),
            None => format!("{line}\n"),
        };
        let text: String = self.read("endpoints.toml").lines().map(redirect).collect();
        self.write("endpoints.toml", &text);
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("the folder can be written");
    }

    pub fn journal(&self) -> PathBuf {
        self.path("journal.db")
    }

    /// Forgets what was done: the journal.
    pub fn forget(&self) {
        for name in ["journal.db", "journal.db-wal", "journal.db-shm"] {
            // It may not have been written yet.
            let _ = fs::remove_file(self.path(name));
        }
    }

    /// A command to be run in the project's folder.
    pub fn orderctl(&self, arguments: &[&str]) -> Command {
        let mut command = orderctl();
        command.args(arguments).current_dir(self.folder.path());
        command
    }

    /// Carries a chain out from standard input.
    pub fn activate(&self, chain: &str, arguments: &[&str]) -> Output {
        run(self.orderctl(&["activate"]).args(arguments), chain)
    }

    /// Begins to carry the chains in a file out. What is written goes to the files `stdout` and
    /// `stderr`, so that nobody has to read while it runs.
    pub fn begin(&self, file: &str, arguments: &[&str]) -> Child {
        let to = |name| File::create(self.path(name)).expect("the folder can be written");
        self.orderctl(&["activate", file])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(to("stdout"))
            .stderr(to("stderr"))
            .spawn()
            .expect("the binary starts")
    }

    /// Waits until the mock has had so many calls of a run.
    pub fn wait_for_calls(&self, run: &mut Child, mock: &Mock, calls: usize) {
        while mock.record().len() < calls {
            let ended = run.try_wait().expect("it is a child");
            assert!(ended.is_none(), "{}", self.read("stderr"));
            std::thread::yield_now();
        }
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("the file is there")
    }
}

/// Documents of a stream.
pub fn documents(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

/// The first document of a type; a ProductOrder need not say what it is.
pub fn document<'d>(documents: &'d [Value], type_name: &str) -> &'d Value {
    let found = documents.iter().find(|it| match it["@type"].as_str() {
        Some(written) => written == type_name,
        None => type_name == "ProductOrder",
    });
    found.unwrap_or_else(|| panic!("no {type_name} in the stream"))
}
