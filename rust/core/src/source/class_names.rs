//! Names of numbered classes: from a file with one on each line, or from `names` of a YAML file, as YOLO's data.yaml has.

use std::collections::BTreeMap;
use std::path::PathBuf;

use saphyr_parser::{Event, Parser, ScanError, Span, StrInput};
use serde::Deserialize;

use super::SourceFile;
use crate::error::{Error, Result};

/// Where names of numbered classes come from, as options say it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Classes {
    /// A file, see [`ClassNames::read`].
    File(PathBuf),
    /// The names themselves, from number 0 on.
    Names(Vec<String>),
}

impl Classes {
    /// The names.
    ///
    /// # Errors
    /// As [`ClassNames::read`].
    pub fn names(&self) -> Result<ClassNames> {
        match self {
            Self::File(path) => ClassNames::read(&SourceFile::path(path)),
            Self::Names(names) => Ok(ClassNames::new(names.iter().cloned())),
        }
    }
}

/// Names by number; numbers may be missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassNames(BTreeMap<u64, String>);

impl ClassNames {
    /// Names from number 0 on.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        Self((0..).zip(names).collect())
    }

    /// Reads a file: `.yaml` and `.yml` have `names`, a list or a mapping of numbers; others have a name on each line.
    ///
    /// # Errors
    /// What reading a short file returns; [`Error::Plan`] for one that holds no such names, with the line.
    pub fn read(file: &SourceFile) -> Result<Self> {
        let text = file.read_short()?;
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(&text);
        let name = file.file_name().unwrap_or_default().to_ascii_lowercase();
        let names = match name.rsplit_once('.') {
            Some((_, "yaml" | "yml")) => in_yaml(text),
            _ => in_lines(text),
        };
        names
            .map(Self)
            .map_err(|problem| Error::Plan(format!("{}: {problem}", file.name())))
    }

    /// The name of a class.
    pub fn get(&self, number: u64) -> Option<&str> {
        self.0.get(&number).map(String::as_str)
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

type Named = std::result::Result<BTreeMap<u64, String>, Problem>;

/// What is wrong with a file of names, and where.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {message}")]
struct Problem {
    line: usize,
    message: String,
}

impl Problem {
    fn at(span: Span, message: impl Into<String>) -> Self {
        Self {
            line: span.start.line(),
            message: message.into(),
        }
    }
}

impl From<ScanError> for Problem {
    fn from(cause: ScanError) -> Self {
        Self {
            line: cause.marker().line(),
            message: format!("not valid YAML: {}", cause.info()),
        }
    }
}

fn in_lines(text: &str) -> Named {
    let names = text.trim_end().lines().map(str::trim);
    (0..)
        .zip(names)
        .map(|(number, name)| match name {
            "" => Err(Problem {
                line: number as usize + 1,
                message: format!("empty; expected the name of class {number}"),
            }),
            name => Ok((number, name.to_owned())),
        })
        .collect()
}

/// Events are looked at one by one: nothing is kept but the names, and no alias is followed.
fn in_yaml(text: &str) -> Named {
    let mut events = Events(Parser::new_from_str(text));
    let (event, span) = loop {
        match events.next()? {
            (Event::StreamStart | Event::DocumentStart(_), _) => {}
            found => break found,
        }
    };
    if !matches!(event, Event::MappingStart(..)) {
        return Err(Problem::at(span, "expected a mapping with the key `names`"));
    }
    loop {
        match events.next()? {
            (Event::MappingEnd, span) => return Err(Problem::at(span, "the file ends without the key `names`")),
            (Event::Scalar(key, ..), _) if key == "names" => return events.names(),
            (key, _) => events.skip(&key)?,
        }
        let (value, _) = events.next()?;
        events.skip(&value)?;
    }
}

struct Events<'a>(Parser<'a, StrInput<'a>>);

impl<'a> Events<'a> {
    fn next(&mut self) -> std::result::Result<(Event<'a>, Span), Problem> {
        let next = self.0.next().transpose()?;
        next.ok_or_else(|| Problem {
            line: 1,
            message: "the YAML ends too early".into(),
        })
    }

    /// Goes past the rest of what an event began.
    fn skip(&mut self, begun: &Event<'_>) -> std::result::Result<(), Problem> {
        let mut depth = depth_change(begun);
        while depth > 0 {
            depth += depth_change(&self.next()?.0);
        }
        Ok(())
    }

    fn names(&mut self) -> Named {
        let mut names = BTreeMap::new();
        match self.next()? {
            (Event::SequenceStart(..), _) => {
                for number in 0.. {
                    let (event, span) = self.next()?;
                    if matches!(event, Event::SequenceEnd) {
                        break;
                    }
                    names.insert(number, name(event, span)?);
                }
            }
            (Event::MappingStart(..), _) => loop {
                let (number, span) = match self.next()? {
                    (Event::MappingEnd, _) => break,
                    (key, span) => (number(&key, span)?, span),
                };
                let (event, value_span) = self.next()?;
                if names.insert(number, name(event, value_span)?).is_some() {
                    return Err(Problem::at(span, format!("class {number} is named twice")));
                }
            },
            (_, span) => {
                let expected = "`names` is neither a list nor a mapping of numbers; expected one of them";
                return Err(Problem::at(span, expected));
            }
        }
        Ok(names)
    }
}

fn depth_change(event: &Event<'_>) -> i64 {
    match event {
        Event::SequenceStart(..) | Event::MappingStart(..) => 1,
        Event::SequenceEnd | Event::MappingEnd => -1,
        _ => 0,
    }
}

fn name(event: Event<'_>, span: Span) -> std::result::Result<String, Problem> {
    match event {
        Event::Scalar(text, ..) if !text.is_empty() => Ok(text.into_owned()),
        _ => Err(Problem::at(span, "expected the name of a class")),
    }
}

fn number(event: &Event<'_>, span: Span) -> std::result::Result<u64, Problem> {
    let Event::Scalar(text, ..) = event else {
        return Err(Problem::at(span, "expected the number of a class"));
    };
    text.parse()
        .map_err(|_| Problem::at(span, format!("{text:?} is not the number of a class")))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;

    use super::*;

    fn read(suffix: &str, content: &[u8]) -> std::result::Result<Vec<(u64, String)>, String> {
        let mut file = tempfile::Builder::new()
            .suffix(suffix)
            .tempfile()
            .map_err(|e| e.to_string())?;
        file.write_all(content).map_err(|e| e.to_string())?;
        let path = file.path().display().to_string();
        let found =
            ClassNames::read(&SourceFile::path(file.path())).map_err(|e| e.to_string().replace(&path, "FILE"))?;
        Ok(found.0.into_iter().collect())
    }

    fn named(names: &[(u64, &str)]) -> std::result::Result<Vec<(u64, String)>, String> {
        Ok(names.iter().map(|&(number, name)| (number, name.to_owned())).collect())
    }

    #[test]
    fn a_name_on_each_line() {
        let expected = named(&[(0, "car"), (1, "fire hydrant"), (2, "Straße")]);
        assert_eq!(
            read(".names", "\u{FEFF}car\r\nfire hydrant \nStraße\n\n".as_bytes()),
            expected
        );
        assert_eq!(read(".txt", b""), named(&[]));
    }

    #[test]
    fn names_in_yaml() {
        let expected = named(&[(0, "car"), (1, "on: off"), (2, "no")]);
        for text in [
            "path: data\ntrain: [a, {b: c}]\nnames: [car, 'on: off', no]\nnc: 3\n",
            "names:\n  - car\n  - \"on: off\"\n  - no # a comment\n",
            "# ultralytics\nnames:\n  0: car\n  1: 'on: off'\n  2: no\nkpt_shape: [17, 3]\n",
            "names: {2: no, 0: car, 1: 'on: off'}\n",
            "---\n? [a, b]\n: x\nnames:\n- car\n- 'on: off'\n- no\n",
        ] {
            assert_eq!(read(".yaml", text.as_bytes()), expected, "{text}");
        }
        assert_eq!(read(".YML", b"names: {7: x}"), named(&[(7, "x")]));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (suffix, text, expected) in [
            (
                ".txt",
                &b"car\n\nbus\n"[..],
                "FILE: line 2: empty; expected the name of class 1",
            ),
            (".txt", b"car\xFF", "FILE: byte 3: the text is not UTF-8"),
            (
                ".yaml",
                b"- car\n",
                "FILE: line 1: expected a mapping with the key `names`",
            ),
            (
                ".yaml",
                b"nc: 3\n",
                "FILE: line 2: the file ends without the key `names`",
            ),
            (
                ".yaml",
                b"names: car\n",
                "FILE: line 1: `names` is neither a list nor a mapping of numbers; expected one of them",
            ),
            (
                ".yaml",
                b"names:\n  - car\n  - [bus]\n",
                "FILE: line 3: expected the name of a class",
            ),
            (
                ".yaml",
                b"names:\n  a: car\n",
                "FILE: line 2: \"a\" is not the number of a class",
            ),
            (
                ".yaml",
                b"names:\n  1: car\n  1: bus\n",
                "FILE: line 3: class 1 is named twice",
            ),
            (
                ".yaml",
                b"a: &a car\nnames:\n  - *a\n",
                "FILE: line 3: expected the name of a class",
            ),
        ] {
            assert_eq!(read(suffix, text), Err(expected.to_owned()));
        }
        assert!(read(".yaml", b"names: [car").is_err_and(|message| message.contains("not valid YAML")));
    }

    #[test]
    fn given_names_count_from_0() {
        let names = ClassNames::new(["car".to_owned(), "bus".to_owned()]);
        assert_eq!((names.get(1), names.get(2), names.len()), (Some("bus"), None, 2));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[\\[\\]{}:,&*!|>'\"%@`#?\\-\n\t a0names]{0,60}") {
            let _ = in_yaml(&text);
            let _ = in_yaml(&format!("names:\n{text}"));
        }
    }
}
