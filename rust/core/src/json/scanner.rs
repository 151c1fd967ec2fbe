//! A pull scanner for JSON over a window of a file that may end anywhere.
//!
//! The scanner checks the grammar of RFC 8259 and UTF-8, and takes Python's `NaN`, `Infinity` and `-Infinity` as numbers.
//! Where the window ends before the token does, it says [`Stop::Incomplete`]; the caller reads more and scans the item
//! again, so that a result never depends on how the file was cut.

use super::digits::{self, CHUNK_BYTES};
use super::number::{Number, EXACT, TENS};
use crate::source::BYTE_ORDER_MARK;

/// Why scanning stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The window ends inside a token and the file goes on.
    Incomplete,
    /// The byte at `at` of the window does not fit.
    Bad { at: usize, message: &'static str },
}

/// Result of scanning.
pub(crate) type Scan<T> = Result<T, Stop>;

/// Content of a string, without its quotes, as a range of the window; checked, escapes not yet resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Text {
    pub start: usize,
    pub end: usize,
    pub escaped: bool,
}

/// Decimal digits that always fit into the `u64` mantissa.
const MANTISSA_DIGITS: usize = 19;

/// A position in a window.
pub(crate) struct Scanner<'a> {
    pub(super) text: &'a [u8],
    /// Next byte to read.
    pub at: usize,
    eof: bool,
}

impl<'a> Scanner<'a> {
    /// Scans `text` from `at`; `eof` says that the file ends where `text` ends.
    pub fn new(text: &'a [u8], at: usize, eof: bool) -> Self {
        Self { text, at, eof }
    }

