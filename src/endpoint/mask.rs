//! What is not shown of what others say: secrets, however they are written.
//!
//! A text is looked through as it stands, and as it reads once it is decoded: as JSON, HTML or
//! part of a URL, twice over, for the body of a monitor is JSON inside JSON. So it does not matter
//! which characters a system chose to escape. Nothing is decoded where no secret is known or no
//! character begins an escape, which is nearly always.

use std::fmt::Write as _;
use std::ops::Range;

use memchr::memmem::Finder;
use memchr::{memchr, memchr2};

use super::secret::MASK;

/// Shortest secret that is looked for: a shorter one may well be a word or number that a text holds
/// for other reasons.
const SHORTEST: usize = 6;
/// How many encodings around each other are seen through.
const DEPTH: usize = 2;
/// Longest name or number of a character in HTML, `&` and `;` included.
const LONGEST_ENTITY: usize = 12;

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Finds secrets and puts [`MASK`] in their place.
#[derive(Default)]
pub(super) struct Mask {
    /// The secrets as they are, and in the encodings that hide where one begins.
    wanted: Vec<Finder<'static>>,
    /// Whether one of them has a space, which forms write as `+`.
    has_space: bool,
}

impl Mask {
    /// A mask for these secrets, and for what is `sent` for them.
    pub fn of<'s>(
        secrets: impl IntoIterator<Item = &'s str>,
        sent: impl IntoIterator<Item = &'s str>,
    ) -> Self {
        let mut wanted: Vec<String> = sent.into_iter().map(str::to_owned).collect();
        for secret in secrets.into_iter().filter(|it| it.len() >= SHORTEST) {
            wanted.push(secret.to_owned());
            for offset in 0..3 {
                let written = base64(secret.as_bytes(), offset);
                wanted.push(written.replace('+', "-").replace('/', "_"));
                wanted.push(written);
            }
            let hex = secret.bytes().fold(String::new(), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            });
            wanted.push(hex.to_uppercase());
            wanted.push(hex);
        }
        wanted.retain(|it| it.len() >= SHORTEST);
        wanted.sort();
        wanted.dedup();
        Self {
            has_space: wanted.iter().any(|it| it.contains(' ')),
            wanted: wanted
                .iter()
                .map(|it| Finder::new(it.as_bytes()).into_owned())
                .collect(),
        }
    }

    /// The text without secrets.
    pub fn apply(&self, text: Vec<u8>) -> Vec<u8> {
        let mut found = Vec::new();
        self.search(&text, DEPTH, &mut found);
        if found.is_empty() {
            return text;
        }
        found.sort_by_key(|range| range.start);
        let mut masked = Vec::with_capacity(text.len());
        let mut end = 0;
        for range in found {
            if range.start >= end {
                masked.extend_from_slice(&text[end..range.start]);
                masked.extend_from_slice(MASK.as_bytes());
            }
            end = end.max(range.end);
        }
        masked.extend_from_slice(&text[end..]);
        masked
    }

    /// Notes where secrets stand in a text, also those that show only when it is decoded so often.
    fn search(&self, text: &[u8], depth: usize, found: &mut Vec<Range<usize>>) {
        for secret in &self.wanted {
            let length = secret.needle().len();
            found.extend(secret.find_iter(text).map(|at| at..at + length));
        }
        if depth == 0 || self.wanted.is_empty() {
            return;
        }
        for code in [Code::Json, Code::Percent, Code::Form, Code::Html] {
            if code == Code::Form && !self.has_space {
                continue;
            }
            let Some(decoded) = Decoded::of(text, code) else {
                continue;
            };
            let mut inside = Vec::new();
            self.search(&decoded.text, depth - 1, &mut inside);
            found.extend(inside.into_iter().map(|range| decoded.origin(range)));
        }
    }
}

/// How characters are written that stand for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Code {
    /// `\/`, `\u0026` (RFC 8259 §7).
    Json,
    /// `%2F` (RFC 3986 §2.1).
    Percent,
    /// The same, and `+` for a space.
    Form,
    /// `&amp;`, `&#38;`, `&#x26;`.
    Html,
}

impl Code {
    /// Where the next character stands that may begin an escape.
    fn next(self, text: &[u8]) -> Option<usize> {
        match self {
            Self::Json => memchr(b'\\', text),
            Self::Percent => memchr(b'%', text),
            Self::Form => memchr2(b'%', b'+', text),
            Self::Html => memchr(b'&', text),
        }
    }

    /// Reads the escape that a text begins with: its length, and what it stands for.
    fn read(self, text: &[u8]) -> Option<(usize, Meaning)> {
        match self {
            Self::Json => json(text),
            Self::Form if text.first() == Some(&b'+') => Some((1, Meaning::Byte(b' '))),
            Self::Percent | Self::Form => {
                let byte = u8::try_from(hexadecimal(text.get(1..3)?)?).ok()?;
                Some((3, Meaning::Byte(byte)))
            }
            Self::Html => html(text),
        }
    }
}

