//! `orderctl mock`.

use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;

use orderctl::endpoint::Endpoints;
use orderctl::mock::{self, Fault, MockError, MockOptions};
use orderctl::project::Overrides;

use crate::cli::MockArgs;
use crate::context::Context;
use crate::exit::{ExitCode, Failure};
use crate::signals::{self, Signals};

/// Plays the endpoints until it is told to stop.
pub fn run(args: MockArgs, context: &Context) -> Result<ExitCode, Failure> {
    let overrides = Overrides {
        endpoints: args.endpoints.endpoints,
        ..Overrides::default()
    };
    let Some(file) = context.settings(overrides)?.endpoints else {
        return Err(Failure::NotNamed {
            what: "endpoints file",
            flag: "--endpoints FILE",
            variable: "ORDERCTL_ENDPOINTS",
        });
    };
    // Where the endpoints really are does not matter here: the mock takes their place.
    let elsewhere = |name: &str| {
        std::env::var(name)
            .ok()
            .or_else(|| Some("http://127.0.0.1".to_owned()))
    };
    let endpoints = Endpoints::read(&file, &elsewhere)?;
    let faults: Vec<Fault> = args
        .fail
        .iter()
        .map(|text| Fault::parse(text))
        .collect::<Result<_, _>>()?;
    let options = MockOptions {
        listen: args.listen,
        endpoints: endpoints.tmf702_names().map(str::to_owned).collect(),
        latency: args.latency,
        asynchronous: args.asynchronous,
        faults,
        record: args.record.map(|path| match path.to_str() {
            Some("-") => PathBuf::from("/dev/stdout"),
            _ => path,
        }),
    };
    let names: Vec<String> = options.endpoints.iter().cloned().collect();
    let runtime = signals::runtime()?;
    runtime.block_on(async {
        let mut signals = Signals::catch()?;
        let ready = |address| {
            // A script that has read this line knows that connections are accepted.
            let mut stdout = std::io::stdout().lock();
            let written = writeln!(stdout, "http://{address}").and_then(|()| stdout.flush());
            if let Err(error) = written {
                tracing::warn!("cannot write the address to standard output: {error}");
            }
            context.say(&format!(
                "mock: playing {} at http://{address}",
                names.join(", ")
            ));
        };
        match mock::serve(options, ready, signals.next()).await {
            // Who read the record has seen enough.
            Err(MockError::Record { source, .. }) if source.kind() == ErrorKind::BrokenPipe => {
                Ok(ExitCode::Done)
            }
            served => Ok(served.map(|()| ExitCode::Done)?),
        }
    })
}
