//! Single values of an annotation that is JSON, and what to say where one is not what it should be.

use crate::json::{starts_number, unescape, Number, Scan, Scanner, Text};
use crate::reject::Reason;

/// Bytes of a wrong value that a reject's sentence shows.
const SHOWN_BYTES: usize = 60;

/// Why a value is not taken.
pub(super) enum Wrong {
    /// It is not this.
    Expected(&'static str),
    /// It holds NaN or an infinity.
    NotFinite,
    /// A reason of its own.
    Because(Box<Reason>),
}

impl Wrong {
    /// The reject's reason, for a field whose value is `found`.
    pub fn reason(self, field: &'static str, found: &[u8]) -> Reason {
        match self {
            Self::Expected(expected) => Reason::BadField {
                field,
                expected,
                found: shown(found),
            },
            Self::NotFinite => Reason::NotFinite { field },
            Self::Because(reason) => *reason,
        }
    }
}

impl From<Reason> for Wrong {
    fn from(reason: Reason) -> Self {
        Self::Because(Box::new(reason))
    }
}

/// A piece of text in what is scanned, or in a buffer of its own where escapes had to be resolved.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub start: usize,
    pub end: usize,
    pub own: bool,
}

impl Span {
    /// The content of a string, whose escapes are resolved into `buffer`.
    pub fn of(scanner: &Scanner<'_>, text: Text, buffer: &mut Vec<u8>) -> Self {
        let Text { start, end, escaped } = text;
        if !escaped {
            return Self { start, end, own: false };
        }
        let start = buffer.len();
        unescape(scanner.slice(text), buffer);
        Self {
            start,
            end: buffer.len(),
            own: true,
        }
    }

    /// The text, of what was scanned or of the buffer.
    pub fn slice<'a>(self, text: &'a [u8], buffer: &'a [u8]) -> &'a [u8] {
        let from = if self.own { buffer } else { text };
        &from[self.start..self.end]
    }
}

/// A value, or why it is none; only broken JSON stops the scanner.
pub(super) type Value<T> = Scan<Result<T, Wrong>>;

