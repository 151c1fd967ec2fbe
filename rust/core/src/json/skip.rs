//! Passing over JSON values of any size: with all checks, or by brackets alone.

use memchr::memchr2;

use super::scanner::{bad, starts_number, Scan, Scanner};

/// Deepest nesting inside one skipped value: one bit of a `u128` each.
const MAX_DEPTH: u32 = 128;

#[derive(Clone, Copy, Default)]
enum Expect {
    #[default]
    Value,
    FirstItem,
    FirstKey,
    Key,
    Comma,
    Done,
}

/// Consumes one value of any size and depth up to a limit, token by token: after [`Stop::Incomplete`] it goes on where
/// the scanner stands, so that nothing but one token has to fit into the window.
#[derive(Default)]
pub(super) struct Skip {
    depth: u32,
    /// Bit `n` is set when the container at depth `n` is an object.
    objects: u128,
    expect: Expect,
}

impl Skip {
    /// Consumes up to the value's end.
    pub fn run(&mut self, scanner: &mut Scanner<'_>) -> Scan<()> {
        while !matches!(self.expect, Expect::Done) {
            let mark = scanner.at;
            self.token(scanner).inspect_err(|_| scanner.at = mark)?;
        }
        Ok(())
    }

    fn token(&mut self, scanner: &mut Scanner<'_>) -> Scan<()> {
        let byte = scanner.peek()?;
        match (self.expect, byte) {
            (Expect::FirstItem, b']') | (Expect::FirstKey, b'}') => self.close(scanner),
            (Expect::Comma, b',') => {
                scanner.at += 1;
                self.expect = if self.in_object() { Expect::Key } else { Expect::Value };
            }
            (Expect::Comma, b'}') if self.in_object() => self.close(scanner),
            (Expect::Comma, b']') if !self.in_object() => self.close(scanner),
            (Expect::Comma, _) => return bad(scanner.at, "expected `,` or the end of the list or object"),
            (Expect::Key | Expect::FirstKey, b'"') => {
                scanner.string()?;
                scanner.expect(b':', "expected `:` after a key")?;
                self.expect = Expect::Value;
            }
            (Expect::Key | Expect::FirstKey, _) => return bad(scanner.at, "expected a key in double quotes"),
            (_, b'{' | b'[') => {
                if self.depth == MAX_DEPTH {
                    return bad(scanner.at, "values are nested more than 128 deep; predictions are not");
                }
                scanner.at += 1;
                let bit = 1u128 << self.depth;
                let object = byte == b'{';
                self.objects = if object {
                    self.objects | bit
                } else {
                    self.objects & !bit
                };
                self.depth += 1;
                self.expect = if object { Expect::FirstKey } else { Expect::FirstItem };
            }
            (_, byte) => {
                match byte {
                    b'"' => drop(scanner.string()?),
                    b't' => scanner.word(b"true")?,
                    b'f' => scanner.word(b"false")?,
                    b'n' => scanner.word(b"null")?,
                    byte if starts_number(byte) => drop(scanner.number()?),
                    _ => return bad(scanner.at, "expected a JSON value"),
                }
                self.after_value();
            }
        }
        Ok(())
    }

    fn in_object(&self) -> bool {
        self.depth > 0 && self.objects >> (self.depth - 1) & 1 == 1
    }

    fn close(&mut self, scanner: &mut Scanner<'_>) {
        scanner.at += 1;
        self.depth -= 1;
        self.after_value();
    }

    fn after_value(&mut self) {
        self.expect = if self.depth == 0 { Expect::Done } else { Expect::Comma };
    }
}

impl Scanner<'_> {
    /// Consumes the next value whatever it is, checking its grammar.
    #[inline]
    pub fn skip(&mut self) -> Scan<()> {
        match self.peek()? {
            byte if starts_number(byte) => self.number().map(drop),
            b'"' => self.string().map(drop),
            _ => Skip::default().run(self),
        }
    }
}

/// Runs over one list or object by its brackets and strings alone, several times as fast as [`Skip`]: for text that is
/// going to be read again with all checks.
#[derive(Default)]
pub(super) struct Hop {
    depth: u64,
    in_string: bool,
}

impl Hop {
    /// Runs up to the value's end; goes on where the scanner stands after [`Stop::Incomplete`].
    pub fn run(&mut self, scanner: &mut Scanner<'_>) -> Scan<()> {
        loop {
            let rest = &scanner.text[scanner.at..];
            let found = if self.in_string {
                memchr2(b'"', b'\\', rest)
            } else {
                rest.iter().position(|&byte| BRACKET_OR_QUOTE[byte as usize])
            };
            let Some(found) = found else {
                scanner.at = scanner.text.len();
                return scanner.end();
            };
            let after = scanner.at + found + 1;
            match rest[found] {
                b'"' => self.in_string = !self.in_string,
                b'\\' if after == scanner.text.len() => {
                    scanner.at = after - 1;
                    return scanner.end();
                }
                b'\\' => scanner.at += 1,
                b'[' | b'{' => self.depth += 1,
                _ => self.depth = self.depth.saturating_sub(1),
            }
            scanner.at += found + 1;
            if self.depth == 0 {
                return Ok(());
            }
        }
    }
}

const BRACKET_OR_QUOTE: [bool; 256] = {
    let mut table = [false; 256];
    let mut i = 0;
    while i < 5 {
        table[b"\"[]{}"[i] as usize] = true;
        i += 1;
    }
    table
};
