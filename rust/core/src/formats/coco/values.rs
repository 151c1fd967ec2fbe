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
        if !starts_number(scanner.peek()?) {
            return Ok(Err(Wrong::Expected(BOX)));
        }
        values[found] = scanner.number()?.as_f64();
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
    if !starts_number(scanner.peek()?) {
        return Ok(if scanner.null()? {
            Ok(None)
        } else {
            Err(Wrong::Expected("a number from 0 to 1"))
        });
    }
    let score = scanner.number()?.as_f64();
    Ok(if !score.is_finite() {
        Err(Wrong::NotFinite)
    } else {
        Ok(Some(score))
    })
}

/// Reads an angle in degrees; none for null.
pub(super) fn angle(scanner: &mut Scanner<'_>) -> Value<Option<f64>> {
    if !starts_number(scanner.peek()?) {
        return Ok(if scanner.null()? {
            Ok(None)
        } else {
            Err(Wrong::Expected("a number of degrees"))
        });
    }
    let angle = scanner.number()?.as_f64();
    Ok(if angle.is_finite() {
        Ok(Some(angle))
    } else {
        Err(Wrong::NotFinite)
    })
}

/// Reads a flag written as a number or a word; null is false.
pub(super) fn flag(scanner: &mut Scanner<'_>) -> Value<bool> {
    let byte = scanner.peek()?;
    if starts_number(byte) {
        let value = scanner.number()?.as_f64();
        return Ok(if value.is_finite() {
            Ok(value != 0.0)
        } else {
            Err(Wrong::NotFinite)
        });
    }
    match byte {
        b't' => scanner.word(b"true")?,
        b'f' => scanner.word(b"false")?,
        _ if scanner.null()? => {}
        _ => return Ok(Err(Wrong::Expected("0 or 1"))),
    }
    Ok(Ok(byte == b't'))
}

/// Reads an RLE's [h, w].
pub(super) fn size(scanner: &mut Scanner<'_>) -> Value<Option<[u32; 2]>> {
    if scanner.null()? {
        return Ok(Ok(None));
    }
    if scanner.peek()? != b'[' {
        return Ok(Err(Wrong::Expected(SIZE)));
    }
    scanner.at += 1;
    let (mut first, mut found, mut values) = (true, 0, [0.0; 2]);
    while scanner.next_item(&mut first)? {
        if found == 2 || !starts_number(scanner.peek()?) {
            return Ok(Err(Wrong::Expected(SIZE)));
        }
        values[found] = scanner.number()?.as_f64();
        found += 1;
    }
    if found < 2 {
        return Ok(Err(Wrong::Expected(SIZE)));
    }
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