    /// The bytes from `start` to the current position.
    pub fn since(&self, start: usize) -> &'a [u8] {
        &self.text[start..self.at]
    }

    /// The next bytes, as long as there are so many in the window.
    #[inline]
    pub fn ahead<const N: usize>(&self) -> Option<&'a [u8; N]> {
        self.text.get(self.at..)?.first_chunk()
    }

    /// The content of a string.
    pub fn slice(&self, text: Text) -> &'a [u8] {
        &self.text[text.start..text.end]
    }

    /// What to say where the window ends.
    pub(super) fn end<T>(&self) -> Scan<T> {
        if self.eof {
            bad(
                self.text.len(),
                "the file ends inside the JSON; it was cut, write it again",
            )
        } else {
            Err(Stop::Incomplete)
        }
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.text.get(self.at) {
            self.at += 1;
        }
    }

    /// The next byte that is not white space, not consumed.
    #[inline]
    pub fn peek(&mut self) -> Scan<u8> {
        if let Some(&byte) = self.text.get(self.at) {
            if byte > b' ' {
                return Ok(byte);
            }
        }
        self.peek_behind_space()
    }

    fn peek_behind_space(&mut self) -> Scan<u8> {
        self.space();
        match self.text.get(self.at) {
            Some(&byte) => Ok(byte),
            None => self.end(),
        }
    }

    /// Consumes a byte order mark.
    pub fn skip_mark(&mut self) -> Scan<()> {
        let found = &self.text[self.at..self.text.len().min(self.at + BYTE_ORDER_MARK.len())];
        if found == BYTE_ORDER_MARK {
            self.at += BYTE_ORDER_MARK.len();
        } else if BYTE_ORDER_MARK.starts_with(found) && !self.eof {
            return Err(Stop::Incomplete);
        }
        Ok(())
    }

    /// Whether nothing but white space is left.
    pub fn at_end(&mut self) -> Scan<bool> {
        self.space();
        match self.text.get(self.at) {
            Some(_) => Ok(false),
            None if self.eof => Ok(true),
            None => Err(Stop::Incomplete),
        }
    }

    /// Consumes `byte`, white space before it included.
    #[inline]
    pub fn expect(&mut self, byte: u8, message: &'static str) -> Scan<()> {
        if self.peek()? != byte {
            return bad(self.at, message);
        }
        self.at += 1;
        Ok(())
    }

    /// Moves to the next item of a list whose `[` is consumed; false at its `]`.
    #[inline]
    pub fn next_item(&mut self, first: &mut bool) -> Scan<bool> {
        if let (false, Some([b',', b' ', next])) = (*first, self.ahead()) {
            if *next > b' ' && *next != b']' {
                self.at += 2;
                return Ok(true);
            }
        }
        self.next_item_anyhow(first)
    }

    fn next_item_anyhow(&mut self, first: &mut bool) -> Scan<bool> {
        let byte = self.peek()?;
        if byte == b']' {
            self.at += 1;
            return Ok(false);
        }
        if !std::mem::take(first) {
            if byte != b',' {
                return bad(self.at, "expected `,` or `]`");
            }
            self.at += 1;
            if self.peek()? == b']' {
                return bad(self.at, "expected a value after `,`");
            }
        }
        Ok(true)
    }

    /// Moves to the value of the next key of an object whose `{` is consumed; none at its `}`.
    #[inline]
    pub fn next_key(&mut self, first: &mut bool) -> Scan<Option<Text>> {
        let mut byte = self.peek()?;
        if byte == b'}' {
            self.at += 1;
            return Ok(None);
        }
        if !std::mem::take(first) {
            if byte != b',' {
                return bad(self.at, "expected `,` or `}`");
            }
            self.at += 1;
            byte = self.peek()?;
        }
        if byte != b'"' {
            return bad(self.at, "expected a key in double quotes");
        }
        let key = self.string()?;
        self.expect(b':', "expected `:` after a key")?;
        Ok(Some(key))
    }

    /// Reads a string; the current byte is its opening quote.
    pub fn string(&mut self) -> Scan<Text> {
        let start = self.at + 1;
        let mut at = start;
        let (mut escaped, mut ascii) = (false, true);
        loop {
            at += plain_bytes(&self.text[at..]);
            match self.text.get(at) {
                None => return self.end(),
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    at += self.escape(at)?;
                }
                Some(0..0x20) => return bad(at, "a control character is in a string; expected an escape such as \\n"),
                Some(&byte) => {
                    ascii &= byte < 0x80;
                    at += 1;
                }
            }
        }
        if !ascii {
            if let Err(cause) = std::str::from_utf8(&self.text[start..at]) {
                return bad(
                    start + cause.valid_up_to(),
                    "the text is not UTF-8; write the file as UTF-8",
                );
            }
        }
        self.at = at + 1;
        Ok(Text {
            start,
            end: at,
            escaped,
        })
    }

    /// Length of the escape at `at`.
    fn escape(&self, at: usize) -> Scan<usize> {
        match self.text.get(at + 1) {
            None => self.end(),
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(2),
            Some(b'u') => {
                let digits = &self.text[at + 2..self.text.len().min(at + 6)];
                if !digits.iter().all(u8::is_ascii_hexdigit) {
                    return bad(at, "\\u is not followed by four hexadecimal digits");
                }
                if digits.len() < 4 {
                    return self.end();
                }
                Ok(6)
            }
            Some(_) => bad(
                at,
                "unknown escape; expected one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u",
            ),
        }
    }

    /// Reads a number; the current byte is `-`, a digit, `N` or `I`.
    #[inline]
    pub fn number(&mut self) -> Scan<Number> {
        if let Some((number, len)) = self.ahead::<CHUNK_BYTES>().and_then(digits::short) {
            self.at += len;
            return Ok(number);
        }
        self.any_number()
    }

    /// Reads the number that stands here if it is short and not negative.
    #[inline(always)]
    pub fn tiny_number(&mut self) -> Option<Number> {
        let (number, len) = self.ahead::<CHUNK_BYTES>().and_then(digits::tiny)?;
        self.at += len;
        Some(number)
    }

    /// Consumes the number that stands here if it is not negative and ends soon; false where that is not so.
    #[inline]
    pub fn skip_short_number(&mut self) -> bool {
        let len = self.ahead().and_then(digits::len);
        self.at += len.unwrap_or(0);
        len.is_some()
    }

    /// Reads numbers of a list, the first of which stands here, as long as they are short and stand with `, ` between them; what follows the last one is left to [`Self::next_item`].
    #[inline]
    pub fn plain_numbers(&mut self, mut take: impl FnMut(f64)) {
        let mut end = self.at;
        while let Some((ahead, (number, len))) = self.ahead::<CHUNK_BYTES>().and_then(|a| Some((a, digits::short(a)?)))
        {
            take(number.as_f64());
            end = self.at + len;
            match ahead.get(len..len + 3) {
                Some([b',', b' ', b'0'..=b'9' | b'-']) => self.at = end + 2,
                _ => break,
            }
        }
        self.at = end;
    }

    /// Reads a number of any length, byte by byte.
    pub(super) fn any_number(&mut self) -> Scan<Number> {
        let start = self.at;
        let negative = self.text.get(start) == Some(&b'-');
        let mut mantissa = 0u64;
        let whole = start + usize::from(negative);
        let mut at = self.digits(whole, &mut mantissa);
        let mut digits = at - whole;
        if digits == 0 {
            return self.not_a_number(whole, negative);
        }
        if digits > 1 && self.text[whole] == b'0' {
            return bad(whole, "a number starts with 0; expected no leading zero");
        }
        let mut fraction = 0;
        if self.text.get(at) == Some(&b'.') {
            let point = at;
            at = self.digits(point + 1, &mut mantissa);
            fraction = at - point - 1;
            if fraction == 0 {
                return self.wanting(at, "expected a digit after the decimal point");
            }
            digits += fraction;
        }
        let exponent = matches!(self.text.get(at), Some(b'e' | b'E'));
        if exponent {
            at += 1;
            at += usize::from(matches!(self.text.get(at), Some(b'+' | b'-')));
            let end = self.digits(at, &mut 0);
            if end == at {
                return self.wanting(at, "expected a digit in the exponent");
            }
            at = end;
        }
        if at == self.text.len() && !self.eof {
            return Err(Stop::Incomplete);
        }
        self.at = at;
        let short = digits <= MANTISSA_DIGITS;
        if fraction == 0 && !exponent {
            if short && mantissa <= i64::MAX as u64 {
                let value = mantissa as i64;
                return Ok(Number::Int(if negative { -value } else { value }));
            }
            return Ok(Number::Big(self.slow_float(start)));
        }
        if short && !exponent && mantissa <= EXACT && fraction < TENS.len() {
            let value = mantissa as f64 / TENS[fraction];
            return Ok(Number::Float(if negative { -value } else { value }));
        }
        Ok(Number::Float(self.slow_float(start)))
    }

    fn digits(&self, mut at: usize, mantissa: &mut u64) -> usize {
        while let Some(digit @ b'0'..=b'9') = self.text.get(at) {
            *mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            at += 1;
        }
        at
    }

    /// The number from `start` on, whose grammar is checked; its magnitude may round to infinity.
    fn slow_float(&self, start: usize) -> f64 {
        fast_float2::parse(self.since(start)).unwrap_or(f64::NAN)
    }

    fn not_a_number(&mut self, at: usize, negative: bool) -> Scan<Number> {
        let (value, word) = match self.text.get(at) {
            Some(b'I') => (f64::INFINITY, &b"Infinity"[..]),
            Some(b'N') if !negative => (f64::NAN, &b"NaN"[..]),
            _ => return self.wanting(at, "expected a number"),
        };
        self.at = at;
        self.word(word)?;
        Ok(Number::Float(if negative { -value } else { value }))
    }

    fn wanting<T>(&self, at: usize, message: &'static str) -> Scan<T> {
        if at >= self.text.len() {
            return self.end();
        }
        bad(at, message)
    }

    /// Consumes a literal such as `null`.
    pub fn word(&mut self, word: &[u8]) -> Scan<()> {
        let found = &self.text[self.at..self.text.len().min(self.at + word.len())];
        if let Some(differs) = found.iter().zip(word).position(|(a, b)| a != b) {
            return bad(self.at + differs, "expected a JSON value");
        }
        if found.len() < word.len() {
            return self.end();
        }
        self.at += word.len();
        Ok(())
    }

    /// Consumes `null` if the next value is one.
    #[inline]
    pub fn null(&mut self) -> Scan<bool> {
        if self.peek()? != b'n' {
            return Ok(false);
        }
        self.word(b"null")?;
        Ok(true)
    }
}

