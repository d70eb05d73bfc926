//! Files that people write.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use orderctl::document::{toml, yaml};
use orderctl::endpoint::Endpoints;
use orderctl::mock::Script;
use orderctl::project::Project;

fuzz_target!(|text: &str| {
    let lines = 1 + text.lines().count() as u64;
    if let Err(error) = yaml::documents(text, "-") {
        assert!(error.location().line <= lines, "{error}");
    }
    if let Err(error) = toml::document(text, "-") {
        assert!(error.location().line <= lines, "{error}");
    }
    let path = Path::new("-");
    drop(Endpoints::parse(text, path, &|_| Some("x".to_owned())));
    drop(Project::parse(text, path));
    drop(Script::parse(text, path));
});
