//! What the text of a JSON string says.

use memchr::memchr;

use super::scanner::{Scanner, Text};

/// Appends a checked string's content to `out`, escapes resolved. Half of a surrogate pair without the other, which
/// Python writes for undecodable file names, becomes U+FFFD.
pub(crate) fn unescape(mut raw: &[u8], out: &mut Vec<u8>) {
    while let Some(at) = memchr(b'\\', raw) {
        out.extend_from_slice(&raw[..at]);
        let kind = raw.get(at + 1).copied().unwrap_or_default();
        raw = raw.get(at + 2..).unwrap_or_default();
        let plain = match kind {
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let mut unit = code_unit(raw).unwrap_or_default();
                raw = raw.get(4..).unwrap_or_default();
                if let (0xD800..0xDC00, Some(rest)) = (unit, raw.strip_prefix(b"\\u")) {
                    if let Some(low @ 0xDC00..0xE000) = code_unit(rest) {
                        unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
                        raw = rest.get(4..).unwrap_or_default();
                    }
                }
                let character = char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER);
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                continue;
            }
            other => other,
        };
        out.push(plain);
    }
    out.extend_from_slice(raw);
}

fn code_unit(raw: &[u8]) -> Option<u32> {
    let digits = std::str::from_utf8(raw.get(..4)?).ok()?;
    u32::from_str_radix(digits, 16).ok()
}

/// A key with its escapes resolved.
pub(crate) fn plain<'a>(scanner: &Scanner<'a>, key: Text, buffer: &'a mut Vec<u8>) -> &'a [u8] {
    if !key.escaped {
        return scanner.slice(key);
    }
    buffer.clear();
    unescape(scanner.slice(key), buffer);
    buffer
}
