//! Ways of reading a name: what looks alike, or was written by another program, may be the same name.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use unicode_normalization::{is_nfc, UnicodeNormalization};

/// How a name is read. Each reading looks through what the ones before it do, and something more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// To the letter.
    AsIs,
    /// In Unicode's composed form: macOS decomposes the names of files.
    Composed,
    /// With the percent-encoding of URLs taken back.
    Decoded,
    /// Without regard to letter case.
    Caseless,
    /// With `_` for blanks; of names of media without the query of a URL.
    Loose,
}

/// All readings, the strictest first.
pub(super) const READINGS: [Reading; 5] = [
    Reading::AsIs,
    Reading::Composed,
    Reading::Decoded,
    Reading::Caseless,
    Reading::Loose,
];

impl Reading {
    /// A name in this reading.
    pub fn of(self, name: &str) -> Cow<'_, str> {
        match self {
            Self::AsIs => Cow::Borrowed(name),
            Self::Composed => composed(Cow::Borrowed(name)),
            Self::Decoded => composed(decoded(name)),
            Self::Caseless => caseless(Self::Decoded.of(name)),
            Self::Loose => match Self::Caseless.of(name) {
                name if name.contains(' ') => Cow::Owned(name.replace(' ', "_")),
                name => name,
            },
        }
    }

    /// The path that a medium's name is in this reading: its parts with `/` between them.
    pub fn path(self, name: &str) -> Cow<'_, str> {
        let name = match self {
            Self::Loose => without_query(name),
            _ => name,
        };
        match self.of(name) {
            Cow::Borrowed(name) => joined(name),
            Cow::Owned(name) => Cow::Owned(joined(&name).into_owned()),
        }
    }
}

fn composed(name: Cow<'_, str>) -> Cow<'_, str> {
    if name.is_ascii() || is_nfc(&name) {
        name
    } else {
        Cow::Owned(name.nfc().collect())
    }
}

/// Bytes that are not UTF-8 once decoded were not encoded.
fn decoded(name: &str) -> Cow<'_, str> {
    if !name.contains('%') {
        return Cow::Borrowed(name);
    }
    percent_decode_str(name).decode_utf8().unwrap_or(Cow::Borrowed(name))
}

fn caseless(name: Cow<'_, str>) -> Cow<'_, str> {
    if name.chars().any(char::is_uppercase) {
        composed(Cow::Owned(name.to_lowercase()))
    } else {
        name
    }
}

/// What a URL with a query names: the file that `?d=` gives, as Label Studio's local files do, else the path before it.
fn without_query(name: &str) -> &str {
    let Some((path, query)) = name.split_once('?') else {
        return name;
    };
    let file = query.split('&').find_map(|parameter| parameter.strip_prefix("d="));
    file.filter(|file| !file.is_empty()).unwrap_or(path)
}

fn joined(name: &str) -> Cow<'_, str> {
    let is_odd = |part: &str| part.is_empty() || part == ".";
    let name = name.trim_start_matches(['/', '\\']);
    if !name.contains('\\') && !name.split('/').any(is_odd) {
        return Cow::Borrowed(name);
    }
    let parts: Vec<&str> = name.split(['/', '\\']).filter(|part| !is_odd(part)).collect();
    Cow::Owned(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reading_looks_through_something_more() {
        for (reading, one, other) in [
            (Reading::Composed, "Cafe\u{301}.jpg", "Caf\u{e9}.jpg"),
            (Reading::Decoded, "my%20photo%20%281%29.jpg", "my photo (1).jpg"),
            (Reading::Decoded, "Caf%65%CC%81.jpg", "Caf\u{e9}.jpg"),
            (Reading::Caseless, "IMG_0007.MOV", "img_0007.mov"),
            (Reading::Caseless, "\u{130}x.jpg", "i\u{307}x.jpg"),
            (Reading::Loose, "Left Eye", "left_eye"),
        ] {
            let index = READINGS.iter().position(|known| *known == reading);
            for (at, reading) in READINGS.iter().enumerate() {
                let alike = reading.of(one) == reading.of(other);
                assert_eq!(Some(alike), index.map(|index| at >= index), "{reading:?} {one} {other}");
            }
        }
    }

    #[test]
    fn text_that_only_looks_encoded_stays() {
        assert_eq!(Reading::Decoded.of("100%.jpg"), "100%.jpg");
        assert_eq!(Reading::Decoded.of("%FF.jpg"), "%FF.jpg");
    }

    #[test]
    fn a_path_is_its_parts() {
        assert_eq!(Reading::AsIs.path(r"C:\data\.\a.jpg"), "C:/data/a.jpg");
        assert_eq!(Reading::AsIs.path("./data//a.jpg"), "data/a.jpg");
        assert_eq!(Reading::Decoded.path("data%2Fa.jpg"), "data/a.jpg");
    }

    #[test]
    fn a_query_is_looked_through_last() {
        assert_eq!(Reading::Loose.path("/data/local-files/?d=set%2FA b.jpg"), "set/a_b.jpg");
        assert_eq!(Reading::Loose.path("https://h/b/a.jpg?sig=x/y"), "https:/h/b/a.jpg");
        assert_eq!(Reading::Caseless.path("b/a.jpg?d="), "b/a.jpg?d=");
        assert_eq!(Reading::Loose.path("b/a.jpg?d="), "b/a.jpg");
    }
}
