//! Where a document ends, found without parsing it.

use wide::u8x16;

use super::parse::MAXIMUM_DEPTH;

/// Bytes that are looked at together.
const BLOCK: usize = 64;

/// Progress of the search for a document's end.
#[derive(Debug, Clone, Copy)]
pub struct Scan {
    /// First byte that has not been looked at.
    pub position: usize,
    depth: usize,
    in_string: bool,
    /// Whether a line has ended so far.
    pub has_lines: bool,
    /// Whether a place is wanted at which the document can be taken apart.
    pub seeks_cut: bool,
    /// Such a place: after a comma between two objects of a list of the outermost object.
    pub cut: Option<usize>,
}

/// So near to the end of what has come a place is looked for at which a document can be taken apart.
const NEAR: usize = 1 << 14;

/// What a search has found so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// The end of the document.
    End(usize),
    /// The end of as much as the parser needs to say what is wrong.
    Wrong(usize),
    /// No end yet.
    Nothing,
}

/// Whether a line of newline-delimited JSON can end like this.
pub fn ends_line(line: &[u8]) -> bool {
    line.strip_suffix(b"\r").unwrap_or(line).ends_with(b"}")
}

impl Scan {
    /// A search in the document that begins at a position.
    pub fn from(position: usize) -> Scan {
        Scan {
            position,
            depth: 0,
            in_string: false,
            has_lines: false,
            seeks_cut: false,
            cut: None,
        }
    }

    /// Looks on; `lines` if a line that could be a document of its own ends what is open.
    pub fn run(&mut self, buffer: &[u8], lines: bool) -> Found {
        while self.position < buffer.len() {
            // A line that begins with the block is looked at closely.
            let begins_line = self.position > 0 && buffer[self.position - 1] == b'\n';
            let closely = self.seeks_cut && buffer.len() - self.position < NEAR;
            if let Some(block) = buffer[self.position..].first_chunk()
                && !begins_line
                && !closely
                && self.is_inside(Block::of(block))
            {
                continue;
            }
            let limit = buffer.len().min(self.position + BLOCK);
            let start = self.position;
            match self.bytewise(buffer, limit, lines) {
                // An escape at the end of what has arrived is looked at again.
                Found::Nothing if self.position > start && self.position < buffer.len() => {}
                found => return found,
            }
        }
        Found::Nothing
    }

    /// Goes over a block in which the document surely does not end, and nothing is wrong.
    fn is_inside(&mut self, block: Block) -> bool {
        if block.special != 0 {
            return false;
        }
        let outside = !(block.inside_strings() ^ if self.in_string { u64::MAX } else { 0 });
        let opened = (block.opening & outside).count_ones() as usize;
        let closed = (block.closing & outside).count_ones() as usize;
        if self.depth <= closed || self.depth + opened > MAXIMUM_DEPTH {
            return false;
        }
        self.depth = self.depth + opened - closed;
        self.in_string ^= block.quotes.count_ones() % 2 == 1;
        self.position += BLOCK;
        true
    }

    fn bytewise(&mut self, buffer: &[u8], limit: usize, lines: bool) -> Found {
        while self.position < limit {
            let (at, byte) = (self.position, buffer[self.position]);
            if self.in_string {
                match byte {
                    b'\n' => return Found::Wrong(at + 1),
                    b'"' => self.in_string = false,
                    // The escaped byte has not arrived: look again then.
                    b'\\' if at + 1 == buffer.len() => return Found::Nothing,
                    b'\\' => self.position += 1,
                    _ => {}
                }
                self.position += 1;
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'\n' => self.has_lines = true,
                b'{' | b'[' => {
                    let second = lines && byte == b'{' && self.depth > 0;
                    if second && buffer[..at].strip_suffix(b"\n").is_some_and(ends_line) {
                        return Found::Wrong(at + 1);
                    }
                    self.depth += 1;
                    if self.depth > MAXIMUM_DEPTH {
                        return Found::Wrong(at + 1);
                    }
                }
                b'}' | b']' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Found::End(at + 1);
                    }
                }
                // In an object a key would follow.
                b',' if self.seeks_cut && self.depth == 2 && opens(&buffer[at + 1..]) => {
                    self.cut = Some(at + 1);
                    self.seeks_cut = false;
                }
                _ => {}
            }
            self.position += 1;
        }
        Found::Nothing
    }
}

/// Whether an object begins.
fn opens(bytes: &[u8]) -> bool {
    let mut rest = bytes.iter().skip_while(|byte| byte.is_ascii_whitespace());
    rest.next() == Some(&b'{')
}

/// Which of some bytes are what, the first of them in the lowest bit.
#[derive(Debug, Clone, Copy)]
struct Block {
    quotes: u64,
    /// `{` and `[`
    opening: u64,
    /// `}` and `]`
    closing: u64,
    /// Backslashes, which change what follows them, and line ends, before which a document may be
    /// over.
    special: u64,
}

impl Block {
    fn of(bytes: &[u8; BLOCK]) -> Block {
        let mut block = Block {
            quotes: 0,
            opening: 0,
            closing: 0,
            special: 0,
        };
        let all = |byte: u8| u8x16::splat(byte);
        for (number, sixteen) in bytes.as_chunks::<16>().0.iter().enumerate() {
            let sixteen = u8x16::new(*sixteen);
            let put = |hits: u8x16| u64::from(hits.to_bitmask()) << (16 * number);
            // Brackets and braces are told apart by one bit.
            let folded = sixteen | all(0x20);
            block.quotes |= put(sixteen.simd_eq(all(b'"')));
            block.opening |= put(folded.simd_eq(all(b'{')));
            block.closing |= put(folded.simd_eq(all(b'}')));
            block.special |= put(sixteen.simd_eq(all(b'\\')) | sixteen.simd_eq(all(b'\n')));
        }
        block
    }

    /// Bytes after an odd number of quotes of the block.
    fn inside_strings(self) -> u64 {
        let mut odd = self.quotes;
        for shift in [1, 2, 4, 8, 16, 32] {
            odd ^= odd << shift;
        }
        odd
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a search finds that gets one byte after the other.
    fn slowly(bytes: &[u8], lines: bool) -> Found {
        let mut scan = Scan::from(0);
        for end in 1..=bytes.len() {
            let found = scan.bytewise(&bytes[..end], end, lines);
            if found != Found::Nothing {
                return found;
            }
        }
        Found::Nothing
    }

    proptest! {
        #[test]
        fn blocks_are_looked_at_as_bytes_are(
            text in r#"\{([a-z:,]|\[|\]|\{|\}|"[ -~]{0,9}"|"|\\|\n|\}\n\{|\[\{"k":"v\}"\},){0,200}"#,
            arrived in 0_usize..400,
            lines: bool,
        ) {
            let bytes = text.as_bytes();
            let expected = slowly(bytes, lines);
            let mut scan = Scan::from(0);
            let first = scan.run(&bytes[..arrived.min(bytes.len())], lines);
            let found = if first == Found::Nothing { scan.run(bytes, lines) } else { first };
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn deep_documents_are_wrong_where_they_get_too_deep() {
        let deep = "[".repeat(MAXIMUM_DEPTH + 70);
        assert_eq!(
            Scan::from(0).run(deep.as_bytes(), true),
            Found::Wrong(MAXIMUM_DEPTH + 1)
        );
        let long = format!("{{\"{}\":[{{}}]}} ", "x]}".repeat(100));
        assert_eq!(
            Scan::from(0).run(long.as_bytes(), true),
            Found::End(long.len() - 1)
        );
    }
}
