//! Entries of the images, categories and videos of a file. A member that is not what it should be makes its entry odd, and
//! stops nothing.

use super::names::{Id, TooMany};
use super::tables::{CocoTables, Image};
use crate::error::Result;
use crate::formats::json_values::{self as values, member, Wrong};
use crate::json::{plain, starts_number, unescape, Number, Scan, Scanner, Text, Window};
use crate::media::shown_title;
use crate::reject::Reason;

/// An id or a text of a table's entry.
#[derive(Clone, Copy, Default)]
enum Value {
    #[default]
    Null,
    Text(Text),
    Int(i64),
    /// An integer beyond `i64`, as it is written.
    Digits(Text),
}

fn id(scanner: &mut Scanner<'_>) -> values::Value<Value> {
    const EXPECTED: &str = "a whole number or a string";
    let byte = scanner.peek()?;
    let start = scanner.at;
    Ok(match byte {
        b'"' => Ok(Value::Text(scanner.string()?)),
        byte if starts_number(byte) => {
            let number = scanner.number()?;
            match number.as_integer() {
                Some(value) => Ok(Value::Int(value)),
                None if matches!(number, Number::Big(_)) => Ok(Value::Digits(written(scanner, start))),
                None => Err(Wrong::Expected(EXPECTED)),
            }
        }
        _ if scanner.null()? => Ok(Value::Null),
        _ => Err(Wrong::Expected(EXPECTED)),
    })
}

/// What was read since `start`, as a text.
fn written(scanner: &Scanner<'_>, start: usize) -> Text {
    Text {
        start,
        end: scanner.at,
        escaped: false,
    }
}

/// A name; one that is a number is that number as it is written, or the whole number that it is.
fn text(scanner: &mut Scanner<'_>) -> values::Value<Value> {
    let byte = scanner.peek()?;
    let start = scanner.at;
    Ok(match byte {
        b'"' => Ok(Value::Text(scanner.string()?)),
        byte if starts_number(byte) => {
            let number = scanner.number()?;
            Ok(match number.as_integer() {
                Some(value) => Value::Int(value),
                None if number.as_f64().is_finite() => Value::Digits(written(scanner, start)),
                None => Value::Null,
            })
        }
        _ if scanner.null()? => Ok(Value::Null),
        _ => Err(Wrong::Expected("a string")),
    })
}

/// A text; what is none is passed over.
fn string(scanner: &mut Scanner<'_>) -> Scan<Value> {
    if scanner.peek()? == b'"' {
        return Ok(Value::Text(scanner.string()?));
    }
    scanner.skip()?;
    Ok(Value::Null)
}

/// A list of names; an entry that is not a name gets none.
fn texts(scanner: &mut Scanner<'_>) -> Scan<Vec<Value>> {
    scanner.at += 1;
    let (mut first, mut names) = (true, Vec::new());
    while scanner.next_item(&mut first)? {
        names.push(member(scanner, "categories.keypoints", &mut None, text)?);
    }
    Ok(names)
}

/// A whole number, also one that is given as text; none for null and NaN.
fn whole(scanner: &mut Scanner<'_>) -> values::Value<Option<i64>> {
    const EXPECTED: &str = "a whole number";
    let byte = scanner.peek()?;
    let number = match byte {
        byte if starts_number(byte) => scanner.number()?,
        b'"' => {
            let text = scanner.string()?;
            match values::number_in(scanner.slice(text)) {
                Some(value) => Number::Float(value),
                None => return Ok(Err(Wrong::Expected(EXPECTED))),
            }
        }
        _ if scanner.null()? => return Ok(Ok(None)),
        _ => return Ok(Err(Wrong::Expected(EXPECTED))),
    };
    Ok(match number.as_integer() {
        None if number.as_f64().is_finite() => Err(Wrong::Expected(EXPECTED)),
        value => Ok(value),
    })
}

/// Pixels of a side; none for null, NaN and 0.
fn side(scanner: &mut Scanner<'_>) -> values::Value<Option<u32>> {
    const EXPECTED: &str = "a whole number of pixels, below 2^32 - 1";
    Ok(match whole(scanner)?.map(|side| side.map(u32::try_from)) {
        Ok(None | Some(Ok(0))) => Ok(None),
        Ok(Some(Ok(side))) if side < u32::MAX => Ok(Some(side)),
        _ => Err(Wrong::Expected(EXPECTED)),
    })
}

/// Content of a value in `window`, escapes resolved into `buffer`.
fn content<'a>(window: &'a Window, value: Value, buffer: &'a mut Vec<u8>) -> Option<&'a str> {
    let text = match value {
        Value::Text(text) | Value::Digits(text) => text,
        Value::Int(value) => {
            buffer.extend_from_slice(value.to_string().as_bytes());
            return std::str::from_utf8(buffer).ok();
        }
        Value::Null => return None,
    };
    let raw = &window.text()[text.start..text.end];
    let bytes = if text.escaped {
        unescape(raw, buffer);
        buffer.as_slice()
    } else {
        raw
    };
    std::str::from_utf8(bytes).ok()
}

fn key<'a>(window: &'a Window, value: Value, buffer: &'a mut Vec<u8>) -> Option<Id<'a>> {
    match value {
        Value::Int(value) => Some(Id::Int(value)),
        value => content(window, value, buffer).map(Id::parse),
    }
}

fn too_many(window: &Window, at: usize) -> crate::error::Error {
    window.error(at, "the file has more than 2^32 images, categories or videos; split it")
}

/// Begins an entry; false for one that is not an object, which is passed over.
fn begins_entry(scanner: &mut Scanner<'_>) -> Scan<bool> {
    let is_object = scanner.peek()? == b'{';
    if is_object {
        scanner.at += 1;
    } else {
        scanner.skip()?;
    }
    Ok(is_object)
}

