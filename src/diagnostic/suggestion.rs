//! "Did you mean": the candidate nearest to a name that is not known.

/// The candidate nearest to `name`, if one is near enough to be a likely slip
/// of the pen: at most one edit for every three characters (at least one).
///
/// An edit is an insertion, a deletion, a replacement or a swap of two
/// neighbours. A different case costs nothing. The first of several equally
/// near candidates wins.
pub fn closest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let wanted = folded(name);
    let allowed = (wanted.len() / 3).max(1);
    let mut best: Option<(usize, &'c str)> = None;
    for candidate in candidates {
        let other = folded(candidate);
        if other.len().abs_diff(wanted.len()) > allowed {
            continue;
        }
        let edits = distance(&wanted, &other);
        if edits <= allowed && best.is_none_or(|(least, _)| edits < least) {
            best = Some((edits, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

fn folded(name: &str) -> Vec<char> {
    name.chars().flat_map(char::to_lowercase).collect()
}

/// Edit distance in which a swap of two neighbours counts as one edit.
fn distance(left: &[char], right: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (row, &l) in left.iter().enumerate() {
        let mut current = Vec::with_capacity(right.len() + 1);
        current.push(row + 1);
        for (column, &r) in right.iter().enumerate() {
            let replaced = last[column] + usize::from(l != r);
            let mut edits = replaced.min(last[column + 1] + 1).min(current[column] + 1);
            if row > 0 && column > 0 && l == right[column - 1] && left[row - 1] == r {
                edits = edits.min(before_last[column - 1] + 1);
            }
            current.push(edits);
        }
        before_last = std::mem::replace(&mut last, current);
    }
    last[right.len()]
}

#[cfg(test)]
mod tests {
    use super::closest;

    const NAMES: [&str; 4] = ["accessTechnology", "downstreamSpeed", "servingArea", "vlan"];

    #[test]
    fn a_slip_finds_its_name() {
        assert_eq!(closest("accesTechnology", NAMES), Some("accessTechnology"));
        assert_eq!(closest("AccessTechnology", NAMES), Some("accessTechnology"));
        assert_eq!(closest("valn", NAMES), Some("vlan"));
        assert_eq!(closest("servingAera", NAMES), Some("servingArea"));
    }

    #[test]
    fn something_else_finds_nothing() {
        assert_eq!(closest("colour", NAMES), None);
        assert_eq!(closest("", NAMES), None);
        assert_eq!(closest("vlan", []), None);
    }

    #[test]
    fn the_nearest_wins_and_then_the_first() {
        assert_eq!(closest("port", ["ports", "port1"]), Some("ports"));
        assert_eq!(closest("speed", ["spee", "speed"]), Some("speed"));
    }
}
