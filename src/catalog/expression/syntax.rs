//! Source text to syntax tree, and from a node of the tree back to its text.
//!
//! Limits are checked on the tokens, before anything that recurses sees the
//! text. The parser reports positions only together with errors, so they are
//! asked for only when there is something to say about a place.

use cel::IdedExpr;
use cel::common::ast::{EntryExpr, Expr, SourceInfo, operators};
use cel::parser::PrattParser;
use cel::parser::pratt_parser::{Lexer, Token, TokenKind};

use super::{CODE_SYNTAX, CODE_TOO_LONG, ExpressionFault};

/// Longest expression, in bytes.
pub const MAX_LENGTH: usize = 4096;
/// Deepest nesting of operators, members and brackets.
pub const MAX_DEPTH: usize = 32;

/// Parses `source`; the only fault reported is the first, as those after it
/// are mostly its consequences.
pub(super) fn parse(source: &str) -> Result<IdedExpr, ExpressionFault> {
    check_limits(source)?;
    parser()
        .parse(source)
        .map_err(|errors| syntax_fault(source, &errors))
}

fn parser() -> PrattParser {
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
        if depth.after(token.kind) > MAX_DEPTH {
            return Err(ExpressionFault {
                start: token.start,
                end: token.end,
                code: CODE_TOO_LONG,
                message: format!("the expression nests deeper than {MAX_DEPTH} levels here"),
                hint: Some("split the rule into several".to_owned()),
            });
        }
    }
    Ok(())
}

/// An upper bound of the depth of the tree, from its tokens alone. Chains of
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
fn tokens(source: &str) -> impl Iterator<Item = Token> + '_ {
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
        "and" | "AND" => Some("write `&&`"),
        "or" | "OR" => Some("write `||`"),
        "not" | "NOT" => Some("write `!`"),
        "=" => Some("write `==` to compare"),
        "<>" => Some("write `!=`"),
        "&" => Some("write `&&`"),
        "|" => Some("write `||`"),
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

/// Where the nodes of a tree are written.
pub(super) struct Places {
    info: Option<std::sync::Arc<SourceInfo>>,
    tokens: Vec<Token>,
    /// For each token that is a bracket, the token that closes or opens it.
    partner: Vec<Option<usize>>,
    length: usize,
}

impl Places {
    /// Finds the places of a text that [`parse`] accepts.
    ///
    /// The parser hands out its table of positions only with an error. One
    /// bracket too many at the end gives an error and leaves all nodes before
    /// it, and their numbers, as they were.
    pub(super) fn of(source: &str) -> Self {
        let spoilt = format!("{source}\n]");
        let info = parser()
            .parse(&spoilt)
            .err()
            .and_then(|errors| errors.errors.into_iter().find_map(|e| e.source_info));
        let tokens: Vec<Token> = tokens(source).collect();
        let mut partner = vec![None; tokens.len()];
        let mut open = Vec::new();
        for (at, token) in tokens.iter().enumerate() {
            match token.kind {
                TokenKind::TokLeftParen | TokenKind::TokLeftBracket | TokenKind::TokLeftBrace => {
                    open.push(at)
                }
                TokenKind::TokRightParen
                | TokenKind::TokRightBracket
                | TokenKind::TokRightBrace => {
                    if let Some(opener) = open.pop() {
                        partner[opener] = Some(at);
                        partner[at] = Some(opener);
                    }
                }
                _ => {}
            }
        }
        Self {
            info,
            tokens,
            partner,
            length: source.len(),
        }
    }

    /// Byte range of a node, without parentheses around it.
    pub(super) fn range(&self, node: &IdedExpr) -> (usize, usize) {
        self.span(node)
            .map_or((0, self.length), |(first, last)| self.bytes(first, last))
    }

