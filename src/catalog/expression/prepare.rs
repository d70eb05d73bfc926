//! Makes a checked tree ready to run.

use cel::IdedExpr;
use cel::common::ast::{CallExpr, EntryExpr, Expr, LiteralValue};

use super::check::Findings;
use super::functions::{ELEMENTS, REPLACE};

/// Whether anything of a tree has to be made ready.
pub(super) fn is_needed(findings: &Findings) -> bool {
    findings.guarded || !findings.doubles.is_empty()
}

/// Makes a checked tree ready to run: arithmetic between numbers of which one
/// may have a fraction is done on doubles (CEL does not mix the two), and what
/// could grow without bound runs guarded.
pub(super) fn prepare(node: &mut IdedExpr, findings: &Findings) {
    let doubles = findings.doubles.contains(&node.id);
    match &mut node.expr {
        Expr::Call(call) => {
            if let Some(target) = &mut call.target {
                prepare(target, findings);
                if call.func_name == "replace" {
                    REPLACE.clone_into(&mut call.func_name);
                }
            }
            for argument in &mut call.args {
                prepare(argument, findings);
                if doubles {
                    make_double(argument, findings);
                }
            }
        }
        Expr::Select(select) => prepare(&mut select.operand, findings),
        Expr::List(list) => {
            for element in &mut list.elements {
                prepare(element, findings);
            }
        }
        Expr::Map(map) => {
            for entry in &mut map.entries {
                if let EntryExpr::MapEntry(entry) = &mut entry.expr {
                    prepare(&mut entry.key, findings);
                    prepare(&mut entry.value, findings);
                }
            }
        }
        Expr::Comprehension(fold) => {
            prepare(&mut fold.iter_range, findings);
            wrap(&mut fold.iter_range, ELEMENTS);
            prepare(&mut fold.loop_step, findings);
        }
        Expr::Ident(_) | Expr::Literal(_) | Expr::Struct(_) | Expr::Unspecified => {}
    }
}

/// Makes a number a double, where it is not one already.
fn make_double(node: &mut IdedExpr, findings: &Findings) {
    match &node.expr {
        Expr::Literal(LiteralValue::Double(_)) => {}
        Expr::Call(_) if findings.doubles.contains(&node.id) => {}
        _ => wrap(node, "double"),
    }
}

/// Replaces a node with a call of a function on it.
fn wrap(node: &mut IdedExpr, function: &str) {
    let inner = std::mem::take(node);
    node.id = inner.id;
    node.expr = Expr::Call(CallExpr {
        func_name: function.to_owned(),
        target: None,
        args: vec![inner],
    });
}
