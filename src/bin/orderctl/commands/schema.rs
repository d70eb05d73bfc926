//! `orderctl schema`: the JSON Schemas of what is read and written.

use orderctl::diagnostic::suggestion;
use orderctl::schemas;

use crate::cli::SchemaArgs;
use crate::context::Context;
use crate::exit::{ExitCode, Failure};

/// Writes one schema as it is shipped, or the names of all, a name a line.
pub fn run(args: SchemaArgs, context: &Context) -> Result<ExitCode, Failure> {
    let text = match args.name {
        None => schemas::names().flat_map(|name| [name, "\n"]).collect(),
        Some(name) => match schemas::find(&name) {
            Some(text) => text.into_owned(),
            None => return Err(unknown(name)),
        },
    };
    context.write_text(text.as_bytes())?;
    Ok(ExitCode::Done)
}

fn unknown(name: String) -> Failure {
    Failure::UnknownName {
        kind: "schema",
        advice: suggestion::closest(&name, schemas::names()).map_or_else(
            || "`orderctl schema` lists all of them".to_owned(),
            |meant| format!("did you mean `{meant}`?"),
        ),
        name,
    }
}
