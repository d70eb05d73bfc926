//! `orderctl policy`.

use std::fmt::Write as _;

use orderctl::activate::forecast::forecast;
use orderctl::catalog::{ActivationRule, Catalog, Work};
use orderctl::diagnostic::suggestion;
use orderctl::endpoint::Endpoints;
use orderctl::project::Overrides;

use crate::cli::{PolicyArgs, PolicyCommand, PolicyExplainArgs};
use crate::context::Context;
use crate::exit::{ExitCode, Failure};

/// Says what would be done.
pub fn run(args: PolicyArgs, context: &Context) -> Result<ExitCode, Failure> {
    let PolicyCommand::Explain(args) = args.what;
    let settings = context.settings(Overrides {
        endpoints: args.endpoints.endpoints.clone(),
        catalog: args.catalog.catalog.clone(),
        ..Overrides::default()
    })?;
    let catalog = match (&args.specification, settings.catalog) {
        (None, _) => None,
        (Some(_), Some(folder)) => match context.catalog(&folder)? {
            Ok(catalog) => Some(catalog),
            Err(code) => return Ok(code),
        },
        (Some(_), None) => {
            return Err(Failure::NotNamed {
                what: "catalog",
                flag: "--catalog DIR",
                variable: "ORDERCTL_CATALOG",
            });
        }
    };
    let file = settings.endpoints.ok_or(Failure::NotNamed {
        what: "endpoints file",
        flag: "--endpoints FILE",
        variable: "ORDERCTL_ENDPOINTS",
    })?;
    // Where they are does not matter here.
    let lookup = |name: &str| {
        let variable = std::env::var(name).ok();
        variable.or_else(|| Some("http://127.0.0.1".to_owned()))
    };
    let endpoints = Endpoints::read(&file, &lookup)?;
    let rule = match (&args.specification, &catalog) {
        (Some(id), Some(catalog)) => Some(find_rule(catalog, id)?),
        _ => None,
    };
    explain(&args, (&endpoints, rule), context)
}

fn find_rule<'c>(catalog: &'c Catalog, id: &str) -> Result<&'c ActivationRule, Failure> {
    catalog.activation(id).ok_or_else(|| Failure::UnknownName {
        kind: "resource specification with an activation rule",
        name: id.to_owned(),
        advice: "`orderctl validate CATALOG` checks the rules of a catalog".to_owned(),
    })
}

fn explain(
    args: &PolicyExplainArgs,
    (endpoints, rule): (&Endpoints, Option<&ActivationRule>),
    context: &Context,
) -> Result<ExitCode, Failure> {
    let known = || endpoints.by_name.keys().map(String::as_str);
    let by_rule = rule.and_then(|rule| match &rule.work {
        Work::Endpoint(name) => Some(name.as_str()),
        Work::Manual => None,
    });
    let Some(name) = args.endpoint.as_deref().or(by_rule) else {
        return Err(Failure::WrongDocument {
            what: "what a person carries out".to_owned(),
            advice: "`orderctl task` says what came of it".to_owned(),
        });
    };
    let Some(definition) = endpoints.by_name.get(name) else {
        return Err(Failure::UnknownName {
            kind: "endpoint",
            name: name.to_owned(),
            advice: match suggestion::closest(name, known()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("defined are: {}", known().collect::<Vec<_>>().join(", ")),
            },
        });
    };
    let retry = rule.and_then(|rule| rule.retry.as_ref());
    let on_failure = rule.and_then(|rule| rule.on_failure);
    let told = forecast(&definition.terms, retry, on_failure, args.error);
    let mut text = String::new();
    for (what, how) in std::iter::once(("endpoint", name.to_owned())).chain(told) {
        writeln!(text, "{what:<9} {how}").expect("a String can be written to");
    }
    context.write_text(text.as_bytes())?;
    Ok(ExitCode::Done)
}
