//! The first look at a file: what kind it is, its images, categories and videos, and where its annotations start.

use super::names::{Id, Refused};
use super::tables::{CocoTables, Image};
use crate::error::Result;
use crate::json::Window;
use crate::json::{bad, only_space, plain, starts_number, unescape, Scan, Scanner, Text};
use crate::plan::shown_title;
use crate::source::SourceFile;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The sections that matter, each allowed once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Images,
    Categories,
    Videos,
    Annotations,
    /// Not a section: the key by which a line of a reject file is known.
    RejectedAnnotation,
    Other,
}

impl Section {
    /// Reads the section's name at a key.
    pub fn of(scanner: &Scanner<'_>, key: Text) -> Self {
        match plain(scanner, key, &mut Vec::new()) {
            b"images" => Self::Images,
            b"categories" => Self::Categories,
            b"videos" => Self::Videos,
            b"annotations" => Self::Annotations,
            b"annotation" => Self::RejectedAnnotation,
            _ => Self::Other,
        }
    }
}

/// Sections that were seen.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Seen([bool; 4]);

impl Seen {
    /// Takes note of a section; false if it was seen before.
    pub fn add(&mut self, section: Section) -> bool {
        let Some(seen) = self.0.get_mut(section as usize) else {
            return true;
        };
        !std::mem::replace(seen, true)
    }

    fn has(self, section: Section) -> bool {
        self.0.get(section as usize).copied().unwrap_or(false)
    }

    fn any(self) -> bool {
        self.0.contains(&true)
    }
}

/// Where reading goes on after the survey.
#[derive(Debug, Clone, Copy)]
pub(super) enum Found {
    /// A dataset whose annotations start at a byte; sections seen up to there.
    Annotations { byte: u64, seen: Seen },
    /// A dataset without annotations, read to its end.
    NoAnnotations,
    /// A list of annotations that starts at a byte.
    Results { byte: u64 },
    /// A reject file whose first line starts at a byte.
    Rejects { byte: u64 },
}

impl Found {
    /// Byte where the annotations start.
    pub fn byte(self) -> u64 {
        match self {
            Self::Annotations { byte, .. } | Self::Results { byte } | Self::Rejects { byte } => byte,
            Self::NoAnnotations => 0,
        }
    }
}

/// How much of a file the survey reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// Until everything that annotations refer to is known.
    Needed,
    /// The whole file.
    All,
}

/// Surveys a file, whose tables fall back to `tables`. Gives the window where it stopped.
pub(super) fn survey(
    input: &SourceFile,
    chunk_bytes: usize,
    extent: Extent,
    empty: impl Fn() -> CocoTables,
) -> Result<(Found, CocoTables, Window)> {
    let attempt = |checked| {
        let window = Window::open(input, 0, chunk_bytes)?;
        let (mut survey, mut tables) = (Survey { window, checked }, empty());
        let found = survey.run(extent, &mut tables)?;
        tables.finish();
        Ok((found, tables, survey.window))
    };
    // Annotations that come before the tables are first run over without a check. If something after them does not fit,
    // the fault may well be inside them: a second attempt finds the first byte that is wrong.
    attempt(false).or_else(|_| attempt(true))
}

struct Survey {
    window: Window,
    checked: bool,
}

impl Survey {
    fn run(&mut self, extent: Extent, tables: &mut CocoTables) -> Result<Found> {
        let start = self.window.item(|scanner| {
            scanner.skip_mark(BYTE_ORDER_MARK)?;
            if scanner.at_end()? {
                return bad(0, "the file is empty; expected a COCO dataset or a list of results");
            }
            match scanner.peek()? {
                byte @ (b'[' | b'{') => Ok((byte, scanner.at)),
                _ => bad(
                    scanner.at,
                    "this is not COCO JSON; expected { or [ (UTF-8, not compressed)",
                ),
            }
        })?;
        let byte = self.window.byte(start.1);
        match start.0 {
            b'[' => Ok(Found::Results { byte }),
            _ => self.dataset(byte, extent, tables),
        }
    }

