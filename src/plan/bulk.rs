//! Tasks that differ in nothing but what they are for: a thousand profiles of
//! one wave are one box to people.

use std::hash::Hash;

use foldhash::{HashMap, HashMapExt as _};

use super::flow::{OrchestrationPlan, TaskFlow, TaskKind};

/// From how many alike tasks on they are taken as one.
const MANY: usize = 10;
/// Longest text by which tasks of the same name are told apart, in bytes.
const LONGEST: usize = 40;

/// What people see as one: a task, or many that are alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lot {
    /// Position of the task, or of the first of them.
    pub first: usize,
    /// Their number.
    pub count: usize,
    /// The name of the task, or what their names have in common.
    pub name: String,
}

/// The tasks of a plan as people see them.
#[derive(Debug)]
pub struct Lots {
    /// Each once, in the order of its first task.
    pub lots: Vec<Lot>,
    /// The position in `lots` of each task, by position.
    pub of: Vec<usize>,
}

/// What alike tasks have in common, beside what they wait for and what waits for them.
type Kind<'p> = (
    TaskKind,
    Option<&'p str>,
    Option<&'p str>,
    Option<&'p str>,
    Option<&'p str>,
    &'p str,
    (u32, bool, bool),
);

impl Lots {
    /// Puts alike tasks together: of the same kind and specification, for the same endpoint, with
    /// the same things before and after them. Linear in tasks and dependencies.
    pub fn of(plan: &OrchestrationPlan) -> Lots {
        let tasks = &plan.task_flow;
        let before = predecessors(plan);
        let mut after = vec![Vec::new(); tasks.len()];
        for (task, waits) in before.iter().enumerate() {
            for &other in waits {
                after[other].push(task);
            }
        }
        let mut kinds = Numbers::default();
        let kinds: Vec<usize> = tasks.iter().map(|task| kinds.number(kind(task))).collect();
        // In the order of a plan each task comes after those before it.
        let ahead = colours(&kinds, &before, 0..tasks.len());
        let behind = colours(&kinds, &after, (0..tasks.len()).rev());
        let mut members: Vec<Vec<usize>> = Vec::new();
        let mut classes = Numbers::default();
        for task in 0..tasks.len() {
            let class = classes.number((ahead[task], behind[task]));
            if class == members.len() {
                members.push(Vec::new());
            }
            members[class].push(task);
        }
        let mut lots = Vec::new();
        for class in members {
            if class.len() < MANY {
                lots.extend(class.into_iter().map(|task| vec![task]));
            } else {
                lots.push(class);
            }
        }
        lots.sort_unstable_by_key(|lot| lot[0]);
        let mut of = vec![0; tasks.len()];
        for (position, lot) in lots.iter().enumerate() {
            for &task in lot {
                of[task] = position;
            }
        }
        let lots = lots.into_iter().map(|lot| Lot {
            first: lot[0],
            count: lot.len(),
            name: name(tasks, &lot),
        });
        let mut lots: Vec<Lot> = lots.collect();
        tell_apart(tasks, &mut lots);
        Lots { lots, of }
    }
}

/// Positions of the tasks that each task waits for.
pub fn predecessors(plan: &OrchestrationPlan) -> Vec<Vec<usize>> {
    let tasks = plan.task_flow.iter().enumerate();
    let positions: HashMap<&str, usize> = tasks
        .map(|(index, task)| (task.id.as_str(), index))
        .collect();
    let before = |task: &TaskFlow| {
        let waits = task.relationship.iter();
        waits
            .filter_map(|wait| positions.get(wait.task_flow.id.as_str()).copied())
            .collect()
    };
    plan.task_flow.iter().map(|task| before(task)).collect()
}

fn kind(task: &TaskFlow) -> Kind<'_> {
    (
        task.kind,
        task.specification.as_deref(),
        task.endpoint.as_deref(),
        task.rollout_wave.as_deref(),
        task.gate.as_deref().or(task.action.as_deref()),
        &task.duration,
        (task.wave, task.critical, task.window.is_some()),
    )
}

/// Numbers things in the order in which they are first met.
struct Numbers<T>(HashMap<T, usize>);

impl<T> Default for Numbers<T> {
    fn default() -> Self {
        Numbers(HashMap::new())
    }
}

impl<T: Eq + Hash> Numbers<T> {
    fn number(&mut self, thing: T) -> usize {
        let next = self.0.len();
        *self.0.entry(thing).or_insert(next)
    }
}

