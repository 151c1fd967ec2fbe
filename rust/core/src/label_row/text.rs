//! Strings as Python's `json.dumps` writes them: ASCII only, everything else as `\uXXXX`, beyond the BMP in pairs.

use std::borrow::Cow;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends `value` as a JSON string, with its quotes.
pub fn push_string(out: &mut Vec<u8>, value: &str) {
    out.push(b'"');
    let mut rest = value;
    loop {
        let (plain, from) = rest.split_at(plain_bytes(rest.as_bytes()));
        out.extend_from_slice(plain.as_bytes());
        let mut characters = from.chars();
        match characters.next() {
            None => break,
            Some('"') => out.extend_from_slice(b"\\\""),
            Some('\\') => out.extend_from_slice(b"\\\\"),
            Some('\n') => out.extend_from_slice(b"\\n"),
            Some('\r') => out.extend_from_slice(b"\\r"),
            Some('\t') => out.extend_from_slice(b"\\t"),
            Some('\u{8}') => out.extend_from_slice(b"\\b"),
            Some('\u{c}') => out.extend_from_slice(b"\\f"),
            Some(other) => push_escape(out, other),
        }
        rest = characters.as_str();
    }
    out.push(b'"');
}

/// Bytes before the first character that has to be escaped. Run-length strings are thousands of bytes with few escapes:
/// sixteen are tested at once.
fn plain_bytes(bytes: &[u8]) -> usize {
    let plain = |byte: u8| matches!(byte, b' '..=b'~') & (byte != b'"') & (byte != b'\\');
    let mut at = 0;
    while let Some(chunk) = bytes[at..].first_chunk::<16>() {
        if !chunk.iter().fold(true, |all, &byte| all & plain(byte)) {
            break;
        }
        at += 16;
    }
    at + bytes[at..].iter().take_while(|&&byte| plain(byte)).count()
}

/// Appends JSON text as it stands, but in ASCII: characters beyond it occur in its strings only, where an escape means
/// the same.
pub fn push_json(out: &mut Vec<u8>, json: &str) {
    let mut done = 0;
    for (at, character) in json.char_indices().filter(|(_, character)| !character.is_ascii()) {
        out.extend_from_slice(&json.as_bytes()[done..at]);
        done = at + character.len_utf8();
        push_escape(out, character);
    }
    out.extend_from_slice(&json.as_bytes()[done..]);
}

fn push_escape(out: &mut Vec<u8>, character: char) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        let digit = |shift: u32| HEX[usize::from(*unit >> shift & 15)];
        out.extend_from_slice(&[b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]);
    }
}

/// The `value` of a label: its name in lower case, spaces replaced by `_`, nothing else.
pub fn lower_snake_case(name: &str) -> Cow<'_, str> {
    if name
        .bytes()
        .all(|b| b.is_ascii() && b != b' ' && !b.is_ascii_uppercase())
    {
        return Cow::Borrowed(name);
    }
    Cow::Owned(name.to_lowercase().replace(' ', "_"))
}

/// Appends members to an object's text.
pub(super) struct Members<'a>(pub &'a mut Vec<u8>);

impl Members<'_> {
    pub fn name(&mut self, name: &str) -> &mut Vec<u8> {
        if self.0.last().is_some_and(|&byte| byte != b'{') {
            self.0.push(b',');
        }
        push_string(self.0, name);
        self.0.push(b':');
        self.0
    }

    pub fn string(&mut self, name: &str, value: Option<&str>) {
        let out = self.name(name);
        match value {
            Some(value) => push_string(out, value),
            None => out.extend_from_slice(b"null"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn string(value: &str) -> String {
        let mut out = Vec::new();
        push_string(&mut out, value);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn escapes_what_python_escapes() {
        assert_eq!(
            string("a\"\\/\n\u{1}\u{7f}é𐐀"),
            r#""a\"\\/\n\u0001\u007f\u00e9\ud801\udc00""#
        );
        assert_eq!(string(""), "\"\"");
    }

    #[test]
    fn value_keeps_everything_but_case_and_spaces() {
        assert_eq!(lower_snake_case("Traffic  Light-2\tÉ"), "traffic__light-2\té");
        assert_eq!(lower_snake_case("plain"), "plain");
    }

    proptest! {
        #[test]
        fn strings_read_back(value: String) {
            let text = string(&value);
            prop_assert!(text.is_ascii());
            prop_assert_eq!(serde_json::from_str::<String>(&text).unwrap(), value);
        }

        #[test]
        fn json_keeps_its_meaning_in_ascii(value: String) {
            let json = serde_json::to_string(&[&value]).unwrap();
            let mut out = Vec::new();
            push_json(&mut out, &json);
            prop_assert!(out.is_ascii());
            prop_assert_eq!(serde_json::from_slice::<Vec<String>>(&out).unwrap(), vec![value]);
        }
    }
}
