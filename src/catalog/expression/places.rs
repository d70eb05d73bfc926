//! From a node of a syntax tree back to the text it was written as.
//!
//! The parser reports positions only together with errors, so they are asked
//! for only when there is something to say about a place.

use std::sync::Arc;

use cel::IdedExpr;
use cel::common::ast::{EntryExpr, Expr, SourceInfo, operators};
use cel::parser::pratt_parser::{Token, TokenKind};

use super::syntax::{parser, tokens};

/// Where the nodes of a tree are written.
pub(super) struct Places {
    info: Option<Arc<SourceInfo>>,
    tokens: Vec<Token>,
    /// For each token that is a bracket, the token that closes or opens it.
    partner: Vec<Option<usize>>,
    length: usize,
}

impl Places {
    /// Finds the places of a text that [`super::syntax::parse`] accepts.
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
                    open.push(at);
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
            Expr::List(inner) => inner.elements.iter().for_each(&mut include),
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
