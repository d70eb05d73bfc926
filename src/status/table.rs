//! Where orders stand as tables for people.
//!
//! Invariant: no control character of the input reaches the text; no line is
//! wider than asked for, down to [`NARROWEST`].

use std::collections::HashMap;
use std::fmt::Write as _;

use anstyle::AnsiColor;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{Cell, ContentArrangement, LineStyle, Table};

use super::blocking::{Blocking, BlockingTask, WaitsFor};
use super::bulk::{self, Bulk, Row};
use super::{ItemStanding, Listed, RevisionStanding, RunStanding, Standing, TaskName};
use crate::diagnostic::human::{Styling, printable};
use crate::journal::AtWork;
use crate::model::state::{OrderState, TaskState};
use crate::plan::flow::{RevisionKind, TaskKind};
use crate::plan::{count_for_people, duration_for_people};

/// Width where none is known.
pub const USUAL: u16 = 80;

/// Tables are never made narrower than this.
pub const NARROWEST: u16 = 60;

/// Heading over what an item is, or which endpoint carries it out.
const KIND: &str = "Kind / endpoint";

/// Of many siblings, so many that are held or failed are named.
const NAMED: usize = 10;

/// So many tasks that an order waits for are told one by one.
const BLOCKING: usize = 3;

/// Longest reason that is shown, in characters.
const LONGEST: usize = 500;

/// Invisible marks around a state, in place of colours, which the layout would count; they
/// cannot come from the input, where [`printable`] shows them as escapes.
const DONE: char = '\u{2061}';
const MOVING: char = '\u{2062}';
const STOPPED: char = '\u{2063}';
const END: char = '\u{2064}';

/// How much of an order is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Detail {
    /// Many siblings of one kind are one line; those that are held or failed are named below it.
    #[default]
    Folded,
    /// Every item and task.
    All,
}

/// One order as a tree, and its summary below; every line ended.
#[must_use]
pub fn tree(standing: &Standing, width: u16, styling: Styling, detail: Detail) -> String {
    let mut lines = vec![Line {
        above: String::new(),
        branch: "",
        below: "",
        title: printable(&standing.id).into_owned(),
        kind: standing.type_name.to_owned(),
        state: standing.state,
        word: None,
        why: String::new(),
    }];
    let mut left = standing.derived.len() + standing.items.len();
    for order in &standing.derived {
        left -= 1;
        let (branch, _) = branches(left == 0);
        lines.push(Line {
            above: String::new(),
            branch,
            below: "",
            title: printable(&order.id).into_owned(),
            kind: order.type_name.to_owned(),
            state: order.state,
            word: None,
            why: String::new(),
        });
    }
    let rows = rows(&standing.items, detail);
    add_rows(&rows, "", detail, &mut lines);
    let mut text = lay_out("Order / item", &lines, width.max(NARROWEST), styling);
    text.push_str(&excerpt(&standing.summary));
    text.push('\n');
    text
}

/// The request to cancel an order, its change, or what is undone of it, in a line; nothing for an order that is carried
/// out as it was planned at first.
#[must_use]
pub fn revision(revision: Option<&RevisionStanding>) -> String {
    let Some(it) = revision else {
        return String::new();
    };
    let what = match (it.kind, &it.request) {
        (RevisionKind::Cancel, Some((type_name, id))) => format!("{type_name} {}", printable(id)),
        (RevisionKind::Cancel, None) => "cancellation".to_owned(),
        (RevisionKind::Amend, _) => format!("change {}", it.number),
        (RevisionKind::Compensate, _) => format!("undoing {}", it.number),
    };
    let mut text = format!("{what} is {}", it.state);
    if let Some(since) = it.since {
        let _ = write!(text, ", asked for at {since}");
    }
    if let Some(reason) = &it.reason {
        let _ = write!(text, ": {}", printable(reason));
    }
    let (completed, total) = it.tasks;
    let _ = writeln!(text, "; {completed} of {total} tasks of it done");
    text
}

/// Who is at work on an order, where that is known; nothing where it has ended.
#[must_use]
pub fn run(run: Option<&RunStanding>) -> String {
    match run {
        None => String::new(),
        Some(RunStanding::Nobody) => "nobody is at work on it\n".to_owned(),
        Some(RunStanding::Process(AtWork { pid, host, since })) => {
            let told = |before: &str, text: &Option<String>| {
                let text = text.as_deref().map(printable);
                text.map_or_else(String::new, |it| format!("{before}{it}"))
            };
            let (host, since) = (told(" on ", host), told(" since ", since));
            format!("process {pid}{host} is at work on it{since}\n")
        }
    }
}