/// What an escape stands for.
#[derive(Debug, Clone, Copy)]
enum Meaning {
    Byte(u8),
    Character(char),
}

/// A text, decoded.
struct Decoded {
    text: Vec<u8>,
    /// Its escapes, in their order.
    escapes: Vec<Escape>,
}

/// Where an escape stood, and where what it stands for is now.
struct Escape {
    from: Range<usize>,
    to: Range<usize>,
}

impl Decoded {
    /// None where there is nothing to decode.
    fn of(text: &[u8], code: Code) -> Option<Self> {
        let mut decoded = Self {
            text: Vec::new(),
            escapes: Vec::new(),
        };
        let (mut copied, mut at) = (0, 0);
        while let Some(next) = code.next(&text[at..]) {
            let start = at + next;
            let Some((length, meaning)) = code.read(&text[start..]) else {
                at = start + 1;
                continue;
            };
            decoded.text.extend_from_slice(&text[copied..start]);
            let begin = decoded.text.len();
            match meaning {
                Meaning::Byte(byte) => decoded.text.push(byte),
                Meaning::Character(character) => {
                    let bytes = &mut [0; 4];
                    let bytes = character.encode_utf8(bytes).as_bytes();
                    decoded.text.extend_from_slice(bytes);
                }
            }
            at = start + length;
            copied = at;
            decoded.escapes.push(Escape {
                from: start..at,
                to: begin..decoded.text.len(),
            });
        }
        if decoded.escapes.is_empty() {
            return None;
        }
        decoded.text.extend_from_slice(&text[copied..]);
        Some(decoded)
    }

    /// Where a part of it comes from that is not empty; escapes are taken whole.
    fn origin(&self, range: Range<usize>) -> Range<usize> {
        let byte = |at: usize| {
            let before = self.escapes.partition_point(|it| it.to.start <= at);
            match before.checked_sub(1).map(|it| &self.escapes[it]) {
                None => at..at + 1,
                Some(escape) if at < escape.to.end => escape.from.clone(),
                Some(escape) => {
                    let at = escape.from.end + (at - escape.to.end);
                    at..at + 1
                }
            }
        };
        byte(range.start).start..byte(range.end - 1).end
    }
}

fn json(text: &[u8]) -> Option<(usize, Meaning)> {
    let plain = |byte| Some((2, Meaning::Byte(byte)));
    match text.get(1)? {
        byte @ (b'"' | b'\\' | b'/' | b'\'') => plain(*byte),
        b'b' => plain(0x08),
        b'f' => plain(0x0c),
        b'n' => plain(b'\n'),
        b'r' => plain(b'\r'),
        b't' => plain(b'\t'),
        b'u' => {
            let unit = |at: usize| hexadecimal(text.get(at..at + 4)?);
            let first = unit(2)?;
            if let Some(character) = char::from_u32(first) {
                return Some((6, Meaning::Character(character)));
            }
            // A character beyond the first 65,536 is written as two (UTF-16).
            let second = unit(8).filter(|_| text.get(6..8) == Some(br"\u"))?;
            let units = [u16::try_from(first).ok()?, u16::try_from(second).ok()?];
            let character = char::decode_utf16(units).next()?.ok()?;
            Some((12, Meaning::Character(character)))
        }
        _ => None,
    }
}

fn html(text: &[u8]) -> Option<(usize, Meaning)> {
    let end = memchr(b';', &text[..text.len().min(LONGEST_ENTITY)])?;
    let name = std::str::from_utf8(&text[1..end]).ok()?;
    let character = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = name.strip_prefix('#')?;
            let number = match number.strip_prefix(['x', 'X']) {
                Some(digits) => hexadecimal(digits.as_bytes())?,
                None => number.parse().ok()?,
            };
            char::from_u32(number)?
        }
    };
    Some((end + 1, Meaning::Character(character)))
}

fn hexadecimal(digits: &[u8]) -> Option<u32> {
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit);
    let digits = std::str::from_utf8(digits).ok().filter(|_| is_number)?;
    u32::from_str_radix(digits, 16).ok()
}

