//! Numbers as Python's `json.dumps` writes them: the shortest text that reads back to the same f64, in `repr`'s form.

/// Appends a finite f64 as Python's `repr` writes it: `1.0`, `1e-05`, `1e+16`, `5e-324`.
///
/// NaN and the infinities are not JSON; callers refuse them before.
pub fn push_f64(out: &mut Vec<u8>, value: f64) {
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value);
    // Below 1e-4 Python switches to an exponent of at least two digits; zmij does so a decade later, with one digit.
    // Everywhere else the two agree.
    let magnitude = value.abs();
    if magnitude >= 1e-4 || magnitude == 0.0 || magnitude < 1e-9 {
        out.extend_from_slice(text.as_bytes());
    } else {
        push_small(out, text);
    }
}

/// Rewrites zmij's text of a magnitude in 1e-9..1e-4.
fn push_small(out: &mut Vec<u8>, text: &str) {
    let digits = match text.strip_prefix('-') {
        Some(rest) => {
            out.push(b'-');
            rest
        }
        None => text,
    };
    if let Some((mantissa, exponent)) = digits.split_once("e-") {
        out.extend_from_slice(mantissa.as_bytes());
        out.extend_from_slice(if exponent.len() < 2 { b"e-0" } else { b"e-" });
        out.extend_from_slice(exponent.as_bytes());
        return;
    }
    let (first, rest) = digits.trim_start_matches(['0', '.']).split_at(1);
    out.extend_from_slice(first.as_bytes());
    if !rest.is_empty() {
        out.push(b'.');
        out.extend_from_slice(rest.as_bytes());
    }
    out.extend_from_slice(b"e-05");
}

/// Appends an integer in decimal.
pub fn push_u64(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

/// Appends a JSON number: integers as they are, all others as [`push_f64`] writes them.
pub fn push_number(out: &mut Vec<u8>, value: &serde_json::Number) {
    match value.as_f64() {
        Some(float) if value.is_f64() => push_f64(out, float),
        _ => out.extend_from_slice(value.to_string().as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: f64) -> String {
        let mut out = Vec::new();
        push_f64(&mut out, value);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn takes_reprs_form_on_both_sides_of_each_switch() {
        let cases = [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (0.0001, "0.0001"),
            (0.00009999999999999999, "9.999999999999999e-05"),
            (-0.00001, "-1e-05"),
            (0.000015, "1.5e-05"),
            (9.5e-6, "9.5e-06"),
            (-1e-9, "-1e-09"),
            (9.99e-10, "9.99e-10"),
            (9999999999999998.0, "9999999999999998.0"),
            (1e16, "1e+16"),
            (0.1 + 0.2, "0.30000000000000004"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
        ];
        for (value, expected) in cases {
            assert_eq!(text(value), expected);
        }
    }

    #[test]
    fn writes_integers_of_every_length() {
        for value in [0, 7, 10, 1920, u64::from(u32::MAX), u64::MAX] {
            let mut out = Vec::new();
            push_u64(&mut out, value);
            assert_eq!(out, value.to_string().as_bytes());
        }
    }
}