/// What an order waits for, task by task; nothing where it waits for nothing. Commands are lines
/// of their own, however wide, to be copied as they are.
#[must_use]
pub fn blocking(blocking: &Blocking, order: &str) -> String {
    let mut text = String::new();
    // What can begin and of which nothing else is known stands in the tree.
    let is_told = |task: &&BlockingTask| task.waits_for != WaitsFor::Start || task.since.is_some();
    let told: Vec<&BlockingTask> = blocking.tasks.iter().filter(is_told).collect();
    for task in told.iter().take(BLOCKING) {
        text.push_str(&blocking_task(task));
    }
    if told.is_empty() {
        return text;
    }
    let more = blocking.total - told.len().min(BLOCKING);
    if more > 0 {
        let more = count_for_people(more);
        let order = printable(order);
        let _ = writeln!(text, "  and {more} more: orderctl task list {order}");
    }
    text
}

fn blocking_task(task: &BlockingTask) -> String {
    let mut head = format!("  {} ", task.name);
    if task.name != task.id {
        let _ = write!(head, "({}) ", task.id);
    }
    head.push_str(match task.waits_for {
        WaitsFor::Decision => "is held",
        WaitsFor::Person => "waits for a person",
        WaitsFor::Release => "waits for a release",
        WaitsFor::Run => "waits for a run",
        WaitsFor::Answer if task.retry_at.is_some() => "waits for its next try",
        WaitsFor::Answer => "waits for an answer",
        WaitsFor::Moment(_) => "waits for its time",
        WaitsFor::Start => "can begin",
    });
    if let Some(since) = task.since {
        let _ = write!(head, " since {since}");
    }
    match task.holds_up {
        0 => {}
        1 => head.push_str("; 1 task waits for it"),
        more => {
            let _ = write!(head, "; {} tasks wait for it", count_for_people(more));
        }
    }
    let mut lines = vec![head];
    if let (Some((method, path)), Some(attempts)) = (&task.request, task.attempts)
        && attempts > 0
    {
        let times = match attempts {
            1 => "once".to_owned(),
            times => format!(
                "{} times",
                count_for_people(usize::try_from(times).unwrap_or(0))
            ),
        };
        lines.push(format!(
            "    sent     {method} {path} to {}, {times}",
            task.endpoint
        ));
    }
    if let Some(answer) = &task.answer {
        let is_said = answer.reason.starts_with("outcome unknown");
        let unknown = if answer.unknown && !is_said {
            " (outcome unknown)"
        } else {
            ""
        };
        lines.push(format!("    answer   {}{unknown}", answer.reason));
    }
    lines.push(format!("    next     {}", task.next));
    for (at, command) in task.commands.iter().enumerate() {
        let word = if at == 0 { "you can" } else { "" };
        lines.push(format!("    {word:<8} {command}"));
    }
    lines
        .iter()
        .map(|line| format!("{}\n", excerpt(line)))
        .collect::<Vec<_>>()
        .concat()
}

/// The tasks of an order, one a line: those that have not been completed, or all; every line ended.
#[must_use]
pub fn tasks(standing: &Standing, width: u16, styling: Styling, detail: Detail) -> String {
    let mut lines = Vec::new();
    let mut open: Vec<&ItemStanding> = standing.items.iter().rev().collect();
    while let Some(item) = open.pop() {
        let is_left = item.state != OrderState::Completed || detail == Detail::All;
        if item.task.is_some() && is_left {
            lines.push(Line {
                above: String::new(),
                branch: "",
                below: "  ",
                title: title(item, true),
                kind: kind(item),
                state: item.state,
                word: item.word(),
                why: why(item),
            });
        }
        open.extend(item.items.iter().rev());
    }
    lay_out("Task", &lines, width.max(NARROWEST), styling)
}

