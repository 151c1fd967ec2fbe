//! SA-V: a file is a video, a record is an annotated frame with a mask for each object.
//!
//! `{"video_id", "video_frame_count", "masklet": [[RLE, ...], ...], "masklet_id": [...], ...}`. Videos have 24 frames a second,
//! and six of them are annotated.
//!
//! Source: SAM 2, `sav_dataset/README.md` and its example.

use std::sync::Arc;

use super::json_names::JSON_SUFFIXES;
use super::json_values::{count, member, name, Wrong};
use super::list_entries::{EntryFormat, EntryReader, Rows, CHUNK_BYTES};
use super::segmentation::Segmentation;
use super::{Files, Format, Opened, Opening, ReadOption};
use crate::batch::Annotation;
use crate::error::{Error, Result};
use crate::json::{only_space, plain, Scan, Scanner, Window};
use crate::reject::Reason;
use crate::source::{stem, Frames, Source, SourceFile};

const MASKS: &str = "masklet";

/// SA-V's annotations.
pub static FORMAT: Format = Format {
    name: "sav",
    about: "SA-V: a video with the masks of its objects on every fourth frame",
    files: Files::Each(JSON_SUFFIXES),
    options: &[ReadOption::Class, ReadOption::Media],
    frames: Frames { base: 0, stride: 4 },
    detect: |head| head.is_json("sav"),
    open,
};

fn open(opening: Opening<'_>) -> Result<Opened> {
    let Source::File(file) = &opening.source else {
        return Err(opening.wrong_source("a file"));
    };
    let options = opening.options;
    let Some(class) = options.class.clone() else {
        return Err(Error::Plan(format!(
            "{}: SA-V's files do not say what they show; give --class NAME",
            opening.label
        )));
    };
    let video = Video::read(file, options.chunk_bytes.unwrap_or(CHUNK_BYTES))?;
    if options.frame_stride.is_none() && video.is_dense() {
        let message = format!(
            "`{MASKS}` has {} entries for a video of {} frames, so that not every fourth frame is annotated; say which are with \
             --frame-stride (1: every frame)",
            video.annotated,
            video.frames.unwrap_or(0)
        );
        return Err(file.error(0, message));
    }
    let file_name = file.file_name().unwrap_or_default();
    let media = options.media.clone().or(video.name);
    let sav = Sav {
        media: media.unwrap_or_else(|| stem(&file_name).to_owned()),
        class,
        tracks: video.tracks.into(),
        area: Segmentation::default(),
    };
    Ok(Opened::reader(EntryReader::open(sav, &opening)?))
}

/// What a file says besides its masks, in front of them or behind.
#[derive(Default)]
struct Video {
    name: Option<String>,
    frames: Option<u32>,
    tracks: Vec<String>,
    /// How many entries the list of masks has.
    annotated: u64,
}

impl Video {
    fn read(file: &SourceFile, chunk_bytes: usize) -> Result<Self> {
        let mut window = Window::open(file, 0, chunk_bytes)?;
        let mut video = Self::default();
        let is_empty = window.item(|scanner| {
            scanner.skip_mark()?;
            scanner.at_end()
        })?;
        if is_empty {
            return Ok(video);
        }
        window.item(|scanner| scanner.expect(b'{', "expected a JSON object with `masklet`"))?;
        let mut first = true;
        loop {
            window.release();
            let was_first = std::mem::take(&mut first);
            let found = window.item(|scanner| {
                let Some(key) = scanner.next_key(&mut { was_first })? else {
                    return Ok(Found::End);
                };
                Ok(match plain(scanner, key, &mut Vec::new()) {
                    b"video_id" => Found::Name(member(scanner, "video_id", &mut None, name)?),
                    b"video_frame_count" => Found::Frames(member(scanner, "video_frame_count", &mut None, count)?),
                    b"masklet_id" => Found::Tracks(tracks(scanner)?),
                    b"masklet" if scanner.peek()? == b'[' => {
                        scanner.at += 1;
                        Found::Masks
                    }
                    _ => Found::Other,
                })
            })?;
            match found {
                Found::Name(name) => video.name = name,
                Found::Frames(frames) => video.frames = frames,
                Found::Tracks(tracks) => video.tracks = tracks,
                Found::Masks => video.annotated = entries(&mut window)?,
                Found::Other => window.skip()?,
                Found::End => break,
            }
        }
        window.item(only_space)?;
        Ok(video)
    }

    /// Whether more of its frames are annotated than every fourth.
    fn is_dense(&self) -> bool {
        let stride = FORMAT.frames.stride as u64;
        let last = self.annotated.saturating_sub(1) * stride;
        self.frames.is_some_and(|frames| last >= u64::from(frames.max(1)))
    }
}

/// A member of the file.
enum Found {
    Name(Option<String>),
    Frames(Option<u32>),
    Tracks(Vec<String>),
    Masks,
    Other,
    End,
}

/// Counts the entries of a list whose `[` is consumed.
fn entries(window: &mut Window) -> Result<u64> {
    let (mut first, mut count) = (true, 0);
    loop {
        window.release();
        let was_first = std::mem::take(&mut first);
        if !window.item(|scanner| scanner.next_item(&mut { was_first }))? {
            return Ok(count);
        }
        window.skip()?;
        count += 1;
    }
}

/// Reads the ids of objects; one that is not an id is empty, and its object has no track.
fn tracks(scanner: &mut Scanner<'_>) -> Scan<Vec<String>> {
    scanner.expect(b'[', "`masklet_id` is not a list")?;
    let (mut first, mut tracks) = (true, Vec::new());
    while scanner.next_item(&mut first)? {
        let id = member(scanner, "masklet_id", &mut None, name)?;
        tracks.push(id.unwrap_or_default());
    }
    Ok(tracks)
}

/// What all masks have in common.
#[derive(Clone)]
struct Sav {
    media: String,
    class: String,
    /// Of each object.
    tracks: Arc<[String]>,
    area: Segmentation,
}

impl EntryFormat for Sav {
    const MEMBER: Option<&'static str> = Some(MASKS);
    const MAY_BE_LIST: bool = false;
    /// Whether it is a list of masks.
    type Record = bool;

    fn record(&mut self, scanner: &mut Scanner<'_>) -> Scan<bool> {
        let is_list = scanner.peek()? == b'[';
        scanner.skip()?;
        Ok(is_list)
    }

    fn rows(&mut self, is_list: &bool, number: u32, rows: &mut Rows<'_>) -> Scan<()> {
        if !is_list {
            let found = &rows.text()[rows.record.clone()];
            if found != b"null" {
                rows.reject_record(Wrong::Expected("a list with a mask for each object").reason(MASKS, found));
            }
            return Ok(());
        }
        let mut scanner = rows.scanner(rows.record.start + 1);
        let (mut first, mut object) = (true, 0);
        while scanner.next_item(&mut first)? {
            let row = Annotation {
                track: self.tracks.get(object).map(String::as_str),
                ..Annotation::object("", 0, &self.media, 0, &self.class)
            };
            if scanner.null()? {
                // The object is not on the frame.
            } else if row.track.is_none() {
                let start = scanner.at;
                scanner.skip()?;
                let reason = Reason::BadField {
                    field: "masklet_id",
                    expected: "an id for each object of a frame",
                    found: format!("a list of {} ids, on a frame with more masks", self.tracks.len()),
                };
                rows.reject_row(start, &row, Some(number), reason);
            } else {
                rows.segmentation(&mut scanner, &mut self.area, &row, number)?;
            }
            object += 1;
        }
        Ok(())
    }
}