    fn dataset(&mut self, start: u64, extent: Extent, tables: &mut CocoTables) -> Result<Found> {
        let mut seen = Seen::default();
        let mut annotations = None;
        let mut first = true;
        self.window.item(|scanner| scanner.expect(b'{', "expected {"))?;
        loop {
            self.window.release();
            let section = self.window.item(|scanner| {
                let (mut first, mut seen) = (first, seen);
                next_section(scanner, &mut first, &mut seen)
            })?;
            first = false;
            let Some(section) = section else { break };
            seen.add(section);
            match section {
                Section::Images => self.list("`images` is not a list", |window| image(window, tables))?,
                Section::Categories => self.list("`categories` is not a list", |window| {
                    named(window, "category", |id, name, keypoints| {
                        tables.add_class(id, name, keypoints)
                    })
                })?,
                Section::Videos => self.list("`videos` is not a list", |window| {
                    named(window, "video", |id, name, _| tables.add_video(id, name))
                })?,
                Section::RejectedAnnotation if !seen.any() => return Ok(Found::Rejects { byte: start }),
                Section::Other | Section::RejectedAnnotation => self.window.skip()?,
                Section::Annotations => {
                    let at = self.window.item(|scanner| match scanner.peek()? {
                        b'[' => Ok(scanner.at),
                        _ => bad(scanner.at, "`annotations` is not a list"),
                    })?;
                    let found = Found::Annotations {
                        byte: self.window.byte(at),
                        seen,
                    };
                    if extent == Extent::Needed && known(seen, tables) {
                        return Ok(found);
                    }
                    annotations = Some(found);
                    if self.checked {
                        self.window.skip()?;
                    } else {
                        self.window.hop()?;
                    }
                }
            }
            if let (Some(found), Extent::Needed, true) = (annotations, extent, known(seen, tables)) {
                return Ok(found);
            }
        }
        if !seen.any() {
            return Err(self.window.input().error(
                start,
                "the object has neither `images` nor `annotations` nor `categories`; expected a COCO dataset or a list of results",
            ));
        }
        match annotations {
            Some(found) => Ok(found),
            None => {
                self.window.item(only_space)?;
                Ok(Found::NoAnnotations)
            }
        }
    }

    fn list(&mut self, wrong: &'static str, mut item: impl FnMut(&mut Window) -> Result<()>) -> Result<()> {
        self.window.item(|scanner| scanner.expect(b'[', wrong))?;
        let mut first = true;
        loop {
            self.window.release();
            let more = self.window.item(|scanner| {
                let mut first = first;
                scanner.next_item(&mut first)
            })?;
            first = false;
            if !more {
                return Ok(());
            }
            item(&mut self.window)?;
        }
    }
}

/// Whether all that annotations refer to is known: videos only matter where images name some.
fn known(seen: Seen, tables: &CocoTables) -> bool {
    let videos = seen.has(Section::Videos) || !tables.names_videos();
    seen.has(Section::Images) && seen.has(Section::Categories) && videos
}

/// The next section of a dataset, whose value follows; none at the object's end.
pub(super) fn next_section(scanner: &mut Scanner<'_>, first: &mut bool, seen: &mut Seen) -> Scan<Option<Section>> {
    let Some(key) = scanner.next_key(first)? else {
        return Ok(None);
    };
    let section = Section::of(scanner, key);
    if !seen.add(section) {
        return bad(
            key.start - 1,
            "the section stands twice; expected `images`, `annotations`, `categories` and `videos` once each",
        );
    }
    Ok(Some(section))
}

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

const ID_EXPECTED: &str = "an id is neither a whole number nor a string";

fn id(scanner: &mut Scanner<'_>) -> Scan<Value> {
    let byte = scanner.peek()?;
    let start = scanner.at;
    match byte {
        b'"' => Ok(Value::Text(scanner.string()?)),
        byte if starts_number(byte) => {
            let number = scanner.number()?;
            let digits = Text {
                start,
                end: scanner.at,
                escaped: false,
            };
            match number.as_integer() {
                Some(value) => Ok(Value::Int(value)),
                None if matches!(number, crate::json::Number::Big(_)) => Ok(Value::Digits(digits)),
                None => bad(start, ID_EXPECTED),
            }
        }
        _ if scanner.null()? => Ok(Value::Null),
        _ => bad(start, ID_EXPECTED),
    }
}

fn text(scanner: &mut Scanner<'_>) -> Scan<Value> {
    match scanner.peek()? {
        b'"' => Ok(Value::Text(scanner.string()?)),
        _ if scanner.null()? => Ok(Value::Null),
        _ => bad(scanner.at, "a name is not a string"),
    }
}

/// A list of names; what is no string has none.
fn texts(scanner: &mut Scanner<'_>) -> Scan<Vec<Value>> {
    scanner.at += 1;
    let (mut first, mut names) = (true, Vec::new());
    while scanner.next_item(&mut first)? {
        names.push(if scanner.peek()? == b'"' {
            text(scanner)?
        } else {
            scanner.skip()?;
            Value::Null
        });
    }
    Ok(names)
}

/// A whole number; none for null and NaN.
fn whole(scanner: &mut Scanner<'_>) -> Scan<Option<i64>> {
    const EXPECTED: &str = "expected a whole number";
    let byte = scanner.peek()?;
    let start = scanner.at;
    if starts_number(byte) {
        let number = scanner.number()?;
        return match number.as_integer() {
            None if number.as_f64().is_finite() => bad(start, EXPECTED),
            value => Ok(value),
        };
    }
    if scanner.null()? {
        Ok(None)
    } else {
        bad(start, EXPECTED)
    }
}

