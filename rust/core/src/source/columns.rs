//! A line of text as columns: numbers and words between commas, blanks and tabs.

use memchr::memchr_iter;

use crate::reject::Reason;

/// Most columns that any format has by far; a longer line is not one of numbers.
pub(crate) const MOST_COLUMNS: usize = 64;

/// Columns that lines have room for from the start.
const FEW_COLUMNS: usize = 16;

/// The columns of one line.
#[derive(Debug)]
pub(crate) struct Columns<'a>(Vec<&'a str>);

impl<'a> Columns<'a> {
    /// Splits a line at its commas where it has any, else at its blanks. Blanks around a column do not belong to it, and a
    /// comma at the end does not begin another.
    pub fn split(line: &'a str) -> Self {
        let at_commas = line.contains(',');
        let line = line.trim_end_matches([',', ' ', '\t']);
        let mut words = Vec::with_capacity(FEW_COLUMNS);
        if at_commas {
            let mut start = 0;
            let ends = memchr_iter(b',', line.as_bytes()).chain([line.len()]);
            words.extend(ends.take(MOST_COLUMNS).map(|end| {
                let word = line[start..end].trim();
                start = end + 1;
                word
            }));
        } else {
            words.extend(line.split_ascii_whitespace().take(MOST_COLUMNS));
        }
        Self(words)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Column `at` (from 0) as it is written.
    pub fn word(&self, at: usize) -> &'a str {
        self.0.get(at).copied().unwrap_or_default()
    }

    /// Column `at` as a number; `name` is what the format calls it.
    ///
    /// # Errors
    /// [`Reason::BadField`] where it is not a number. NaN and infinities are numbers: who uses them checks them.
    pub fn number(&self, at: usize, name: &'static str) -> Result<f64, Reason> {
        parsed(self.word(at)).ok_or_else(|| self.unlike(at, name, "a number"))
    }

    /// Column `at` as a whole number, also where it is written as `7.0`.
    ///
    /// # Errors
    /// [`Reason::BadField`] where it is not one.
    pub fn whole(&self, at: usize, name: &'static str) -> Result<i64, Reason> {
        let word = self.word(at);
        if let Ok(whole) = word.parse() {
            return Ok(whole);
        }
        match parsed(word) {
            // Beyond these, neighbouring whole numbers are one float.
            Some(number) if number.fract() == 0.0 && number.abs() < 9e15 => Ok(number as i64),
            _ => Err(self.unlike(at, name, "a whole number")),
        }
    }

    /// Whether all of them are numbers.
    pub fn are_numbers(&self) -> bool {
        self.0.iter().all(|word| parsed(word).is_some())
    }

    /// Why column `at` is not what was `expected`.
    pub fn unlike(&self, at: usize, field: &'static str, expected: &'static str) -> Reason {
        let found: String = self.word(at).chars().take(40).collect();
        Reason::BadField {
            field,
            expected,
            found: format!("{found:?}"),
        }
    }
}

fn parsed(word: &str) -> Option<f64> {
    // The exponent, sign and dot of Rust's own; `inf` and `nan` in any case, as writers in Python and C print them.
    fast_float2::parse(word).ok()
}
