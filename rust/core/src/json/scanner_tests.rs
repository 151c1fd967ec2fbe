//! The scanner against `serde_json`, and where it differs from it on purpose.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde::de::IgnoredAny;

use super::super::skip::Hop;
use super::super::text::unescape;
use super::*;

fn whole(text: &[u8]) -> Scan<()> {
    let mut scanner = Scanner::new(text, 0, true);
    scanner.skip()?;
    match scanner.at_end()? {
        true => Ok(()),
        false => bad(scanner.at, "more"),
    }
}

fn number(text: &str) -> Number {
    Scanner::new(text.as_bytes(), 0, true).number().unwrap()
}

fn unescaped(text: &str) -> String {
    let mut scanner = Scanner::new(text.as_bytes(), 0, true);
    let raw = scanner.string().unwrap();
    assert_eq!(scanner.at, text.len());
    let mut out = Vec::new();
    unescape(scanner.slice(raw), &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn numbers_are_integers_where_they_can_be() {
    assert_eq!(number("9223372036854775807"), Number::Int(i64::MAX));
    assert_eq!(number("-9223372036854775807"), Number::Int(-i64::MAX));
    assert_eq!(number("9223372036854775808"), Number::Big(9223372036854775808.0));
    assert_eq!(
        number("123456789012345678901234567890"),
        Number::Big(123456789012345678901234567890.0)
    );
    assert_eq!(number("3.0").as_integer(), Some(3));
    assert_eq!(number("3e2").as_integer(), Some(300));
    assert_eq!(number("3.5").as_integer(), None);
    assert_eq!(number("1e16").as_integer(), None);
    assert!(number("-0.0").as_f64().is_sign_negative());
}

#[test]
fn pythons_words_are_numbers() {
    assert!(number("NaN").as_f64().is_nan());
    assert_eq!(number("Infinity").as_f64(), f64::INFINITY);
    assert_eq!(number("-Infinity").as_f64(), f64::NEG_INFINITY);
    assert_eq!(number("1e400").as_f64(), f64::INFINITY);
    for wrong in ["-NaN", "nan", "Infinit", "inf", "+1", ".5", "0x1", "1_0"] {
        assert!(whole(wrong.as_bytes()).is_err(), "{wrong}");
    }
}

#[test]
fn escapes_resolve() {
    let all = r#""a\"\\\/\b\f\n\r\t\u00e9\u20AC\ud83d\ude80z""#;
    assert_eq!(unescaped(all), "a\"\\/\u{8}\u{c}\n\r\té€🚀z");
    // Halves of surrogate pairs stand for no character.
    assert_eq!(
        unescaped(r#""\ud83d \ude80 \ud83d\u0041""#),
        "\u{fffd} \u{fffd} \u{fffd}A"
    );
}

#[test]
fn a_window_that_ends_early_is_incomplete_wherever_it_is_cut() {
    let text = br#"{"k\u00e9y":[-12.5e-3,"v\"",true,null,NaN,{"a":{}}]}"#;
    assert_eq!(whole(text), Ok(()));
    for cut in 0..text.len() {
        assert_eq!(
            Scanner::new(&text[..cut], 0, false).skip(),
            Err(Stop::Incomplete),
            "{cut}"
        );
    }
}

#[test]
fn special_bytes_are_found_at_any_place() {
    for special in [b'"', b'\\', 0, 0x1f, 0x80, 0xff] {
        for at in 0..40 {
            let mut text = vec![b' '; 40];
            (text[0], text[39]) = (0x7f, b'~');
            text[at] = special;
            assert_eq!(plain_bytes(&text), at, "{special}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn accepts_what_serde_json_accepts(
        // Made of pieces, so that a good part of the texts is JSON.
        pieces in prop::collection::vec(prop::sample::select(&[
            "{", "}", "[", "]", ",", ":", "\"a\"", "\"\\u00e9\"", "\"\\x\"", "\"\u{1F680}\"", "0", "-1", "01", "1.5", "1e5", "1.e",
            "-", "true", "false", "null", "nul", " ", "\n", "\"", "\\", "[1,2]", "{\"a\":1}", "\"b\":", "[[", "]]", "\u{1}",
        ][..]), 0..9),
    ) {
        let text = pieces.concat();
        let theirs = serde_json::from_str::<IgnoredAny>(&text);
        prop_assert_eq!(whole(text.as_bytes()).is_ok(), theirs.is_ok(), "{}", text);
    }

    #[test]
    fn numbers_round_as_serde_json_does(
        whole in "(-?(0|[1-9][0-9]{0,22}))", fraction in "(|\\.[0-9]{1,25})", exponent in "(|[eE][+-]?[0-9]{1,3})",
    ) {
        let text = format!("{whole}{fraction}{exponent}");
        let theirs: f64 = text.parse().unwrap();
        prop_assert_eq!(number(&text).as_f64().to_bits() << 1, theirs.to_bits() << 1, "{}", text);
    }

    #[test]
    fn strings_resolve_as_serde_json_does(text in any::<String>(), plain in any::<bool>()) {
        let mut written = serde_json::to_string(&text).unwrap();
        if plain {
            written = written.chars().map(|c| if c.is_ascii() { c.to_string() } else {
                c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04X}")).collect()
            }).collect();
        }
        prop_assert_eq!(unescaped(&written), text);
    }

    #[test]
    fn hopping_ends_where_skipping_ends(
        pieces in prop::collection::vec(prop::sample::select(&["{\"a\":[]}", "[1,[2]]", "\"]\\\"[\"", "\"\\\\\"", "7", "{\"}\":{}}"][..]), 0..9),
        chunk in 1..9usize,
    ) {
        let text = format!("[{}] , x", pieces.join(","));
        let mut whole = Scanner::new(text.as_bytes(), 0, true);
        whole.skip().unwrap();
        let (mut hop, mut at, mut end) = (Hop::default(), 0, 0);
        loop {
            let mut part = Scanner::new(&text.as_bytes()[..end], at, false);
            let done = hop.run(&mut part);
            at = part.at;
            if done.is_ok() {
                break;
            }
            end = (end + chunk).min(text.len());
        }
        prop_assert_eq!(at, whole.at);
    }
}
