//! `orderctl catalog lint`.

use std::collections::BTreeSet;
use std::path::Path;

use orderctl::diagnostic::{Code, codes, suggestion};
use orderctl::endpoint::Endpoints;
use orderctl::lint;
use orderctl::project::Overrides;

use super::judged::{Judging, Read, named, read};
use crate::cli::LintArgs;
use crate::context::Context;
use crate::exit::{ExitCode, Failure};

/// What stands for a variable of the environment: names are looked at, not addresses.
const VARIABLE: &str = "https://variable.invalid";

/// Looks at a catalog, or explains a code.
pub fn run(args: &LintArgs, context: &Context) -> Result<ExitCode, Failure> {
    if let Some(code) = &args.explain {
        return explain(code, context);
    }
    let mut judging = Judging::new("catalog lint", &args.reports, context).strict(args.strict);
    let ended = judge(args, context, &mut judging);
    judging.end(ended, &[])
}

fn judge(args: &LintArgs, context: &Context, judging: &mut Judging<'_>) -> Result<(), Failure> {
    let settings = context.settings(Overrides {
        catalog: args.catalog.catalog.clone(),
        ..Overrides::default()
    })?;
    let Read { documents, loaded } = read(&named(settings.catalog)?)?;
    judging.count(loaded.documents as u64);
    let Some(catalog) = loaded.catalog else {
        judging.add(None, loaded.diagnostics);
        return Ok(());
    };
    // Of a sound catalog lint itself says what nobody carries out, and it knows what is ever made.
    let mut found = loaded.diagnostics;
    found.retain(|it| it.code != Code("rule/no-activation"));
    judging.add(None, found);
    let mut endpoints = BTreeSet::new();
    for file in &args.endpoints {
        endpoints.extend(names(file)?);
    }
    let endpoints = (!args.endpoints.is_empty()).then_some(&endpoints);
    let found = lint::lint(&catalog, &documents, endpoints, &settings.lint);
    judging.add(None, found);
    Ok(())
}

/// Names of the endpoints of a file.
fn names(file: &Path) -> Result<BTreeSet<String>, Failure> {
    let endpoints = Endpoints::read(file, &|_| Some(VARIABLE.to_owned()))?;
    Ok(endpoints.by_name.into_keys().collect())
}

fn explain(code: &str, context: &Context) -> Result<ExitCode, Failure> {
    let Some(text) = lint::explain(code) else {
        let known = codes::all().map(|it| it.code);
        return Err(Failure::UnknownName {
            kind: "code",
            name: code.to_owned(),
            advice: suggestion::closest(code, known).map_or_else(
                || "docs/codes.md lists all of them".to_owned(),
                |meant| format!("did you mean `{meant}`?"),
            ),
        });
    };
    context.write_text(text.as_bytes())?;
    Ok(ExitCode::Done)
}
