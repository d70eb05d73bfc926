//! Rows of values: every value alone on two bases, and all pairs of values of two parameters.

use std::collections::{BTreeMap, BTreeSet};

use super::candidates::Parameter;

/// Positions of values, one for each parameter.
pub type Row = Vec<usize>;

/// Most rows that are made for pairs where all of them are wanted.
const MOST: usize = 400;

/// Most rows that are made for pairs otherwise: rows with many values at once make few orders do.
const SOME: usize = 40;

/// A pair of values of two parameters.
pub type Pair = ((usize, usize), (usize, usize));

/// Bases, each value alone on each of them, then rows until all pairs are in one, or some of those;
/// each with the position of its base.
pub fn rows(parameters: &[Parameter], bases: Vec<Row>, pairwise: bool) -> Vec<(usize, Row)> {
    let mut rows: Vec<(usize, Row)> = bases.iter().cloned().enumerate().collect();
    for (position, base) in bases.into_iter().enumerate() {
        for (parameter, it) in parameters.iter().enumerate() {
            for value in 0..it.values.len() {
                let mut row = base.clone();
                row[parameter] = value;
                rows.push((position, row));
            }
        }
    }
    let mut open: BTreeSet<Pair> = all(parameters);
    for (_, row) in &rows {
        for pair in of(row) {
            open.remove(&pair);
        }
    }
    let end = rows.len() + if pairwise { MOST } else { SOME };
    while let Some(first) = open.first().copied() {
        if rows.len() == end {
            break;
        }
        let row = row_with(parameters, first, &open);
        for pair in of(&row) {
            open.remove(&pair);
        }
        rows.push((0, row));
    }
    let mut known = BTreeSet::new();
    rows.retain(|row| known.insert(row.clone()));
    rows
}

/// All given with their first values, then as little as may be, then as it was ordered before.
pub fn bases(parameters: &[Parameter], past: &[BTreeMap<String, String>]) -> Vec<Row> {
    let full: Row = vec![0; parameters.len()];
    let nothing = |it: &Parameter| it.values.iter().position(Option::is_none);
    let least: Row = parameters
        .iter()
        .map(|it| nothing(it).unwrap_or(0))
        .collect();
    let past = past.iter().map(|values| {
        let given = parameters.iter().map(|it| {
            let value = values.get(&it.name);
            let known = it
                .values
                .iter()
                .position(|one| one.is_some() && one.as_ref() == value);
            known.or_else(|| nothing(it)).unwrap_or(0)
        });
        given.collect()
    });
    let mut bases: Vec<Row> = past.collect();
    bases.extend([full, least]);
    bases
}

/// The pairs of a row.
pub fn of(row: &Row) -> impl Iterator<Item = Pair> + '_ {
    (0..row.len()).flat_map(move |one| {
        (one + 1..row.len()).map(move |other| ((one, row[one]), (other, row[other])))
    })
}

fn all(parameters: &[Parameter]) -> BTreeSet<Pair> {
    let mut pairs = BTreeSet::new();
    for (one, left) in parameters.iter().enumerate() {
        for (other, right) in parameters.iter().enumerate().skip(one + 1) {
            for a in 0..left.values.len() {
                pairs.extend((0..right.values.len()).map(|b| ((one, a), (other, b))));
            }
        }
    }
    pairs
}

/// A row with a pair, and with as many others that are open as can be, one parameter at a time.
fn row_with(parameters: &[Parameter], first: Pair, open: &BTreeSet<Pair>) -> Row {
    let mut row: Vec<Option<usize>> = vec![None; parameters.len()];
    row[first.0.0] = Some(first.0.1);
    row[first.1.0] = Some(first.1.1);
    for parameter in 0..parameters.len() {
        if row[parameter].is_some() {
            continue;
        }
        let gain = |value: usize| {
            let decided = row
                .iter()
                .enumerate()
                .filter_map(|(other, it)| Some((other, (*it)?)));
            let pairs = decided.map(|(other, known)| {
                if other < parameter {
                    ((other, known), (parameter, value))
                } else {
                    ((parameter, value), (other, known))
                }
            });
            pairs.filter(|pair| open.contains(pair)).count()
        };
        let values = 0..parameters[parameter].values.len();
        row[parameter] = values.rev().max_by_key(|value| gain(*value));
    }
    row.into_iter().map(Option::unwrap_or_default).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_of_values_is_in_a_row() {
        let parameter = |count: usize| Parameter {
            name: String::new(),
            values: (0..count).map(|it| Some(it.to_string())).collect(),
        };
        let parameters: Vec<Parameter> = [3, 2, 4, 2, 3].map(parameter).to_vec();
        let rows = rows(&parameters, bases(&parameters, &[]), true);
        let met: BTreeSet<Pair> = rows
            .iter()
            .flat_map(|(_, row)| of(row).collect::<Vec<_>>())
            .collect();
        assert_eq!(met, all(&parameters));
        // All combinations would be 144.
        assert!(rows.len() < 40, "{}", rows.len());
    }
}
