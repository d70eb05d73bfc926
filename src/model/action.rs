//! What an order item asks for.

use std::fmt;

/// TM Forum `OrderItemActionType` (TMF622, TMF641, TMF652).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Make it.
    Add,
    /// Change what is there.
    Modify,
    /// Remove it.
    Delete,
    /// Named for context only.
    NoChange,
}

impl Action {
    /// Reads an action; the second value tells whether it is spelled as the standard has it
    /// (TMF652 4.0 writes `no_change`, others write upper case).
    pub fn read(text: &str) -> Option<(Action, bool)> {
        let exact = match text {
            "add" => Some(Action::Add),
            "modify" => Some(Action::Modify),
            "delete" => Some(Action::Delete),
            "noChange" => Some(Action::NoChange),
            _ => None,
        };
        if let Some(action) = exact {
            return Some((action, true));
        }
        let lenient = match text.to_ascii_lowercase().as_str() {
            "add" => Action::Add,
            "modify" => Action::Modify,
            "delete" => Action::Delete,
            "nochange" | "no_change" => Action::NoChange,
            _ => return None,
        };
        Some((lenient, false))
    }

    /// As the standard spells it.
    pub fn name(self) -> &'static str {
        match self {
            Action::Add => "add",
            Action::Modify => "modify",
            Action::Delete => "delete",
            Action::NoChange => "noChange",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