    /// Byte range of the name a node ends with: the member of a selection, the
    /// function of a call; the whole node where there is none.
    pub(super) fn name_range(&self, node: &IdedExpr) -> (usize, usize) {
        let name = match &node.expr {
            Expr::Select(select) if !select.test => self.token(node).map(|dot| dot + 1),
            Expr::Select(_) => self
                .token(node)
                .and_then(|name| self.partner.get(name + 1).copied().flatten())
                .and_then(|close| close.checked_sub(1)),
            Expr::Call(call) if call.target.is_some() => {
                self.token(node).and_then(|paren| paren.checked_sub(1))
            }
            Expr::Call(call) if call.func_name == operators::INDEX => {
                call.args.get(1).and_then(|index| self.token(index))
            }
            Expr::Call(_) => self.token(node),
            _ => None,
        };
        match name {
            Some(name) if name < self.tokens.len() => self.bytes(name, name),
            _ => self.range(node),
        }
    }

    fn bytes(&self, first: usize, last: usize) -> (usize, usize) {
        (self.tokens[first].start, self.tokens[last].end)
    }

    /// The token a node is numbered by.
    fn token(&self, node: &IdedExpr) -> Option<usize> {
        let (start, _) = self.info.as_ref()?.offset_for(node.id)?;
        let start = usize::try_from(start).ok()?;
        self.tokens
            .binary_search_by_key(&start, |token| token.start)
            .ok()
    }

    /// First and last token of a node, without parentheses around it.
    fn span(&self, node: &IdedExpr) -> Option<(usize, usize)> {
        let own = self.token(node)?;
        let mut first = own;
        let mut last = match &node.expr {
            Expr::Ident(name) if name.starts_with('.') => own + 1,
            Expr::Literal(_) if self.tokens[own].kind == TokenKind::TokMinus => own + 1,
            Expr::Select(select) if !select.test => own + 1,
            _ => own,
        };
        let mut include = |child: &IdedExpr| {
            if let Some((start, end)) = self.outer_span(child) {
                first = first.min(start);
                last = last.max(end);
            }
        };
        match &node.expr {
            Expr::Call(call) => call
                .target
                .iter()
                .map(AsRef::as_ref)
                .chain(&call.args)
                .for_each(&mut include),
            Expr::Comprehension(fold) => include(&fold.iter_range),
            Expr::Select(select) => include(&select.operand),
            Expr::List(list) => list.elements.iter().for_each(&mut include),
            Expr::Map(map) => {
                for entry in &map.entries {
                    if let EntryExpr::MapEntry(entry) = &entry.expr {
                        include(&entry.key);
                        include(&entry.value);
                    }
                }
            }
            Expr::Ident(_) | Expr::Literal(_) | Expr::Struct(_) | Expr::Unspecified => {}
        }
        // The bracket that belongs to the node itself: of a list, a map, an
        // index, a call, a macro.
        let called = matches!(&node.expr, Expr::Call(call) if call.target.is_none())
            || matches!(&node.expr, Expr::Select(select) if select.test);
        let bracket = if self.is_opener(own) {
            Some(own)
        } else if called && self.is_name(own) {
            Some(own + 1)
        } else {
            None
        };
        if let Some(Some(close)) = bracket.and_then(|at| self.partner.get(at)) {
            last = last.max(*close);
        }
        Some((first, last.min(self.tokens.len() - 1)))
    }

    /// [`Places::span`] with the parentheses that only group.
    fn outer_span(&self, node: &IdedExpr) -> Option<(usize, usize)> {
        let (mut first, mut last) = self.span(node)?;
        while let Some(before) = first.checked_sub(1) {
            let groups = self.tokens[before].kind == TokenKind::TokLeftParen
                && self.partner[before] == Some(last + 1)
                && !before.checked_sub(1).is_some_and(|name| self.is_name(name));
            if !groups {
                break;
            }
            first -= 1;
            last += 1;
        }
        Some((first, last))
    }

    fn is_opener(&self, at: usize) -> bool {
        matches!(
            self.tokens[at].kind,
            TokenKind::TokLeftParen | TokenKind::TokLeftBracket | TokenKind::TokLeftBrace
        )
    }

    fn is_name(&self, at: usize) -> bool {
        matches!(
            self.tokens[at].kind,
            TokenKind::TokIdent | TokenKind::TokReservedWord
        )
    }
}
