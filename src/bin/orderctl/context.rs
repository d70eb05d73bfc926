//! What holds for every command: how to speak, how to write, and the project.

use std::env;
use std::fs::File;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

use clap::ColorChoice;
use orderctl::catalog::{self, Catalog, Loaded};
use orderctl::diagnostic::Diagnostic;
use orderctl::diagnostic::human::{self, Styling};
use orderctl::diagnostic::tally::Tally;
use orderctl::inventory::{Inventory, store};
use orderctl::project::{Overrides, Project, ProjectError, Settings};

use crate::cli::GlobalArgs;
use crate::exit::{ExitCode, Failure};
use crate::logging::Verbosity;
use crate::terminal::{self, Delivery, Layout, Output, OutputError, StandardOutput};

/// The global flags, understood.
#[derive(Debug)]
pub struct Context {
    /// How much to say on standard error.
    pub verbosity: Verbosity,
    /// Colours on standard error.
    pub styling: Styling,
    /// How documents are laid out on standard output.
    pub layout: Layout,
    /// Whether a person looks at standard output.
    pub stdout_is_terminal: bool,
    color: ColorChoice,
    project: Option<PathBuf>,
}

impl Context {
    /// Looks at the flags and at what the standard streams are.
    pub fn new(global: GlobalArgs) -> Self {
        Self {
            verbosity: Verbosity::from_flags(global.quiet, global.verbose),
            styling: terminal::styling(global.color, &io::stderr()),
            layout: if global.pretty {
                Layout::Pretty
            } else {
                Layout::Compact
            },
            stdout_is_terminal: io::stdout().is_terminal(),
            color: global.color,
            project: global.project,
        }
    }

    /// Flags and environment over project file over defaults. Only commands
    /// that need a path ask, so a broken project file does not stand in the
    /// way of the others.
    pub fn settings(&self, overrides: Overrides) -> Result<Settings, ProjectError> {
        let file = match &self.project {
            Some(named) => Some(named.clone()),
            // Without a working directory there is nothing to look upwards from.
            None => env::current_dir()
                .ok()
                .and_then(|start| Project::find(&start)),
        };
        let project = file.as_deref().map(Project::read).transpose()?;
        if let Some(project) = &project {
            tracing::info!("project file {}", project.file.display());
        }
        Ok(Settings::merge(overrides, project))
    }

    /// The catalog that was named, checked. Its findings are shown; `Ok(Err(…))` if it may not be
    /// used.
    pub fn catalog(&self, folder: &Path) -> Result<Result<Catalog, ExitCode>, Failure> {
        let loaded = load_catalog(folder)?;
        self.show_catalog(folder, &loaded);
        Ok(loaded.catalog.ok_or(ExitCode::NotAcceptable))
    }

    /// What was found in a catalog, and how much of it if that may not be used.
    pub fn show_catalog(&self, folder: &Path, loaded: &Loaded) {
        for diagnostic in &loaded.diagnostics {
            self.show(diagnostic);
        }
        if loaded.catalog.is_none() {
            let tally = Tally::of(&loaded.diagnostics);
            let subject = format!("catalog {}", folder.display());
            self.say(&human::summary(&subject, tally, self.styling));
        }
    }

    /// The installed base that was named; what is odd about it is shown.
    pub fn inventory(&self, path: &Path) -> Result<Inventory, Failure> {
        let (inventory, mut diagnostics) = store::read(path)?;
        diagnostics.extend(inventory.check());
        for diagnostic in &diagnostics {
            self.show(diagnostic);
        }
        Ok(inventory)
    }

    /// A file for documents beside standard output (`--rejects`, `--report`); never one of the
    /// `inputs`, which would be lost.
    pub fn file(
        &self,
        path: Option<&Path>,
        inputs: &[PathBuf],
    ) -> Result<Option<Output<File>>, Failure> {
        let Some(path) = path else { return Ok(None) };
        let name = path.display().to_string();
        let same = |input: &Path| match (input.canonicalize(), path.canonicalize()) {
            (Ok(input), Ok(output)) => input == output,
            _ => false,
        };
        // A file may be read as standard input, too.
        let stdin = Path::new("/dev/stdin");
        let named = |input: &PathBuf| input.as_os_str() != "-" && same(input);
        let is_piped = inputs.is_empty() || inputs.iter().any(|it| it.as_os_str() == "-");
        if inputs.iter().any(named) || is_piped && same(stdin) {
            return Err(Failure::OutputIsInput { name });
        }
        match File::create(path) {
            Ok(file) => Ok(Some(Output::new(file, &name, self.layout))),
            Err(error) => Err(OutputError::new(&name, error).into()),
        }
    }

    /// Standard output for documents.
    pub fn stdout(&self) -> Output<StandardOutput> {
        Output::stdout(self.layout)
    }

    /// Writes one finished text to standard output. A reader that is gone got
    /// what it wanted.
    pub fn write_text(&self, text: &[u8]) -> Result<(), OutputError> {
        let mut stdout = self.stdout();
        if stdout.text(text)? == Delivery::Written {
            let _gone_or_not = stdout.flush()?;
        }
        Ok(())
    }

    /// Colours on standard output, for tables.
    pub fn stdout_styling(&self) -> Styling {
        terminal::styling(self.color, &io::stdout())
    }

    /// Whether a person looks at standard error and wants to see progress.
    pub fn shows_progress(&self) -> bool {
        self.verbosity >= Verbosity::Normal && io::stderr().is_terminal()
    }

    /// One finding on standard error, unless `-q`.
    pub fn show(&self, diagnostic: &Diagnostic) {
        if self.verbosity >= Verbosity::Normal {
            terminal::write_stderr(&human::diagnostic(diagnostic, self.styling));
        }
    }

    /// One line on standard error, unless `-q`.
    pub fn say(&self, line: &str) {
        if self.verbosity >= Verbosity::Normal {
            terminal::write_stderr(&format!("{line}\n"));
        }
    }
}

/// A catalog with what was found in it, which nobody has seen yet.
pub fn load_catalog(folder: &Path) -> Result<Loaded, Failure> {
    catalog::load(&catalog::read_folder(folder)?).map_err(Failure::CatalogSyntax)
}