/// Many orders, one a line; every line ended.
#[must_use]
pub fn list(orders: &[Listed], width: u16, styling: Styling) -> String {
    let tasks = |order: &Listed| {
        order
            .tasks
            .map_or(String::new(), |(done, all)| format!("{done}/{all}"))
    };
    let external_id = |order: &Listed| order.external_id.clone().unwrap_or_default();
    let widest = |text: &dyn Fn(&Listed) -> usize| orders.iter().map(text).max().unwrap_or(0);
    let states = widest(&|order| order.state.name().len()).max("State".len());
    let counts = widest(&|order| tasks(order).len()).max("Tasks".len());
    let identified = orders.iter().any(|order| order.external_id.is_some());
    let shown = |at: usize| at != 1 || identified;
    let room = room(width, if identified { 5 } else { 4 }, states + counts);
    let ids = widest(&|order| columns(&printable(&order.id)))
        .max("Order".len())
        .min(room / 4);
    let external_ids = widest(&|order| columns(&printable(&external_id(order))));
    let external_ids = if identified {
        external_ids.max("External id".len()).min(room / 4)
    } else {
        0
    };
    let widths = [ids, external_ids, states, counts, room - ids - external_ids];
    let mut table = new_table();
    let header = ["Order", "External id", "State", "Tasks", "Summary"];
    let cells = |texts: [String; 5]| {
        texts
            .into_iter()
            .enumerate()
            .filter(|(at, _)| shown(*at))
            .map(|(_, text)| Cell::new(text))
    };
    let wrapped = |at: usize, text: &str| wrap(text, widths[at]).join("\n");
    table.set_header(cells(std::array::from_fn(|at| wrapped(at, header[at]))).collect::<Vec<_>>());
    for order in orders {
        table.add_row(cells([
            wrapped(0, &printable(&order.id)),
            wrapped(1, &printable(&external_id(order))),
            state_text(order.state, None, styling),
            tasks(order),
            wrapped(4, &excerpt(&order.summary)),
        ]));
    }
    finish(&table)
}

/// A row of the tree before it is laid out.
struct Line {
    /// What stands before the branch, from the levels above.
    above: String,
    branch: &'static str,
    /// Drawn where the title needs more lines: what leads on to the items below.
    below: &'static str,
    title: String,
    kind: String,
    state: OrderState,
    /// What is shown in its place, where the word says too much.
    word: Option<&'static str>,
    why: String,
}

/// The branch to an item, and what stands below it.
fn branches(last: bool) -> (&'static str, &'static str) {
    if last {
        ("└─ ", "   ")
    } else {
        ("├─ ", "│  ")
    }
}

fn rows<'s>(items: impl IntoIterator<Item = &'s ItemStanding>, detail: Detail) -> Vec<Row<'s>> {
    match detail {
        Detail::Folded => bulk::fold(items),
        Detail::All => bulk::unfold(items),
    }
}