/// Reads a member of an entry; one that is not what it should be is passed over, and makes the entry odd.
pub(super) fn member<T: Default>(
    scanner: &mut Scanner<'_>,
    field: &'static str,
    odd: &mut Option<Reason>,
    read: impl FnOnce(&mut Scanner<'_>) -> Value<T>,
) -> Scan<T> {
    scanner.peek()?;
    let start = scanner.at;
    match read(scanner)? {
        Ok(value) => Ok(value),
        Err(wrong) => {
            scanner.at = start;
            scanner.skip()?;
            odd.get_or_insert_with(|| wrong.reason(field, scanner.since(start)));
            Ok(T::default())
        }
    }
}

/// JSON text as a reject shows it.
pub(super) fn shown(text: &[u8]) -> String {
    match text.get(..SHOWN_BYTES) {
        Some(start) if text.len() > SHOWN_BYTES => format!("{}...", String::from_utf8_lossy(start)),
        _ => String::from_utf8_lossy(text).into_owned(),
    }
}

/// What a segmentation is.
pub(super) const SEGMENTATION: &str = "polygons [[x, y, ...], ...] or an RLE {\"size\": [h, w], \"counts\": ...}";
/// What the counts of an RLE are.
pub(super) const COUNTS: &str = "an RLE whose counts are a string or a list of whole numbers";
const SIZE: &str = "an RLE whose size is [h, w]";
const BOX: &str = "four numbers: x, y, width, height";
const LONGER: &str = "four numbers: x, y, width, height; for turned boxes of five or eight numbers see --box-format";

/// Reads a number, also one that is given as text; none for anything else.
pub(super) fn number(scanner: &mut Scanner<'_>) -> Scan<Option<f64>> {
    let byte = scanner.peek()?;
    if starts_number(byte) {
        return Ok(Some(scanner.number()?.as_f64()));
    }
    if byte != b'"' {
        return Ok(None);
    }
    let text = scanner.string()?;
    Ok(number_in(scanner.slice(text)))
}

/// The number that a text is.
pub(super) fn number_in(text: &[u8]) -> Option<f64> {
    std::str::from_utf8(text.trim_ascii()).ok()?.parse().ok()
}

/// Reads a list of at most `N` numbers, and how many there are; none for any other value, which is passed over.
pub(super) fn numbers<const N: usize>(scanner: &mut Scanner<'_>) -> Scan<Option<([f64; N], usize)>> {
    let is_list = scanner.peek()? == b'[';
    let start = scanner.at;
    if is_list {
        scanner.at += 1;
        if let Some(found) = numbers_inside(scanner)? {
            return Ok(Some(found));
        }
        scanner.at = start;
    }
    scanner.skip()?;
    Ok(None)
}

fn numbers_inside<const N: usize>(scanner: &mut Scanner<'_>) -> Scan<Option<([f64; N], usize)>> {
    let (mut first, mut found, mut values) = (true, 0, [0.0; N]);
    while scanner.next_item(&mut first)? {
        let (Some(place), Some(value)) = (values.get_mut(found), number(scanner)?) else {
            return Ok(None);
        };
        *place = value;
        found += 1;
    }
    Ok(Some((values, found)))
}

/// Reads x, y, width, height; none for null and an empty list.
pub(super) fn bbox(scanner: &mut Scanner<'_>) -> Value<Option<[f64; 4]>> {
    if scanner.null()? {
        return Ok(Ok(None));
    }
    if scanner.peek()? != b'[' {
        return Ok(Err(Wrong::Expected(BOX)));
    }
    scanner.at += 1;
    let (mut first, mut found, mut values) = (true, 0, [0.0; 4]);
    while scanner.next_item(&mut first)? {
        let before = found;
        scanner.plain_numbers(|value| {
            if let Some(place) = values.get_mut(found) {
                *place = value;
            }
            found += 1;
        });
        if found > before && found <= 4 {
            continue;
        }
        if found >= 4 {
            return Ok(Err(Wrong::Expected(LONGER)));
        }
        let Some(value) = number(scanner)? else {
            return Ok(Err(Wrong::Expected(BOX)));
        };
        values[found] = value;
        found += 1;
    }
    let [_, _, w, h] = values;
    Ok(match found {
        // Some writers put an empty list where there is no box.
        0 => Ok(None),
        4 if !values.iter().all(|value| value.is_finite()) => Err(Wrong::NotFinite),
        4 if w < 0.0 || h < 0.0 => Err(Reason::NegativeBox { w, h }.into()),
        4 => Ok(Some(values)),
        _ => Err(Wrong::Expected(BOX)),
    })
}

/// Reads a confidence, whatever its range; none for null.
pub(super) fn score(scanner: &mut Scanner<'_>) -> Value<Option<f64>> {
    if scanner.null()? {
        return Ok(Ok(None));
    }
    let Some(score) = number(scanner)? else {
        return Ok(Err(Wrong::Expected("a number from 0 to 1")));
    };
    Ok(if !score.is_finite() {
        Err(Wrong::NotFinite)
    } else {
        Ok(Some(score))
    })
}

/// Reads a name or an id: a string, or a whole number as text; none for null.
pub(super) fn name(scanner: &mut Scanner<'_>) -> Value<Option<String>> {
    let byte = scanner.peek()?;
    let start = scanner.at;
    Ok(match byte {
        b'"' => {
            let text = scanner.string()?;
            Ok(Some(string(scanner, text)))
        }
        byte if starts_number(byte) => {
            let number = scanner.number()?;
            match (number, number.as_integer()) {
                (_, Some(value)) => Ok(Some(value.to_string())),
                (Number::Big(_), None) => Ok(Some(String::from_utf8_lossy(scanner.since(start)).into_owned())),
                _ => Err(Wrong::Expected("a string or a whole number")),
            }
        }
        _ if scanner.null()? => Ok(None),
        _ => Err(Wrong::Expected("a string or a whole number")),
    })
}

/// The content of a string.
pub(super) fn string(scanner: &Scanner<'_>, text: Text) -> String {
    let mut content = Vec::with_capacity(text.end - text.start);
    unescape(scanner.slice(text), &mut content);
    String::from_utf8_lossy(&content).into_owned()
}

/// Reads a whole number from 0 to 2^32 - 1, also one that is written as 3.0; none for null.
pub(super) fn count(scanner: &mut Scanner<'_>) -> Value<Option<u32>> {
    if scanner.null()? {
        return Ok(Ok(None));
    }
    let number = if starts_number(scanner.peek()?) {
        scanner.number()?.as_integer()
    } else {
        None
    };
    let count = number.and_then(|number| u32::try_from(number).ok());
    Ok(count.map(Some).ok_or(Wrong::Expected("a whole number of at least 0")))
}

/// Where a list or an object begins, which is passed over; none for null.
pub(super) fn place(scanner: &mut Scanner<'_>, begin: u8) -> Value<Option<usize>> {
    let byte = scanner.peek()?;
    let start = scanner.at;
    if byte != begin && byte != b'n' {
        return Ok(Err(Wrong::Expected(if begin == b'[' { "a list" } else { "an object" })));
    }
    scanner.skip()?;
    Ok(Ok((byte == begin).then_some(start)))
}

/// Reads an angle; none for null.
pub(super) fn angle(scanner: &mut Scanner<'_>) -> Value<Option<f64>> {
    if scanner.null()? {
        return Ok(Ok(None));
    }
    let Some(angle) = number(scanner)? else {
        return Ok(Err(Wrong::Expected("a number, the angle")));
    };
    Ok(if angle.is_finite() {
        Ok(Some(angle))
    } else {
        Err(Wrong::NotFinite)
    })
}

/// Reads a flag: a number or a word, also as text; null is false.
pub(super) fn flag(scanner: &mut Scanner<'_>) -> Value<bool> {
    let byte = scanner.peek()?;
    let value = match byte {
        b't' => scanner.word(b"true").map(|()| Some(1.0))?,
        b'f' => scanner.word(b"false").map(|()| Some(0.0))?,
        b'"' => {
            let text = scanner.string()?;
            flag_in(scanner.slice(text))
        }
        byte if starts_number(byte) => Some(scanner.number()?.as_f64()),
        _ => scanner.null()?.then_some(0.0),
    };
    Ok(match value {
        Some(value) if value.is_finite() => Ok(value != 0.0),
        Some(_) => Err(Wrong::NotFinite),
        None => Err(Wrong::Expected("0 or 1")),
    })
}

/// The flag that a text is, as a number.
fn flag_in(text: &[u8]) -> Option<f64> {
    let text = text.trim_ascii();
    if text.eq_ignore_ascii_case(b"true") {
        Some(1.0)
    } else if text.eq_ignore_ascii_case(b"false") {
        Some(0.0)
    } else {
        number_in(text)
    }
}

/// Reads an RLE's [h, w].
pub(super) fn size(scanner: &mut Scanner<'_>) -> Value<Option<[u32; 2]>> {
    if scanner.null()? {
        return Ok(Ok(None));
    }
    let Some((values, 2)) = numbers::<2>(scanner)? else {
        return Ok(Err(Wrong::Expected(SIZE)));
    };
    if !values.iter().all(|value| value.is_finite()) {
        return Ok(Err(Wrong::NotFinite));
    }
    let fits = |value: f64| (0.0..=f64::from(u32::MAX)).contains(&value) && value.fract() == 0.0;
    Ok(if values.iter().all(|&value| fits(value)) {
        Ok(Some(values.map(|value| value as u32)))
    } else {
        let [h, w] = values;
        let message = format!("the RLE's size is {h} x {w} (h x w); expected whole numbers from 0 to 2^32 - 1");
        let code = "rle_size";
        Err(Reason::BadRle { code, message }.into())
    })
}

/// Why a run length is not one.
pub(super) fn wrong_count(value: f64) -> Reason {
    if !value.is_finite() {
        return Reason::NotFinite { field: "segmentation" };
    }
    let code = if value < 0.0 {
        "rle_negative"
    } else if value.fract() != 0.0 {
        "rle_fraction"
    } else {
        "rle_overflow"
    };
    Reason::BadRle {
        code,
        message: format!("a run of the RLE is {value}; expected whole numbers from 0 to 2^32 - 1"),
    }
}