/// Reads one entry of `images`.
pub(super) fn image(window: &mut Window, tables: &mut CocoTables) -> Result<()> {
    #[derive(Default)]
    struct Fields {
        start: usize,
        id: Value,
        /// In the order in which they count.
        names: [Value; 4],
        titles: [Value; 2],
        video_id: Value,
        frame_index: Option<i64>,
        frame_id: Option<i64>,
        width: Option<u32>,
        height: Option<u32>,
        odd: Option<Reason>,
    }
    let found = window.item(|scanner| {
        let mut found = Fields::default();
        let mut first = true;
        scanner.peek()?;
        found.start = scanner.at;
        if !begins_entry(scanner)? {
            return Ok(None);
        }
        while let Some(key) = scanner.next_key(&mut first)? {
            let odd = &mut found.odd;
            match plain(scanner, key, &mut Vec::new()) {
                b"id" => found.id = member(scanner, "images.id", odd, id)?,
                b"file_name" => found.names[0] = member(scanner, "images.file_name", odd, text)?,
                // The others count only where they are texts.
                b"coco_url" => found.names[1] = string(scanner)?,
                b"flickr_url" => found.names[2] = string(scanner)?,
                b"path" => found.names[3] = string(scanner)?,
                b"video_title" => found.titles[0] = string(scanner)?,
                b"image_title" => found.titles[1] = string(scanner)?,
                b"video_id" => found.video_id = member(scanner, "images.video_id", odd, id)?,
                b"frame_index" => found.frame_index = member(scanner, "images.frame_index", odd, whole)?,
                b"frame_id" => found.frame_id = member(scanner, "images.frame_id", odd, whole)?,
                b"width" => found.width = member(scanner, "images.width", odd, side)?,
                b"height" => found.height = member(scanner, "images.height", odd, side)?,
                _ => scanner.skip()?,
            }
        }
        Ok(Some(found))
    })?;
    let Some(found) = found else {
        tables.add_nameless();
        return Ok(());
    };
    let [mut a, mut b, mut c, mut d] = [const { Vec::new() }; 4];
    let given = |values: &[Value]| {
        let is_given = |value: &&Value| content(window, **value, &mut Vec::new()).is_some_and(|text| !text.is_empty());
        values.iter().find(is_given).copied().unwrap_or_default()
    };
    let image = Image {
        id: key(window, found.id, &mut a),
        // URLs may be signed, and the names of images are shown.
        file_name: content(window, given(&found.names), &mut b).map(shown_title),
        title: content(window, given(&found.titles), &mut d),
        video: key(window, found.video_id, &mut c),
        frame_index: found.frame_index.or(found.frame_id),
        width: found.width,
        height: found.height,
    };
    tables
        .add_image(image, found.odd)
        .map_err(|TooMany| too_many(window, found.start))
}

/// Reads one entry of `categories`.
pub(super) fn category(window: &mut Window, tables: &mut CocoTables) -> Result<()> {
    let add = |of: Named<'_>| tables.add_class(of.id, of.name, of.keypoints, of.odd);
    if !named(window, ["categories.id", "categories.name"], add)? {
        tables.add_nameless();
    }
    Ok(())
}

/// Reads one entry of `videos`.
pub(super) fn video(window: &mut Window, tables: &mut CocoTables) -> Result<()> {
    let add = |of: Named<'_>| tables.add_video(of.id, of.name, of.odd);
    if !named(window, ["videos.id", "videos.name"], add)? {
        tables.add_nameless();
    }
    Ok(())
}

/// An entry of `categories` or `videos`.
struct Named<'a> {
    id: Option<Id<'a>>,
    name: Option<&'a str>,
    keypoints: Vec<Box<str>>,
    odd: Option<Reason>,
}

/// Reads one entry of `categories` or `videos`: an id, and a name (for videos also `file_name`, for categories those of
/// their keypoints), and adds it; false for one that is not an object.
fn named(
    window: &mut Window,
    [id_field, name_field]: [&'static str; 2],
    add: impl FnOnce(Named<'_>) -> std::result::Result<(), TooMany>,
) -> Result<bool> {
    let found = window.item(|scanner| {
        let (mut found, mut name, mut file_name) = (Value::Null, Value::Null, Value::Null);
        let (mut keypoints, mut odd) = (Vec::new(), None);
        let mut first = true;
        scanner.peek()?;
        let start = scanner.at;
        if !begins_entry(scanner)? {
            return Ok(None);
        }
        while let Some(key) = scanner.next_key(&mut first)? {
            match plain(scanner, key, &mut Vec::new()) {
                b"id" => found = member(scanner, id_field, &mut odd, id)?,
                b"name" => name = member(scanner, name_field, &mut odd, text)?,
                b"file_name" => file_name = member(scanner, "videos.file_name", &mut odd, text)?,
                // Encord's exporter puts a word there.
                b"keypoints" if scanner.peek()? == b'[' => keypoints = texts(scanner)?,
                _ => scanner.skip()?,
            }
        }
        let name = if matches!(name, Value::Null) { file_name } else { name };
        Ok(Some((start, found, name, keypoints, odd)))
    })?;
    let Some((start, id, name, keypoints, odd)) = found else {
        return Ok(false);
    };
    let (mut a, mut b) = (Vec::new(), Vec::new());
    let keypoints = keypoints
        .into_iter()
        .map(|name| content(window, name, &mut Vec::new()).unwrap_or_default().into())
        .collect();
    let named = Named {
        id: key(window, id, &mut a),
        name: content(window, name, &mut b),
        keypoints,
        odd,
    };
    add(named).map_err(|TooMany| too_many(window, start))?;
    Ok(true)
}