fn add_rows(rows: &[Row<'_>], above: &str, detail: Detail, lines: &mut Vec<Line>) {
    let mut namesakes: HashMap<&str, usize> = HashMap::new();
    for row in rows {
        if let Row::One(item) = row {
            *namesakes.entry(item.title()).or_default() += 1;
        }
    }
    for (at, row) in rows.iter().enumerate() {
        let (branch, under) = branches(at + 1 == rows.len());
        let under = format!("{above}{under}");
        match row {
            Row::One(item) => {
                let below = self::rows(&item.items, detail);
                lines.push(Line {
                    above: above.to_owned(),
                    branch,
                    below: below_title(below.is_empty()),
                    title: title(item, namesakes[item.title()] > 1),
                    kind: kind(item),
                    state: item.state,
                    word: item.word(),
                    why: why(item),
                });
                add_rows(&below, &under, detail, lines);
            }
            Row::Many(bulk) => add_bulk(bulk, (above, branch), &under, lines),
        }
    }
}

/// One line for all of them, those that are in trouble, and what is below them.
fn add_bulk(
    bulk: &Bulk<'_>,
    (above, branch): (&str, &'static str),
    under: &str,
    lines: &mut Vec<Line>,
) {
    let troubled: Vec<&ItemStanding> = bulk.troubled().collect();
    let below = bulk::fold(bulk.below());
    lines.push(Line {
        above: above.to_owned(),
        branch,
        below: below_title(troubled.is_empty() && below.is_empty()),
        title: printable(&bulk.title()).into_owned(),
        kind: common_kind(bulk),
        state: bulk.state(),
        word: None,
        why: bulk.breakdown(),
    });
    let more = troubled.len().saturating_sub(NAMED);
    for (at, item) in troubled.iter().take(NAMED).enumerate() {
        let is_last = at + 1 == troubled.len() && below.is_empty();
        lines.push(Line {
            above: under.to_owned(),
            branch: branches(is_last).0,
            below: below_title(true),
            title: title(item, true),
            kind: kind(item),
            state: item.state,
            word: item.word(),
            why: why(item),
        });
    }
    if more > 0 {
        let (branch, _) = branches(below.is_empty());
        lines.push(Line {
            above: under.to_owned(),
            branch,
            below: below_title(true),
            title: format!("and {} more", count_for_people(more)),
            kind: String::new(),
            state: OrderState::roll_up(troubled[NAMED..].iter().map(|it| it.state)),
            word: None,
            why: String::new(),
        });
    }
    add_rows(&below, under, Detail::Folded, lines);
}

fn below_title(is_leaf: bool) -> &'static str {
    if is_leaf { "  " } else { "│ " }
}

/// Its name; with its id where others have the same one.
fn title(item: &ItemStanding, by_id: bool) -> String {
    let by_id = by_id || item.type_name == "ProductOrderItem";
    let title = match &item.name {
        Some(name) if by_id && *name != item.id => format!("{} {name}", item.id),
        _ => item.title().to_owned(),
    };
    printable(&title).into_owned()
}

fn common_kind(bulk: &Bulk<'_>) -> String {
    let first = kind(bulk.items[0]);
    if bulk.items.iter().all(|item| kind(item) == first) {
        first
    } else {
        String::new()
    }
}

fn kind(item: &ItemStanding) -> String {
    if let Some(task) = &item.task {
        if !task.endpoint.is_empty() {
            return printable(&task.endpoint).into_owned();
        }
        match (task.kind, &task.gate) {
            (_, Some(gate)) => return printable(gate).into_owned(),
            (TaskKind::Manual, None) => return "person".to_owned(),
            (TaskKind::Milestone, None) => return "milestone".to_owned(),
            (TaskKind::Activation, None) => {}
        }
    }
    match item.type_name {
        "ProductOrderItem" => "product",
        "ServiceOrderItem" => "service",
        "ResourceOrderItem" => "resource",
        _ => "task",
    }
    .to_owned()
}

fn why(item: &ItemStanding) -> String {
    let Some(task) = &item.task else {
        return String::new();
    };
    if let Some(reason) = &task.reason {
        return excerpt(reason);
    }
    if task.state != TaskState::New {
        return String::new();
    }
    if !task.waits_for.is_empty() {
        let names: Vec<String> = task.waits_for.iter().map(waits_for).collect();
        return excerpt(&names.join(", "));
    }
    match task.not_before {
        Some(at) => format!("not before {at}"),
        None if task.waits_for_person() => "a person".to_owned(),
        None => "ready".to_owned(),
    }
}

/// `Port-In`, `2 h after Port-In`
fn waits_for(task: &TaskName) -> String {
    match &task.lag {
        Some(lag) => format!("{} after {}", duration_for_people(lag), task.name),
        None => task.name.clone(),
    }
}

fn lay_out(first: &str, lines: &[Line], width: u16, styling: Styling) -> String {
    let widest = |text: fn(&Line) -> usize| lines.iter().map(text).max().unwrap_or_default();
    let states = widest(|line| line.state.name().len()).max("State".len());
    let kinds = widest(|line| columns(&line.kind))
        .min(usize::from(width) / 4)
        .max(KIND.len());
    let explained = lines.iter().any(|line| !line.why.is_empty());
    let shown = if explained { 4 } else { 3 };
    let room = room(width, shown, states + kinds);
    let titles = widest(|line| columns(&line.above) + columns(line.branch) + columns(&line.title));
    // A tree gets what it needs, as long as something is left for the reasons.
    let most = if explained { room * 3 / 5 } else { room };
    let titles = titles.max(first.len()).min(most);
    let widths = [titles, kinds, states, room - titles];
    let mut table = new_table();
    let header = [first, KIND, "State", "Waits for / reason"];
    let header = header.iter().zip(widths).take(shown);
    table.set_header(header.map(|(text, width)| wrap(text, width).join("\n")));
    for line in lines {
        let kind = wrap(&line.kind, kinds);
        let why = wrap(&line.why, room - titles);
        let title = title_lines(line, titles, kind.len().max(why.len()));
        let cells = [
            title.join("\n"),
            kind.join("\n"),
            state_text(line.state, line.word, styling),
            why.join("\n"),
        ];
        table.add_row(cells.into_iter().take(shown).map(Cell::new));
    }
    finish(&table)
}

/// What a table has left for its other columns: each is padded by one on either side, and one
/// column stands between two.
fn room(width: u16, cells: usize, taken: usize) -> usize {
    usize::from(width.max(NARROWEST)).saturating_sub(taken + 3 * cells - 1)
}

/// A table whose cells are as wide as what is in them: they are broken into lines before, so that
/// the tree stays whole.
fn new_table() -> Table {
    let mut table = Table::new();
    table
        .force_no_tty()
        .load_style(UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none()))
        .set_content_arrangement(ContentArrangement::Disabled);
    table
}

