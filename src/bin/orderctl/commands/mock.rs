//! `orderctl mock`.

use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use orderctl::endpoint::Endpoints;
use orderctl::mock::{self, Fault, Listener, MockError, MockOptions, Recording, Script, Source};
use orderctl::project::Overrides;

use crate::cli::MockArgs;
use crate::context::Context;
use crate::exit::{ExitCode, Failure};
use crate::signals::{self, Signals};

/// Plays the endpoints until it is told to stop.
pub fn run(mut args: MockArgs, context: &Context) -> Result<ExitCode, Failure> {
    let overrides = Overrides {
        endpoints: args.endpoints.endpoints.take(),
        ..Overrides::default()
    };
    let file = context.settings(overrides)?.endpoints;
    let options = options(args, file.as_deref())?;
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

fn options(args: MockArgs, file: Option<&Path>) -> Result<MockOptions, Failure> {
    let faults = args.fail.iter().map(|text| Fault::parse(text));
    let faults = faults.collect::<Result<_, _>>()?;
    let mut script = args
        .script
        .as_deref()
        .map_or(Ok(Script::default()), Script::read)?;
    script.seed = args.seed.unwrap_or(script.seed);
    let listener = args.callback.as_deref().map(Listener::at).transpose();
    let mut options = MockOptions {
        listen: args.listen,
        latency: args.latency,
        asynchronous: args.asynchronous,
        faults,
        script,
        listener: listener.map_err(Failure::Callback)?,
        record: args.record.map(|path| match path.to_str() {
            Some("-") => PathBuf::from("/dev/stdout"),
            _ => path,
        }),
        record_reads: args.record_reads || args.proxy,
        ..MockOptions::default()
    };
    if let Some(path) = &args.replay {
        let recording = Recording::read(path)?;
        options.endpoints = recording.endpoints();
        options.source = Source::Recorded(recording);
        return Ok(options);
    }
    let endpoints = endpoints(file, args.proxy)?;
    options.endpoints = endpoints.tmf702_names().map(str::to_owned).collect();
    if args.proxy {
        options.source = Source::Forwarded(endpoints.by_name.into_values().collect());
    }
    Ok(options)
}

/// The endpoints; where they really are does not matter unless requests are handed on to them.
fn endpoints(file: Option<&Path>, proxy: bool) -> Result<Endpoints, Failure> {
    let Some(file) = file else {
        return Err(Failure::NotNamed {
            what: "endpoints file",
            flag: "--endpoints FILE",
            variable: "ORDERCTL_ENDPOINTS",
        });
    };
    let lookup = |name: &str| {
        let elsewhere = || (!proxy).then(|| "http://127.0.0.1".to_owned());
        std::env::var(name).ok().or_else(elsewhere)
    };
    Ok(Endpoints::read(file, &lookup)?)
}
