//! The name somebody probably meant: edit distance over a list of known names.

/// Names longer than this are never compared: the cost grows with the square
/// of the length, and nobody mistypes a name that long.
const LONGEST: usize = 64;

/// The candidate closest to `name`, if one is close enough to be worth
/// proposing; of several equally close ones the first.
///
/// Case does not count. A candidate is close enough when at most a third of
/// the characters of the longer name (but at least one) have to be inserted,
/// deleted, replaced or swapped with their neighbour. A name is never proposed
/// for itself.
pub fn closest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name_letters = letters(name)?;
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        if candidate == name {
            continue;
        }
        let Some(candidate_letters) = letters(candidate) else {
            continue;
        };
        let longer = name_letters.len().max(candidate_letters.len());
        let allowed = (longer / 3).max(1);
        if name_letters.len().abs_diff(candidate_letters.len()) > allowed {
            continue;
        }
        let distance = distance(&name_letters, &candidate_letters);
        // Replacing every letter of a one-letter name is no typing mistake.
        if distance > allowed || distance >= longer {
            continue;
        }
        if best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Whether `name` is `known` but for a slip of the keyboard: in case, or by one letter that is
/// missing, too many, wrong, or swapped with its neighbour; two in names of fourteen letters or more.
/// Names of less than four letters never are.
#[must_use]
pub fn is_slip(name: &str, known: &str) -> bool {
    // Most names differ so much in length that nothing has to be compared.
    if name == known || name.len().abs_diff(known.len()) > 4 {
        return false;
    }
    let (Some(name), Some(known)) = (letters(name), letters(known)) else {
        return false;
    };
    let shorter = name.len().min(known.len());
    let allowed = match shorter {
        0..4 => return false,
        4..14 => 1,
        _ => 2,
    };
    name.len().abs_diff(known.len()) <= allowed && distance(&name, &known) <= allowed
}

/// Lower-case letters of a name, unless it is too long to compare.
fn letters(name: &str) -> Option<Vec<char>> {
    let letters: Vec<char> = name
        .chars()
        .take(LONGEST + 1)
        .flat_map(char::to_lowercase)
        .collect();
    (letters.len() <= LONGEST).then_some(letters)
}

/// Optimal string alignment distance: insertions, deletions, replacements and
/// swaps of neighbours that turn `a` into `b`.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before_last = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut current = vec![0; b.len() + 1];
    for i in 1..=a.len() {
        current[0] = i;
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut cheapest = replaced.min(last[j] + 1).min(current[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                cheapest = cheapest.min(before_last[j - 2] + 1);
            }
            current[j] = cheapest;
        }
        std::mem::swap(&mut before_last, &mut last);
        std::mem::swap(&mut last, &mut current);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEEDS: [&str; 3] = ["uploadSpeed", "downloadSpeed", "quota"];

    #[test]
    fn a_doubled_letter_is_seen_through() {
        assert_eq!(closest("downloadSpeeed", SPEEDS), Some("downloadSpeed"));
    }

    #[test]
    fn swapped_neighbours_and_case_do_not_matter() {
        assert_eq!(closest("QOUTA", SPEEDS), Some("quota"));
    }

    #[test]
    fn an_unrelated_name_gets_no_proposal() {
        assert_eq!(closest("routerModel", SPEEDS), None);
        assert_eq!(closest("", SPEEDS), None);
        assert_eq!(closest("x", ["y"]), None);
    }

    #[test]
    fn a_name_is_not_proposed_for_itself() {
        assert_eq!(closest("quota", SPEEDS), None);
    }

    #[test]
    fn of_two_equally_close_names_the_first_is_proposed() {
        assert_eq!(closest("siteC", ["siteA", "siteB"]), Some("siteA"));
    }

    #[test]
    fn a_name_of_megabytes_is_not_compared() {
        let name = "a".repeat(50_000_000);
        assert_eq!(closest(&name, [name.as_str(), "quota"]), None);
    }

    #[test]
    fn a_slip_is_one_letter_or_two_in_a_long_name() {
        assert!(is_slip("quantty", "quantity"));
        assert!(is_slip("ProductOrderItem", "productOrderItem"));
        assert!(is_slip("productCharacterstics", "productCharacteristic"));
        assert!(!is_slip("state", "status"));
        assert!(!is_slip("serviceState", "serviceDate"));
        assert!(!is_slip("quota", "quota"));
        assert!(!is_slip("ids", "id"));
    }
}
