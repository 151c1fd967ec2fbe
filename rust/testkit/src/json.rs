//! JSON read the slow way, into a tree: for what the COCO reader must make of any text.
//!
//! As Python reads it: `NaN`, `Infinity` and `-Infinity` are numbers, and half a surrogate pair is a character (here
//! U+FFFD).

/// A value; objects keep their keys' order and repetitions, numbers their text.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number as it is written.
    Number(String),
    /// A string, escapes resolved.
    Text(String),
    /// A list.
    List(Vec<Json>),
    /// An object.
    Object(Vec<(String, Json)>),
}

/// Why a text is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not JSON.
    Grammar,
    /// It is nested deeper than [`MAX_DEPTH`], or stops being JSON there.
    Deep,
}

/// Deepest nesting that is read; less than any reader's own limit.
pub const MAX_DEPTH: usize = 100;

/// Reads a text that holds one value and nothing else.
pub fn parse(text: &[u8]) -> Result<Json, Fault> {
    let mut parser = Parser { text, at: 0 };
    let value = parser.value(0)?;
    match parser.peek() {
        None => Ok(value),
        Some(_) => Err(Fault::Grammar),
    }
}

impl Json {
    /// The value of the last of the keys `name`; null if there is none.
    pub fn get(&self, name: &str) -> &Json {
        let Self::Object(fields) = self else { return &Self::Null };
        let found = fields.iter().rev().find(|(key, _)| key == name);
        found.map_or(&Self::Null, |(_, value)| value)
    }
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
}

impl Parser<'_> {
    /// The next byte behind white space.
    fn peek(&mut self) -> Option<u8> {
        while self.text.get(self.at).is_some_and(|byte| b" \n\r\t".contains(byte)) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    fn take(&mut self, wanted: &[u8]) -> Result<(), Fault> {
        if !self.text[self.at..].starts_with(wanted) {
            return Err(Fault::Grammar);
        }
        self.at += wanted.len();
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<Json, Fault> {
        if depth > MAX_DEPTH {
            return Err(Fault::Deep);
        }
        match self.peek().ok_or(Fault::Grammar)? {
            b'n' => self.take(b"null").map(|()| Json::Null),
            b't' => self.take(b"true").map(|()| Json::Bool(true)),
            b'f' => self.take(b"false").map(|()| Json::Bool(false)),
            b'"' => self.string().map(Json::Text),
            b'[' => {
                let mut items = Vec::new();
                self.items(b']', |parser| parser.value(depth + 1).map(|item| items.push(item)))?;
                Ok(Json::List(items))
            }
            b'{' => {
                let mut fields = Vec::new();
                self.items(b'}', |parser| {
                    parser.peek();
                    let key = parser.string()?;
                    parser.peek();
                    parser.take(b":")?;
                    parser.value(depth + 1).map(|value| fields.push((key, value)))
                })?;
                Ok(Json::Object(fields))
            }
            _ => self.number(),
        }
    }

    /// Reads what stands between an opening bracket and `close`, separated by commas.
    fn items(&mut self, close: u8, mut item: impl FnMut(&mut Self) -> Result<(), Fault>) -> Result<(), Fault> {
        self.at += 1;
        if self.peek() == Some(close) {
            self.at += 1;
            return Ok(());
        }
        loop {
            item(self)?;
            let after = self.peek();
            self.at += 1;
            match after {
                Some(b',') => {}
                Some(byte) if byte == close => return Ok(()),
                _ => return Err(Fault::Grammar),
            }
        }
    }

    fn number(&mut self) -> Result<Json, Fault> {
        let start = self.at;
        let _ = self.take(b"-");
        let word = match self.text.get(self.at) {
            Some(b'I') => &b"Infinity"[..],
            Some(b'N') if self.at == start => b"NaN",
            _ => b"",
        };
        if word.is_empty() {
            let leading_zero = self.text.get(self.at) == Some(&b'0');
            if self.digits()? > 1 && leading_zero {
                return Err(Fault::Grammar);
            }
            if self.take(b".").is_ok() {
                self.digits()?;
            }
            if self.take(b"e").or_else(|_| self.take(b"E")).is_ok() {
                let _ = self.take(b"+").or_else(|_| self.take(b"-"));
                self.digits()?;
            }
        } else {
            self.take(word)?;
        }
        let text = self.text[start..self.at].iter().map(|&byte| char::from(byte));
        Ok(Json::Number(text.collect()))
    }

    fn digits(&mut self) -> Result<usize, Fault> {
        let rest = &self.text[self.at..];
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += digits;
        if digits == 0 {
            return Err(Fault::Grammar);
        }
        Ok(digits)
    }

    fn string(&mut self) -> Result<String, Fault> {
        self.take(b"\"")?;
        // As UTF-16, in which escapes are written: halves of pairs that stand side by side come together by themselves.
        let mut units: Vec<u16> = Vec::new();
        loop {
            let rest = &self.text[self.at..];
            match rest.first().ok_or(Fault::Grammar)? {
                b'"' => {
                    self.at += 1;
                    let characters = char::decode_utf16(units);
                    let known = characters.map(|found| found.unwrap_or(char::REPLACEMENT_CHARACTER));
                    return Ok(known.collect());
                }
                b'\\' => {
                    let kind = *rest.get(1).ok_or(Fault::Grammar)?;
                    self.at += 2;
                    units.push(match kind {
                        b'"' | b'\\' | b'/' => u16::from(kind),
                        b'b' => 8,
                        b'f' => 12,
                        b'n' => 10,
                        b'r' => 13,
                        b't' => 9,
                        b'u' => self.code_unit()?,
                        _ => return Err(Fault::Grammar),
                    });
                }
                0..0x20 => return Err(Fault::Grammar),
                _ => {
                    let longest = rest.len().min(4);
                    let text = (1..=longest).find_map(|len| std::str::from_utf8(&rest[..len]).ok());
                    let text = text.ok_or(Fault::Grammar)?;
                    units.extend(text.encode_utf16());
                    self.at += text.len();
                }
            }
        }
    }

    fn code_unit(&mut self) -> Result<u16, Fault> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.text.get(self.at).and_then(|&byte| char::from(byte).to_digit(16));
            unit = unit * 16 + digit.ok_or(Fault::Grammar)? as u16;
            self.at += 1;
        }
        Ok(unit)
    }
}