/// Numbers that are the same for tasks of the same kind with the same numbers next to them.
fn colours(
    kinds: &[usize],
    next: &[Vec<usize>],
    sequence: impl Iterator<Item = usize>,
) -> Vec<usize> {
    let mut colours = vec![0; kinds.len()];
    let mut known = Numbers::default();
    for task in sequence {
        let mut around: Vec<usize> = next[task].iter().map(|other| colours[*other]).collect();
        around.sort_unstable();
        around.dedup();
        colours[task] = known.number((kinds[task], around));
    }
    colours
}

/// Adds to the names that several tasks have what is different in their ids, between the parts of
/// these that are the same: mostly the site.
fn tell_apart(tasks: &[Box<TaskFlow>], lots: &mut [Lot]) {
    let mut called: HashMap<&str, Vec<usize>> = HashMap::new();
    for (position, lot) in lots.iter().enumerate() {
        let task = &tasks[lot.first];
        if lot.count == 1 {
            called.entry(&task.name).or_default().push(position);
        }
    }
    for same in called.into_values().filter(|same| same.len() > 1) {
        let ids = same.iter().map(|lot| &tasks[lots[*lot].first].id);
        let ids: Vec<Vec<&str>> = ids.map(|id| id.split('.').collect()).collect();
        let shortest = ids.iter().map(Vec::len).min().unwrap_or(0);
        let agree = |part: &dyn Fn(&[&str]) -> usize| {
            let first = ids[0][part(&ids[0])];
            ids.iter().all(|id| id[part(id)] == first)
        };
        let start = (0..shortest).take_while(|at| agree(&|_| *at)).count();
        let end = (0..shortest - start)
            .take_while(|at| agree(&|id| id.len() - 1 - at))
            .count();
        for (lot, id) in same.iter().zip(&ids) {
            let different = id[start..id.len() - end].join(".");
            if !different.is_empty() && different.len() <= LONGEST {
                lots[*lot].name = format!("{} ({different})", lots[*lot].name);
            }
        }
    }
}

/// What the names of tasks have in common, at their beginning and up to the end of a word; else
/// their specification.
fn name(tasks: &[Box<TaskFlow>], lot: &[usize]) -> String {
    let first = &tasks[lot[0]];
    let common = common_name(lot.iter().map(|it| tasks[*it].name.as_str()));
    if common.is_empty() {
        first
            .specification
            .as_deref()
            .unwrap_or(&first.name)
            .to_owned()
    } else {
        common
    }
}

/// What names have in common, at their beginning and up to the end of a word; of the keys in
/// brackets that tell things of one kind apart what all have, up to a dot. Empty, if they have
/// nothing in common.
pub fn common_name<'n>(mut names: impl Iterator<Item = &'n str>) -> String {
    let Some(first) = names.next() else {
        return String::new();
    };
    let (mut common, mut same) = (first, true);
    for name in names {
        same &= name == first;
        let alike = common.char_indices().zip(name.chars());
        let alike = alike.take_while(|((_, one), other)| one == other);
        let end = alike.last().map_or(0, |((at, one), _)| at + one.len_utf8());
        common = &common[..end];
    }
    if same {
        return first.to_owned();
    }
    if let Some((kind, key)) = common.rsplit_once(" (")
        && !key.contains(')')
    {
        return match key.rsplit_once('.') {
            Some((key, _)) if !key.is_empty() => format!("{kind} ({key})"),
            _ => kind.to_owned(),
        };
    }
    let word = common.rfind(|c: char| !c.is_alphanumeric());
    let common = &common[..word.unwrap_or(0)];
    common
        .trim_end_matches(|c: char| !c.is_alphanumeric())
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::common_name;

    #[test]
    fn names_have_their_first_words_and_the_beginning_of_their_keys_in_common() {
        for (names, common) in [
            (&["Port"][..], "Port"),
            (&["Port", "Port"], "Port"),
            (&["Port (HQ)", "Port (HR)"], "Port"),
            (&["Router (HQ.1)", "Router (HQ.2)"], "Router (HQ)"),
            (&["Profile (V-1.tab)", "Profile (V-1.tel)"], "Profile (V-1)"),
            (&["Profile (V-1.tab)", "Profile (V-2.tel)"], "Profile"),
            (&["Vehicle 1", "Vehicle 12"], "Vehicle"),
            (&["Port", "Router"], ""),
            (&[], ""),
        ] {
            assert_eq!(common_name(names.iter().copied()), common, "{names:?}");
        }
    }
}
