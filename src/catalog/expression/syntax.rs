//! Source text to syntax tree.
//!
//! Limits are checked on the tokens, before anything that recurses sees the text.

use cel::IdedExpr;
use cel::common::ast::{EntryExpr, Expr};
use cel::parser::PrattParser;
use cel::parser::pratt_parser::{Lexer, Token, TokenKind};

use super::{CODE_SYNTAX, CODE_TOO_LONG, ExpressionFault};

/// Longest expression, in bytes.
pub const MAX_LENGTH: usize = 4096;
/// Deepest nesting of operators, members and calls. Each level costs stack
/// when the expression runs.
pub const MAX_DEPTH: usize = 32;
/// Deepest nesting the tokens may announce, before the parser recurses.
const MAX_ANNOUNCED: usize = 48;

/// Parses `source`; the only fault reported is the first, as those after it
/// are mostly its consequences.
pub(super) fn parse(source: &str) -> Result<IdedExpr, ExpressionFault> {
    check_limits(source)?;
    parser()
        .parse(source)
        .map_err(|errors| syntax_fault(source, &errors))
}

pub(super) fn parser() -> PrattParser {
    PrattParser::new().enable_ident_escape_syntax(true)
}

fn check_limits(source: &str) -> Result<(), ExpressionFault> {
    if source.len() > MAX_LENGTH {
        return Err(ExpressionFault {
            start: 0,
            end: source.len(),
            code: CODE_TOO_LONG,
            message: format!(
                "the expression has {} bytes, the limit is {MAX_LENGTH}",
                source.len()
            ),
            hint: Some("split the rule into several".to_owned()),
        });
    }
    let mut depth = Depth::default();
    for token in tokens(source) {
        if depth.after(token.kind) > MAX_ANNOUNCED {
            return Err(too_deep(token.start, token.end));
        }
    }
    Ok(())
}

/// Checks how deep a tree is that is ready to run.
pub(super) fn check_depth(tree: &IdedExpr, source: &str) -> Result<(), ExpressionFault> {
    if depth(tree) > MAX_DEPTH {
        return Err(too_deep(0, source.len()));
    }
    Ok(())
}

fn too_deep(start: usize, end: usize) -> ExpressionFault {
    ExpressionFault {
        start,
        end,
        code: CODE_TOO_LONG,
        message: format!("the expression nests deeper than {MAX_DEPTH} levels"),
        hint: Some("split the rule into several".to_owned()),
    }
}

fn depth(node: &IdedExpr) -> usize {
    let below = match &node.expr {
        Expr::Call(call) => call
            .target
            .iter()
            .map(AsRef::as_ref)
            .chain(&call.args)
            .map(depth)
            .max(),
        Expr::Select(select) => Some(depth(&select.operand)),
        Expr::List(list) => list.elements.iter().map(depth).max(),
        Expr::Map(map) => map
            .entries
            .iter()
            .map(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => depth(&entry.key).max(depth(&entry.value)),
                EntryExpr::StructField(field) => depth(&field.value),
            })
            .max(),
        Expr::Comprehension(fold) => Some(depth(&fold.iter_range).max(depth(&fold.loop_step))),
        Expr::Ident(_) | Expr::Literal(_) | Expr::Struct(_) | Expr::Unspecified => None,
    };
    1 + below.unwrap_or(0)
}

/// The depth of the tree as its tokens announce it. Chains of
/// `&&` and `||` are balanced by the parser and elements of lists stand side
/// by side: they add nothing.
#[derive(Default)]
struct Depth {
    /// What each bracket that is open had reached when it was opened.
    open: Vec<(usize, usize)>,
    operators: usize,
    ternaries: usize,
    below: usize,
}

