//! A story on its stage: the example's folder, the mock in the place of its
//! systems, a journal and an installed base of its own.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use assert_cmd::cargo::cargo_bin;
use serde_json::Value;

use super::fetch;
use super::plan::{Plan, characteristics};
use super::run::Run;

/// A network that is played by the mock, its journal and its installed base.
pub struct Story {
    example: PathBuf,
    folder: tempfile::TempDir,
    mock: Child,
    address: String,
}

impl Drop for Story {
    fn drop(&mut self) {
        let _ = self.mock.kill();
        let _ = self.mock.wait();
    }
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples")
        .join(name)
}

impl Story {
    /// A mock in which all goes well.
    pub fn open(name: &str) -> Self {
        Self::failing(name, &[])
    }

    /// A mock that commits these faults.
    pub fn failing(name: &str, faults: &[&str]) -> Self {
        let faults = faults.iter().flat_map(|fault| ["--fail", fault]);
        Self::mocked(name, &faults.collect::<Vec<_>>())
    }

    /// A mock that accepts requests at once and carries them out behind a monitor.
    pub fn asynchronous(name: &str) -> Self {
        Self::mocked(name, &["--async"])
    }

    fn mocked(name: &str, args: &[&str]) -> Self {
        let example = example(name);
        let mut mock = Command::new(cargo_bin("orderctl"));
        mock.args(["-q", "mock"]).args(args);
        let mut mock = mock
            .current_dir(&example)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(mock.stdout.take().unwrap())
            .read_line(&mut address)
            .unwrap();
        Story {
            example,
            folder: tempfile::tempdir().unwrap(),
            mock,
            address: address.trim().to_owned(),
        }
    }

    /// An order of the story.
    pub fn order(&self, file: &str) -> Value {
        serde_json::from_str(&fs::read_to_string(self.example.join(file)).unwrap()).unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs orderctl in the folder of the example, which has the project file.
    pub fn run(&self, args: &[&str], input: &str) -> Output {
        let mut child = Command::new(cargo_bin("orderctl"))
            .args(args)
            .current_dir(&self.example)
            .env("ORDERCTL_MOCK", &self.address)
            .env("ORDERCTL_JOURNAL", self.path("journal.db"))
            .env("ORDERCTL_INVENTORY", self.path("inventory.ndjson"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).unwrap();
        drop(stdin);
        child.wait_with_output().unwrap()
    }

    /// Runs orderctl, which has to succeed.
    pub fn pass(&self, args: &[&str], input: &str) -> String {
        let output = self.run(args, input);
        assert!(output.status.success(), "{args:?}: {}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The plan of an order, against what is installed.
    pub fn plan(&self, order: &Value) -> Plan {
        let valid = self.pass(&["validate"], &order.to_string());
        let chain = self.pass(&["decompose"], &valid);
        Plan::read(self.pass(&["plan"], &chain))
    }

    /// Carries a plan out on a virtual clock; it has to end with this exit code.
    pub fn activate(&self, plan: &Plan, code: i32) -> Output {
        let args = ["activate", "-o", "json", "--clock", "virtual"];
        let output = self.run(&args, &plan.text);
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
        if code == 0 {
            self.assert_there(plan);
        }
        output
    }

    /// What a plan has made or changed is at the systems as it is installed: all of it.
    fn assert_there(&self, plan: &Plan) {
        let text = self.inventory();
        let documents = text.lines().map(|line| serde_json::from_str(line).unwrap());
        let installed: BTreeMap<String, Value> = documents
            .map(|document: Value| (document["id"].as_str().unwrap().to_owned(), document))
            .collect();
        for task in plan.tasks().values() {
            let (request, endpoint) = (&task["request"], &task["endpoint"]);
            let (Some(endpoint), Some(id)) = (endpoint.as_str(), request["body"]["id"].as_str())
            else {
                continue;
            };
            if let Some(document) = installed.get(id) {
                let list = "resourceCharacteristic";
                let there = characteristics(&self.there(endpoint, id)[list]);
                assert_eq!(there, characteristics(&document[list]), "{id}");
            }
        }
    }

    /// A resource as a system has it.
    fn there(&self, endpoint: &str, id: &str) -> Value {
        let body = fetch::resources(&self.address, endpoint, &format!("/{id}"));
        serde_json::from_str(&body).unwrap_or_else(|_| panic!("{id} at {endpoint}: {body}"))
    }

    /// Says something about a task, by `ACTION ORDER TASK`.
    pub fn task(&self, action: &str, plan: &Plan, task: &str) {
        let who = ["--by", "Ruth Adler", "--reason", "as agreed"];
        self.pass(
            &[&["task", action, plan.order(), task], &who[..]].concat(),
            "",
        );
    }

    /// What the journal says of a plan's run.
    pub fn journal(&self, plan: &Plan) -> Run {
        Run::read(&self.path("journal.db"), plan.order())
    }

    /// Plans an order and carries it out to its end.
    pub fn carry_out(&self, file: &str) -> Plan {
        let plan = self.plan(&self.order(file));
        self.activate(&plan, 0);
        plan
    }

    /// The state of the order, as `status` has it.
    pub fn state(&self, plan: &Plan) -> String {
        let said = self.pass(&["status", plan.order(), "-o", "json"], "");
        let status: Value = serde_json::from_str(said.lines().next().unwrap()).unwrap();
        status["state"].as_str().unwrap_or_default().to_owned()
    }

    /// The installed base as it is written.
    pub fn inventory(&self) -> String {
        fs::read_to_string(self.path("inventory.ndjson")).unwrap_or_default()
    }

    /// What is installed under an id.
    pub fn installed(&self, id: &str) -> Option<Value> {
        let text = self.inventory();
        let mut documents = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        documents.find(|document| document["id"] == id)
    }

    /// The value of a characteristic of something installed.
    pub fn value(&self, id: &str, name: &str) -> Value {
        let found = self.installed(id);
        let document = found.unwrap_or_else(|| panic!("{id} is not installed"));
        [
            "productCharacteristic",
            "serviceCharacteristic",
            "resourceCharacteristic",
        ]
        .iter()
        .find_map(|list| characteristics(&document[list]).get(name).cloned())
        .unwrap_or(Value::Null)
    }
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// An order with the elements of its list characteristic `sites` in another sequence.
pub fn with_sites(order: &Value, arrange: impl Fn(&mut Vec<Value>)) -> Value {
    let mut order = order.clone();
    let list = order["productOrderItem"][0]["product"]["productCharacteristic"].as_array_mut();
    let mut sites = list.unwrap().iter_mut().filter(|it| it["name"] == "sites");
    arrange(sites.next().unwrap()["value"].as_array_mut().unwrap());
    order
}