/// Pixels of a side; none for null, NaN and 0.
fn side(scanner: &mut Scanner<'_>) -> Scan<Option<u32>> {
    scanner.peek()?;
    let start = scanner.at;
    match whole(scanner)?.map(u32::try_from) {
        None | Some(Ok(0)) => Ok(None),
        Some(Ok(side)) if side < u32::MAX => Ok(Some(side)),
        _ => bad(start, "the size of an image is negative or beyond 32 bits"),
    }
}

/// Content of a value in `window`, escapes resolved into `buffer`.
fn content<'a>(window: &'a Window, value: Value, buffer: &'a mut Vec<u8>) -> Option<&'a str> {
    let (Value::Text(text) | Value::Digits(text)) = value else {
        return None;
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

fn refused(window: &Window, at: usize, what: &str, id: Value, refused: Refused) -> crate::error::Error {
    let mut buffer = Vec::new();
    let id = match key(window, id, &mut buffer) {
        Some(Id::Int(value)) => value.to_string(),
        Some(Id::Text(text)) => text.to_owned(),
        None => String::new(),
    };
    let message = match refused {
        Refused::Conflict => format!("{what} id {id} stands twice and means two things; give each its own id"),
        Refused::TooMany => format!("the file has more than 2^32 entries at {what} id {id}; split it"),
    };
    window.error(at, message)
}

/// Reads one entry of `images`.
fn image(window: &mut Window, tables: &mut CocoTables) -> Result<()> {
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
    }
    let found = window.item(|scanner| {
        let mut found = Fields::default();
        let mut first = true;
        scanner.peek()?;
        found.start = scanner.at;
        scanner.expect(b'{', "an image is not an object")?;
        while let Some(key) = scanner.next_key(&mut first)? {
            match plain(scanner, key, &mut Vec::new()) {
                b"id" => found.id = id(scanner)?,
                b"file_name" => found.names[0] = text(scanner)?,
                // Others have no say where they are no texts.
                b"coco_url" if scanner.peek()? == b'"' => found.names[1] = text(scanner)?,
                b"flickr_url" if scanner.peek()? == b'"' => found.names[2] = text(scanner)?,
                b"path" if scanner.peek()? == b'"' => found.names[3] = text(scanner)?,
                b"video_title" if scanner.peek()? == b'"' => found.titles[0] = text(scanner)?,
                b"image_title" if scanner.peek()? == b'"' => found.titles[1] = text(scanner)?,
                b"video_id" => found.video_id = id(scanner)?,
                b"frame_index" => found.frame_index = whole(scanner)?,
                b"frame_id" => found.frame_id = whole(scanner)?,
                b"width" => found.width = side(scanner)?,
                b"height" => found.height = side(scanner)?,
                _ => scanner.skip()?,
            }
        }
        Ok(found)
    })?;
    let [mut a, mut b, mut c, mut d] = [const { Vec::new() }; 4];
    let given = |values: &[Value]| {
        let mut buffer = Vec::new();
        let is_given = |value: &&Value| content(window, **value, &mut buffer).is_some_and(|text| !text.is_empty());
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
        .add_image(image)
        .map_err(|why| refused(window, found.start, "image", found.id, why))
}

/// Reads one entry of `categories` or `videos`: an id, and a name (for videos also `file_name`, for categories those of
/// their keypoints).
fn named(
    window: &mut Window,
    what: &'static str,
    add: impl FnOnce(Option<Id<'_>>, Option<&str>, Vec<Box<str>>) -> std::result::Result<(), Refused>,
) -> Result<()> {
    let (start, id, name, keypoints) = window.item(|scanner| {
        let (mut found, mut name, mut file_name) = (Value::Null, Value::Null, Value::Null);
        let mut keypoints = Vec::new();
        let mut first = true;
        scanner.peek()?;
        let start = scanner.at;
        scanner.expect(b'{', "an entry of `categories` or `videos` is not an object")?;
        while let Some(key) = scanner.next_key(&mut first)? {
            match plain(scanner, key, &mut Vec::new()) {
                b"id" => found = id(scanner)?,
                b"name" => name = text(scanner)?,
                b"file_name" => file_name = text(scanner)?,
                // Encord's exporter puts a word there.
                b"keypoints" if scanner.peek()? == b'[' => keypoints = texts(scanner)?,
                _ => scanner.skip()?,
            }
        }
        let name = if matches!(name, Value::Null) { file_name } else { name };
        Ok((start, found, name, keypoints))
    })?;
    let (mut a, mut b, mut c) = (Vec::new(), Vec::new(), Vec::new());
    let keypoints = keypoints
        .into_iter()
        .map(|name| content(window, name, &mut c).unwrap_or_default().into())
        .collect();
    add(key(window, id, &mut a), content(window, name, &mut b), keypoints)
        .map_err(|why| refused(window, start, what, id, why))
}
