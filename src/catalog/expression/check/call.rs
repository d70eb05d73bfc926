//! Calls of functions: whether the function exists, and takes what it is given.

use std::borrow::Cow;

use cel::IdedExpr;
use cel::common::ast::CallExpr;

use super::super::functions::{FUNCTIONS, Function, MACROS};
use super::guard::string_of;
use super::{ANY, CODE_SYNTAX, CODE_TYPE, Checker, Part, Type, closest, is_scalar};
use crate::catalog::expression::CODE_FUNCTION;

impl<'s> Checker<'s> {
    pub(super) fn function(&mut self, node: &'s IdedExpr, call: &'s CallExpr) -> Type<'s> {
        let name = call.func_name.as_str();
        if MACROS.iter().any(|(known, _)| *known == name) {
            // Its arguments may name variables that it would have declared.
            self.unknown_function(node, call);
            return ANY;
        }
        let known: Vec<&Function> = FUNCTIONS.iter().filter(|f| f.name == name).collect();
        let arguments: Vec<(&IdedExpr, Type<'s>)> = call
            .target
            .as_deref()
            .into_iter()
            .chain(&call.args)
            .map(|argument| (argument, self.shape(argument)))
            .collect();
        if known.is_empty() {
            self.unknown_function(node, call);
            return ANY;
        }
        let on_value = call.target.is_some();
        let Some(function) = known
            .iter()
            .find(|f| f.on_value == on_value && f.takes.len() == arguments.len())
        else {
            self.wrong_call(node, call, &known);
            return Cow::Owned(known[0].gives.shape());
        };
        for ((argument, shape), parameter) in arguments.iter().zip(function.takes) {
            if parameter.takes(shape) {
                continue;
            }
            let message = format!(
                "`{name}` wants {}, this is {}",
                parameter.wanted(),
                shape.article()
            );
            let hint = (parameter.wanted() == "a string" && is_scalar(shape))
                .then(|| format!("convert it: `string({})`", self.text(argument)));
            self.report((argument, Part::Whole), CODE_TYPE, message, hint);
        }
        if name == "matches" {
            self.check_pattern(call.args.last());
        }
        if name == "replace" {
            self.findings.guarded = true;
        }
        Cow::Owned(function.gives.shape())
    }

    pub(super) fn check_pattern(&mut self, pattern: Option<&IdedExpr>) {
        let Some((node, text)) = pattern.and_then(|node| Some((node, string_of(node)?))) else {
            return;
        };
        if let Err(error) = regex::Regex::new(text) {
            let said = error.to_string();
            let reason = said.lines().last().unwrap_or_default();
            let reason = reason.strip_prefix("error: ").unwrap_or(reason);
            let message = format!("not a regular expression: {reason}");
            self.report((node, Part::Whole), CODE_SYNTAX, message, None);
        }
    }

    pub(super) fn unknown_function(&mut self, node: &IdedExpr, call: &CallExpr) {
        let name = call.func_name.trim_start_matches('.');
        let hint = match MACROS.iter().find(|(known, _)| *known == name) {
            Some((_, form)) => Some(format!("write `{form}`")),
            None => closest(
                name,
                FUNCTIONS
                    .iter()
                    .map(|f| f.name)
                    .chain(MACROS.iter().map(|(name, _)| *name)),
            )
            .map(|near| format!("did you mean `{near}`?")),
        };
        let message = if MACROS.iter().any(|(known, _)| *known == name) {
            format!("`{name}` is not called like this")
        } else {
            format!("there is no function `{name}`")
        };
        self.report((node, Part::Name), CODE_FUNCTION, message, hint);
    }

    pub(super) fn wrong_call(&mut self, node: &IdedExpr, call: &CallExpr, known: &[&Function]) {
        let mut forms: Vec<String> = known.iter().map(|f| form(f)).collect();
        forms.dedup();
        let message = format!(
            "`{}` does not take {} here",
            call.func_name,
            match call.args.len() {
                0 => "nothing".to_owned(),
                1 => "one argument".to_owned(),
                many => format!("{many} arguments"),
            }
        );
        let hint = format!("write {}", forms.join(" or "));
        self.report((node, Part::Name), CODE_FUNCTION, message, Some(hint));
    }
}

/// How a function is written, for a hint.
fn form(function: &Function) -> String {
    let arguments = function.takes.len() - usize::from(function.on_value);
    let list = ["…"].repeat(arguments).join(", ");
    if function.on_value {
        format!("`x.{}({list})`", function.name)
    } else {
        format!("`{}({list})`", function.name)
    }
}