fn finish(table: &Table) -> String {
    coloured(&table.trim_fmt()) + "\n"
}

/// Branch and title, in at least so many lines; further lines lead the branches on.
fn title_lines(line: &Line, width: usize, least: usize) -> Vec<String> {
    let mut above = line.above.as_str();
    // A tree deeper than half the column: the lines of the upper levels are left out.
    let levels = above.chars().count();
    if levels > width / 2 {
        let from = above
            .char_indices()
            .nth(levels - width / 2)
            .map_or(0, |(at, _)| at);
        above = &above[from..];
    }
    let under = match line.branch {
        "" => "",
        "└─ " => "   ",
        _ => "│  ",
    };
    let room = width
        .saturating_sub(columns(above) + columns(line.branch))
        .max(1);
    let parts = if columns(&line.title) <= room {
        vec![line.title.clone()]
    } else {
        wrap(&line.title, room.saturating_sub(columns(line.below)).max(1))
    };
    let mut lines = Vec::with_capacity(parts.len().max(least));
    for (at, part) in parts.iter().enumerate() {
        lines.push(match at {
            0 => format!("{above}{}{part}", line.branch),
            _ => format!("{above}{under}{}{part}", line.below),
        });
    }
    while lines.len() < least {
        lines.push(format!("{above}{under}{}", line.below));
    }
    lines
}

fn state_text(state: OrderState, word: Option<&str>, styling: Styling) -> String {
    let name = word.unwrap_or(state.name());
    let mark = match state {
        OrderState::Completed => DONE,
        OrderState::InProgress => MOVING,
        OrderState::Held
        | OrderState::Failed
        | OrderState::Rejected
        | OrderState::Partial
        | OrderState::Cancelled => STOPPED,
        OrderState::Acknowledged
        | OrderState::Pending
        | OrderState::AssessingCancellation
        | OrderState::PendingCancellation => return name.to_owned(),
    };
    match styling {
        Styling::Plain => name.to_owned(),
        Styling::Ansi => format!("{mark}{name}{END}"),
    }
}

/// The marks turned into colours.
fn coloured(text: &str) -> String {
    let mut coloured = String::with_capacity(text.len());
    for character in text.chars() {
        let colour = match character {
            DONE => AnsiColor::Green,
            MOVING => AnsiColor::Yellow,
            STOPPED => AnsiColor::Red,
            END => {
                coloured.push_str(&anstyle::Reset.render().to_string());
                continue;
            }
            _ => {
                coloured.push(character);
                continue;
            }
        };
        coloured.push_str(&colour.on_default().render().to_string());
    }
    coloured
}

/// [`printable`], cut after [`LONGEST`] characters.
fn excerpt(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        None => printable(text).into_owned(),
        Some((end, _)) => format!("{}…", printable(&text[..end])),
    }
}

/// Columns that a text takes on a terminal: East Asian wide characters and emoji take two.
fn columns(text: &str) -> usize {
    text.chars().map(column).sum()
}

fn column(character: char) -> usize {
    match character {
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

/// A text in lines of at most `width` columns, broken after spaces; in a word that is longer than
/// a line after hyphens and dots, else anywhere.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(2);
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_inclusive(' ') {
        let long = columns(word.trim_end()) > width;
        for part in word.split_inclusive(|character| long && matches!(character, '-' | '.')) {
            if used > 0 && used + columns(part.trim_end()) > width {
                lines.push(String::new());
                used = 0;
            }
            for character in part.chars() {
                let more = column(character);
                if used + more > width {
                    if character == ' ' {
                        continue;
                    }
                    lines.push(String::new());
                    used = 0;
                }
                if let Some(line) = lines.last_mut() {
                    line.push(character);
                }
                used += more;
            }
        }
    }
    lines
}
