//! What `validate`, `decompose` and `plan` do with the results of their units:
//! documents to standard output, rejected orders to their file, findings and
//! remarks to standard error, and the exit code.

use std::fs::File;
use std::path::{Path, PathBuf};

use orderctl::chain::{Chain, order_name};
use orderctl::diagnostic::Diagnostic;
use orderctl::diagnostic::human;
use orderctl::diagnostic::tally::Tally;
use orderctl::document::{Document, DocumentKind};
use orderctl::model::state::OrderState;
use orderctl::validate;

use crate::context::Context;
use crate::exit::{ExitCode, Failure};
use crate::lines::Lines;
use crate::report::Reporting;
use crate::stage::{Flow, Produced};
use crate::terminal::{self, Delivery, Output, StandardOutput};

/// Where the results of a filter go.
pub struct Sink<'c> {
    context: &'c Context,
    stdout: Output<StandardOutput>,
    rejects: Option<Output<File>>,
    /// Where a report is wanted.
    pub reporting: Option<Reporting<'c>>,
    /// Whether documents go to standard output.
    pub passes_on: bool,
    /// Whether what units produce is text rather than documents.
    pub raw: bool,
    /// Whether findings go to standard error.
    pub shows: bool,
    /// Number of documents.
    pub documents: u64,
    tally: Tally,
    code: ExitCode,
}

impl<'c> Sink<'c> {
    /// A sink that passes documents on and shows findings.
    pub fn new(
        context: &'c Context,
        rejects: Option<&Path>,
        inputs: &[PathBuf],
    ) -> Result<Sink<'c>, Failure> {
        Ok(Sink {
            context,
            stdout: context.stdout(),
            rejects: context.file(rejects, inputs)?,
            reporting: None,
            passes_on: true,
            raw: false,
            shows: true,
            documents: 0,
            tally: Tally::default(),
            code: ExitCode::Done,
        })
    }

    /// Takes the results of a unit.
    pub fn take(&mut self, produced: Produced) -> Result<Flow, Failure> {
        self.documents += produced.documents;
        for diagnostic in &produced.diagnostics {
            self.tally.add(diagnostic.severity);
            if self.shows {
                self.context.show(diagnostic);
            }
        }
        for remark in &produced.remarks {
            // Remarks hold names and values of orders; a line stays a line.
            self.context.say(&human::printable(remark));
        }
        if let Some(reporting) = &mut self.reporting {
            reporting.count(produced.documents);
            reporting.add(produced.subject, produced.diagnostics);
        }
        if let Some(rejects) = &mut self.rejects {
            let _closed_or_not = rejects.documents(produced.rejects)?;
        }
        if let Some(code) = produced.code {
            self.code = self.code.worst(code);
        }
        if let Some(failure) = produced.failure {
            // One wrong document does not stop the others.
            terminal::report_failure(&failure.to_string(), self.context.styling);
            if let Some(reporting) = &mut self.reporting {
                reporting.fail(&failure);
            }
            self.code = self.code.worst(failure.of_one());
        }
        if !self.passes_on {
            return Ok(Flow::Continue);
        }
        let delivery = if self.raw {
            self.stdout.texts(produced.output)?
        } else {
            self.stdout.documents(produced.output)?
        };
        Ok(if delivery == Delivery::Closed {
            Flow::Stop
        } else {
            Flow::Continue
        })
    }

    /// Hands everything to the system; the exit code of the run.
    pub fn finish(&mut self) -> Result<ExitCode, Failure> {
        let _closed_or_not = self.stdout.flush()?;
        if let Some(rejects) = &mut self.rejects {
            let _closed_or_not = rejects.flush()?;
        }
        Ok(self.code)
    }

    /// Says in one line what was found, if anything was.
    pub fn summarize(&self, command: &str) {
        if self.tally != Tally::default() {
            let count = self.documents;
            let plural = if count == 1 { "" } else { "s" };
            let subject = format!("{command}: {count} document{plural}");
            self.context
                .say(&human::summary(&subject, self.tally, self.context.styling));
        }
    }
}

/// A rejected order as a line for `--rejects`.
pub fn rejected(order: &Document, diagnostics: &[Diagnostic]) -> Lines {
    let mut line = Lines::default();
    match validate::rejected(order, diagnostics) {
        Ok(document) => line.document(&document),
        Err(_) => line.document(order),
    }
    line
}

/// What is said of a chain that is only passed on, because its order has ended.
pub fn ended(root: &Document, state: OrderState) -> String {
    let (kind, name) = (DocumentKind::of(root).name(), order_name(root));
    format!(
        "{kind} {name} has ended ({state}) and is passed on as it is; to have it carried out anew, \
         remove its states"
    )
}

/// What goes along with a chain that is not passed on itself.
pub fn pass_foreign(chain: &Chain, output: &mut Lines) {
    for document in chain.foreign() {
        output.document(document);
    }
}