/// An error at `at` of the window.
pub(crate) fn bad<T>(at: usize, message: &'static str) -> Scan<T> {
    Err(Stop::Bad { at, message })
}

/// Checks that the text ends here.
pub(crate) fn only_space(scanner: &mut Scanner<'_>) -> Scan<()> {
    if scanner.at_end()? {
        Ok(())
    } else {
        bad(scanner.at, "something follows the end of the JSON; remove it")
    }
}

/// Whether a byte starts a number, Python's words included.
pub(crate) fn starts_number(byte: u8) -> bool {
    matches!(byte, b'-' | b'0'..=b'9' | b'N' | b'I')
}

/// Bytes up to the first quote, backslash, control character or byte beyond ASCII, eight at a time; the last few bytes
/// of the window are left to the caller.
#[inline]
fn plain_bytes(text: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    // Lowest marked byte is exact; bytes above it may be marked by a borrow.
    let zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let mut at = 0;
    while let Some(chunk) = text[at..].first_chunk::<8>() {
        let word = u64::from_le_bytes(*chunk);
        let quote = zero(word ^ (ONES * u64::from(b'"')));
        let backslash = zero(word ^ (ONES * u64::from(b'\\')));
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let marked = (quote | backslash | control | word) & HIGH;
        if marked != 0 {
            return at + marked.trailing_zeros() as usize / 8;
        }
        at += 8;
        if at == 16 {
            at += long_plain_bytes(&text[at..]);
        }
    }
    at
}

/// The same by pieces of 32 bytes, which the compiler tests at once: a mask's run lengths are thousands of bytes.
fn long_plain_bytes(text: &[u8]) -> usize {
    let plain = |&byte: &u8| (byte != b'"') & (byte != b'\\') & (0x20..0x80).contains(&byte);
    let mut at = 0;
    while let Some(piece) = text[at..].first_chunk::<32>() {
        if !piece.iter().fold(true, |all, byte| all & plain(byte)) {
            break;
        }
        at += 32;
    }
    at
}

#[cfg(test)]
#[path = "scanner_tests.rs"]
mod tests;