impl Depth {
    fn after(&mut self, kind: TokenKind) -> usize {
        match kind {
            TokenKind::TokLeftParen | TokenKind::TokLeftBracket | TokenKind::TokLeftBrace => {
                self.operators += 1;
                self.open.push((self.operators, self.ternaries));
                self.below += self.operators + self.ternaries;
                self.operators = 0;
                self.ternaries = 0;
            }
            TokenKind::TokRightParen | TokenKind::TokRightBracket | TokenKind::TokRightBrace => {
                if let Some((operators, ternaries)) = self.open.pop() {
                    self.operators = operators;
                    self.ternaries = ternaries;
                    self.below -= operators + ternaries;
                }
            }
            TokenKind::TokLogicalAnd | TokenKind::TokLogicalOr => self.operators = 0,
            TokenKind::TokComma => {
                self.operators = 0;
                self.ternaries = 0;
            }
            TokenKind::TokQuestion => {
                self.operators = 0;
                self.ternaries += 1;
            }
            TokenKind::TokDot
            | TokenKind::TokMinus
            | TokenKind::TokPlus
            | TokenKind::TokAsterisk
            | TokenKind::TokSlash
            | TokenKind::TokPercent
            | TokenKind::TokExclamation
            | TokenKind::TokIn
            | TokenKind::TokEqualEqual
            | TokenKind::TokExclamationEqual
            | TokenKind::TokLess
            | TokenKind::TokLessEqual
            | TokenKind::TokGreater
            | TokenKind::TokGreaterEqual => self.operators += 1,
            _ => {}
        }
        self.below + self.operators + self.ternaries
    }
}

/// Tokens that carry meaning, without the end marker.
pub(super) fn tokens(source: &str) -> impl Iterator<Item = Token> + '_ {
    let mut lexer = Lexer::new(source);
    let mut last = 0;
    std::iter::from_fn(move || {
        loop {
            let token = lexer.lex();
            match token.kind {
                TokenKind::TokWhitespace | TokenKind::TokComment => last = token.end,
                TokenKind::TokEnd => return None,
                // An error token that does not move on would come again for ever.
                TokenKind::TokError if token.end <= last => return None,
                _ => {
                    last = token.end;
                    return Some(token);
                }
            }
        }
    })
}

fn syntax_fault(source: &str, errors: &cel::ParseErrors) -> ExpressionFault {
    let Some(error) = errors.errors.first() else {
        return fault_at(source, source.len(), "the expression cannot be read", None);
    };
    let offset = offset_of(source, error.pos);
    let token = tokens(source).find(|token| token.end > offset);
    let text = token.map_or("", |token| text_of(source, token.start, token.end));
    let said = error.msg.as_str();
    let said = said.strip_prefix("Syntax error: ").unwrap_or(said);
    let message = if text.is_empty() {
        "the expression ends too early".to_owned()
    } else if said.starts_with("mismatched input") || said == "unexpected token" {
        format!("`{text}` is not expected here")
    } else {
        said.to_owned()
    };
    let hint = match text {
        "and" | "AND" | "&" => Some("write `&&`"),
        "or" | "OR" | "|" => Some("write `||`"),
        "not" | "NOT" => Some("write `!`"),
        "=" => Some("write `==` to compare"),
        "<>" => Some("write `!=`"),
        _ => None,
    };
    fault_at(source, offset, &message, hint)
}

fn fault_at(source: &str, offset: usize, message: &str, hint: Option<&str>) -> ExpressionFault {
    let end = tokens(source)
        .find(|token| token.end > offset)
        .map_or(source.len(), |token| token.end);
    let (start, end) = char_boundaries(source, offset, end);
    ExpressionFault {
        start,
        end,
        code: CODE_SYNTAX,
        message: message.to_owned(),
        hint: hint.map(str::to_owned),
    }
}

/// Byte offset of a line and column (both from 1, the column in bytes).
fn offset_of(source: &str, (line, column): (isize, isize)) -> usize {
    let (Ok(line), Ok(column)) = (usize::try_from(line), usize::try_from(column)) else {
        return source.len();
    };
    let before: usize = source
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    (before + column.saturating_sub(1)).min(source.len())
}

fn text_of(source: &str, start: usize, end: usize) -> &str {
    let (start, end) = char_boundaries(source, start, end);
    &source[start..end]
}

fn char_boundaries(source: &str, start: usize, end: usize) -> (usize, usize) {
    let mut start = start.min(source.len());
    while !source.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = end.clamp(start, source.len());
    while !source.is_char_boundary(end) {
        end += 1;
    }
    (start, end)
}
