//! The first look at a file: what kind it is, its images, categories and videos, and where its annotations start.

use super::entries::{category, image, video};
use super::tables::CocoTables;
use crate::error::Result;
use crate::json::Window;
use crate::json::{bad, only_space, plain, Scan, Scanner, Text};
use crate::source::SourceFile;

/// The sections that matter, each allowed once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Images,
    Categories,
    Videos,
    Annotations,
    /// Not a section: the key by which a line of a reject file is known.
    RejectedAnnotation,
    /// Not a section: a key by which an annotation is known that is a line of its own.
    OfAnnotation,
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
            b"image_id" | b"category_id" => Self::OfAnnotation,
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
    /// Annotations, each on a line of its own, the first of which starts at a byte.
    Lines { byte: u64 },
}

impl Found {
    /// Byte where the annotations start.
    pub fn byte(self) -> u64 {
        match self {
            Self::Annotations { byte, .. } | Self::Results { byte } | Self::Rejects { byte } | Self::Lines { byte } => {
                byte
            }
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
            scanner.skip_mark()?;
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
                Section::Categories => self.list("`categories` is not a list", |window| category(window, tables))?,
                Section::Videos => self.list("`videos` is not a list", |window| video(window, tables))?,
                Section::RejectedAnnotation if !seen.any() => return Ok(Found::Rejects { byte: start }),
                Section::OfAnnotation if !seen.any() => return Ok(Found::Lines { byte: start }),
                Section::Other | Section::RejectedAnnotation | Section::OfAnnotation => self.window.skip()?,
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
            "the section appears twice; expected `images`, `annotations`, `categories` and `videos` once each",
        );
    }
    Ok(Some(section))
}
