//! Single values of an annotation, and what to say where one is not what it should be.

use crate::json::{starts_number, Scan, Scanner};
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

/// A value, or why it is none; only broken JSON stops the scanner.
pub(super) type Value<T> = Scan<Result<T, Wrong>>;

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
