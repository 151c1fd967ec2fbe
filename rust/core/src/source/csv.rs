//! Records of CSV as RFC 4180 has it: cells between commas, in quotes where they hold commas, quotes or line breaks.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

use super::input::BYTE_ORDER_MARK;

/// Finds where a record ends, of which more and more is there.
#[derive(Debug, Default)]
pub(super) struct RecordEnd {
    searched: usize,
    in_quotes: bool,
    /// Where the last quote closed: one right behind it is a quote in the cell.
    closed_at: Option<usize>,
}

impl RecordEnd {
    /// The line break that ends a record, of which `text` is all that is there; none where more is needed.
    pub fn find(&mut self, text: &[u8]) -> Option<usize> {
        while let Some(found) = memchr2(b'"', b'\n', &text[self.searched..]) {
            let at = self.searched + found;
            self.searched = at + 1;
            if text[at] == b'"' {
                let before = &text[..at];
                let begins_cell = before.is_empty() || before.ends_with(b",") || before == BYTE_ORDER_MARK;
                let is_doubled = self.closed_at.is_some_and(|closed| closed + 1 == at);
                self.closed_at = self.in_quotes.then_some(at);
                self.in_quotes = !self.in_quotes && (begins_cell || is_doubled);
            } else if !self.in_quotes {
                return Some(at);
            }
        }
        self.searched = text.len();
        None
    }

    /// Whether what was searched ends in a quoted cell.
    pub fn is_in_quotes(&self) -> bool {
        self.in_quotes
    }
}

/// The cells of a record.
pub(crate) fn fields(record: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let mut rest = Some(record);
    std::iter::from_fn(move || {
        let text = rest.take()?;
        let (cell, behind) = match text.strip_prefix('"') {
            Some(quoted) => unquoted(quoted),
            None => (Cow::Borrowed(""), text),
        };
        let (plain, next) = match behind.split_once(',') {
            Some((plain, next)) => (plain, Some(next)),
            None => (behind, None),
        };
        rest = next;
        // What follows a closing quote belongs to the cell.
        Some(match (cell.is_empty(), plain.is_empty()) {
            (true, _) => Cow::Borrowed(plain),
            (false, true) => cell,
            (false, false) => Cow::Owned(cell.into_owned() + plain),
        })
    })
}

/// The text up to the closing quote, and what is behind that.
fn unquoted(quoted: &str) -> (Cow<'_, str>, &str) {
    let mut end = 0;
    let mut is_doubled = false;
    loop {
        let Some(found) = memchr(b'"', &quoted.as_bytes()[end..]) else {
            end = quoted.len();
            break;
        };
        end += found;
        if quoted.as_bytes().get(end + 1) != Some(&b'"') {
            break;
        }
        is_doubled = true;
        end += 2;
    }
    let (cell, behind) = quoted.split_at(end);
    let cell = if is_doubled {
        Cow::Owned(cell.replace("\"\"", "\""))
    } else {
        Cow::Borrowed(cell)
    };
    (cell, behind.strip_prefix('"').unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(record: &str) -> Vec<String> {
        fields(record).map(Cow::into_owned).collect()
    }

    #[test]
    fn cells_are_unquoted() {
        assert_eq!(cells("a,,b"), ["a", "", "b"]);
        assert_eq!(cells(""), [""]);
        assert_eq!(cells("a,"), ["a", ""]);
        assert_eq!(cells(r#""a,b","say ""x""",c"d"#), ["a,b", "say \"x\"", "c\"d"]);
        assert_eq!(cells("\"a\nb\"c,\"\",é"), ["a\nbc", "", "é"]);
        assert_eq!(cells("\"open"), ["open"]);
    }

    /// Ends of the records of a text that is given in pieces of `step` bytes.
    fn ends(text: &str, step: usize) -> Vec<usize> {
        let (mut found, mut start) = (Vec::new(), 0);
        let mut record = RecordEnd::default();
        let mut there = 0;
        while there < text.len() {
            there = (there + step).min(text.len());
            while let Some(end) = record.find(&text.as_bytes()[start..there]) {
                start += end + 1;
                found.push(start);
                record = RecordEnd::default();
            }
        }
        found
    }

    #[test]
    fn records_end_at_line_breaks_that_are_not_in_quotes() {
        let text = "\u{FEFF}\"a\nb\",c\r\n\"x \"\"y\"\"\n\",2\nd\"e,f\n\"\",\"\"\"\"\n";
        for step in 1..=text.len() {
            assert_eq!(ends(text, step), [12, 25, 31, 39], "in steps of {step}");
        }
    }
}
