//! The table that is printed: what was measured beside what was promised.

use std::fmt;

/// What a figure has to be.
#[derive(Debug, Clone, Copy)]
pub enum Target {
    /// Not more than this.
    AtMost(f64),
    /// Not less than this.
    AtLeast(f64),
    /// Nothing was promised; shown for comparison.
    Comparison,
}

struct Row {
    name: String,
    value: f64,
    unit: &'static str,
    target: Target,
    remark: String,
}

/// All figures so far.
#[derive(Default)]
pub struct Report {
    rows: Vec<Row>,
    notes: Vec<String>,
}

impl Report {
    /// Adds a figure.
    pub fn add(
        &mut self,
        name: &str,
        (value, unit): (f64, &'static str),
        target: Target,
        remark: String,
    ) {
        self.rows.push(Row {
            name: name.to_owned(),
            value,
            unit,
            target,
            remark,
        });
    }

    /// Adds a line below the table.
    pub fn note(&mut self, note: String) {
        self.notes.push(note);
    }
}

/// Three digits that count.
fn number(value: f64) -> String {
    if value >= 1000.0 {
        let digits = format!("{value:.0}");
        let split = digits.len() - 3;
        match digits[..split].len() {
            0..4 => format!("{},{}", &digits[..split], &digits[split..]),
            _ => digits,
        }
    } else if value >= 100.0 {
        format!("{value:.0}")
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heading = ["figure", "measured", "target", "", "remark"].map(str::to_owned);
        let mut lines = vec![heading];
        for row in &self.rows {
            let (sign, bound, met) = match row.target {
                Target::AtMost(bound) => ("≤ ", Some(bound), row.value <= bound),
                Target::AtLeast(bound) => ("≥ ", Some(bound), row.value >= bound),
                Target::Comparison => ("", None, true),
            };
            let target = bound.map_or_else(String::new, |bound| {
                format!("{sign}{} {}", number(bound), row.unit)
            });
            let verdict = if bound.is_none() {
                ""
            } else if met {
                "met"
            } else {
                "missed"
            };
            let measured = format!("{} {}", number(row.value), row.unit);
            lines.push([
                row.name.clone(),
                measured,
                target,
                verdict.to_owned(),
                row.remark.clone(),
            ]);
        }
        let width = |column: usize| {
            lines
                .iter()
                .map(|line| line[column].chars().count())
                .max()
                .unwrap_or_default()
        };
        let widths = [width(0), width(1), width(2), width(3)];
        for line in &lines {
            let [name, measured, target, verdict, remark] = line;
            let [first, second, third, fourth] = widths;
            let text = format!(
                "{name:first$}  {measured:>second$}  {target:>third$}  {verdict:fourth$}  {remark}"
            );
            writeln!(f, "{}", text.trim_end())?;
        }
        for note in &self.notes {
            writeln!(f, "{note}")?;
        }
        Ok(())
    }
}