/// The characters that stand for these bytes alone, where so many bytes come before them in what is
/// encoded (RFC 4648 §4): which those are depends on that only up to whole threes.
fn base64(bytes: &[u8], before: usize) -> String {
    let shifted: Vec<u8> = std::iter::repeat_n(0, before)
        .chain(bytes.iter().copied())
        .collect();
    let bits = |at: usize| {
        let byte = |it: usize| u16::from(shifted.get(it).copied().unwrap_or_default());
        let both = (byte(at / 8) << 8) | byte(at / 8 + 1);
        usize::from((both >> (10 - at % 8)) & 0x3f)
    };
    let (first, end) = ((before * 8).div_ceil(6), shifted.len() * 8 / 6);
    (first..end)
        .map(|at| char::from(BASE64[bits(at * 6)]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(secret: &str, text: &str) -> String {
        let masked = Mask::of([secret], []).apply(text.as_bytes().to_vec());
        String::from_utf8(masked).unwrap()
    }

    #[test]
    fn a_secret_is_found_however_it_is_escaped() {
        let secret = "pä/s&w+r\"d\\%41 <𝄞>";
        for written in [
            secret.to_owned(),
            serde_json::to_string(secret)
                .unwrap()
                .trim_matches('"')
                .to_owned(),
            // As other libraries do: slashes, HTML, everything but ASCII.
            r#"pä\/s&w+r\"d\\%41 <𝄞>"#.to_owned(),
            r"p\u00e4/s\u0026w\u002br\u0022d\u005c%41 \u003c\ud834\uDD1E\u003e".to_owned(),
            "p%C3%A4%2Fs%26w%2Br%22d%5C%2541%20%3C%F0%9D%84%9E%3E".to_owned(),
            "p%c3%a4/s%26w%2br%22d%5c%2541+%3c%f0%9d%84%9e%3e".to_owned(),
            "p&#228;/s&amp;w+r&quot;d\\%41 &lt;&#x1D11E;&gt;".to_owned(),
            // JSON in a string of JSON, and a URL in JSON.
            r#"p\\u00e4\\/s&w+r\\\"d\\\\%41 <𝄞>"#.to_owned(),
            r"p%C3%A4\/s%26w%2Br%22d%5C%2541%20%3C%F0%9D%84%9E%3E".to_owned(),
            "p\\u00e4/s&amp;w+r&#34;d\\\\%41 &lt;𝄞&gt;".to_owned(),
        ] {
            let text = format!("{{\"reason\": \"no {written}!\", \"x\\n\": 1}}");
            let expected = "{\"reason\": \"no ***!\", \"x\\n\": 1}";
            assert_eq!(mask(secret, &text), expected, "{written}");
        }
        let all = r"\u0061\u0062\u0063\u0064\u0065\u0066\u0067\u0068";
        assert_eq!(mask("abcdefgh", &format!("[\"{all}\"]")), "[\"***\"]");
    }

    #[test]
    fn a_secret_is_found_inside_of_what_is_encoded_in_base64_or_hexadecimal() {
        for (text, masked) in [
            ("aHVudGVyMjI=", "***I="),
            ("b3BlOmh1bnRlcjIy", "b3BlOm***"),
            ("68756e7465723232", "***"),
            ("68756E7465723232", "***"),
        ] {
            assert_eq!(mask("hunter22", text), masked);
        }
        for before in ["", "a", "ab", "abc", "user:"] {
            for after in ["", "z", "zy", "zyx"] {
                let text = base64(format!("{before}hunter22{after}").as_bytes(), 0);
                let masked = mask("hunter22", &text);
                assert!(masked.contains("***"), "{text}");
                let rest = masked.len() - "***".len() + "hunter22".len() * 8 / 6 - 1;
                assert!(rest <= text.len(), "{text} {masked}");
            }
        }
        // The alphabet of URLs.
        let secret = "??>>??>>";
        assert_eq!(base64(secret.as_bytes(), 0), "Pz8+Pj8/Pj");
        assert_eq!(mask(secret, "x=Pz8-Pj8_Pj4"), "x=***4");
    }

    #[test]
    fn what_is_no_secret_stays_as_it_is() {
        let unchanged = |secret: &str, text: &str| assert_eq!(mask(secret, text), text);
        unchanged("short", "short");
        unchanged("hunter22", "");
        for text in [
            "\\",
            "\\u",
            "\\u12",
            "\\ud834",
            "\\ud834\\u0041",
            "%",
            "%4",
            "%zz",
            "%+1",
            "&",
            "&;",
            "&#;",
            "&#x;",
            "&#xd800;",
            "&#99999999;",
            "&nbsp;",
            "hunter2%2",
            "a & b; c",
        ] {
            unchanged("hunter22", text);
        }
        let nothing = Mask::of([], []);
        assert_eq!(nothing.apply(b"a\\u0026".to_vec()), b"a\\u0026");
        let bytes = b"\xff hunter22 \xfe%".to_vec();
        assert_eq!(Mask::of(["hunter22"], []).apply(bytes), b"\xff *** \xfe%");
    }

    #[test]
    fn secrets_beside_and_inside_each_other_are_masked_once() {
        let mask = Mask::of(["secret", "secret-and-more"], ["c2VudCBpdA=="]);
        let masked = mask.apply(b"a secret-and-more, secretsecret, c2VudCBpdA==".to_vec());
        assert_eq!(masked, b"a ***, ******, ***");
    }
}
