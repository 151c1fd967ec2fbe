//! Reads formats whose record is a picture of masks: from a PNG file, or from all of a folder.

use serde_json::{Map, Value};

use super::draft::{Draft, Rows};
use super::members::{Members, NextFile};
use super::{Batch, OpenPiece, Opening, Reader};
use crate::batch::{Annotation, RleOrder, Shape};
use crate::error::Result;
use crate::reject::{Origin, Reason, Reject};
use crate::rle::{Regions, Rle, RowMajor};
use crate::source::{number_at_end, Picture, PictureError, Pixels, SourceFile, COLOUR_TYPE_AT};

/// Bytes of PNG files after which a batch is full.
const BATCH_BYTES: u64 = 1 << 20;

/// Bytes of run-length strings after which a batch is full.
const BATCH_RLE_BYTES: usize = 1 << 22;

/// Bytes of text that take as long to read as a byte of a picture.
const TEXT_BYTES_A_BYTE: u64 = 8;

/// What a format makes of its pictures.
pub(super) trait PictureFormat: Clone + Send + 'static {
    /// What its pixels are.
    const PIXELS: Pixels;
    /// What to do with pictures whose pixels are something else.
    const INSTEAD: &'static str;

    /// What the path of a picture says.
    fn place(&self, path: &PicturePath) -> Place;

    /// The mask that a pixel is in; none for the background. A mask is called as its pixels unless this says otherwise.
    fn mask_of(&self, place: &Place, value: u32) -> Option<u32> {
        let _ = place;
        (value != 0).then_some(value)
    }

    /// Takes the masks of a picture in the order of their values: pushes their rows, counts or rejects them.
    fn masks(&self, masks: &mut dyn Iterator<Item = (u32, Rle<RowMajor>)>, rows: &mut Masks<'_>);
}

/// The path of a picture.
pub(super) struct PicturePath {
    names: Vec<String>,
    /// How many names are below the source.
    pub below: usize,
}

impl PicturePath {
    /// The name of its file without the suffix.
    pub fn stem(&self) -> &str {
        let name = self.names.last().map_or("", String::as_str);
        let is_png = name.len() > 4 && name.as_bytes()[name.len() - 4..].eq_ignore_ascii_case(b".png");
        if is_png {
            &name[..name.len() - 4]
        } else {
            name
        }
    }

    /// The folder that it is in, or the one `up` folders further up; empty where there is none.
    pub fn folder(&self, up: usize) -> &str {
        let at = self.names.len().checked_sub(2 + up);
        at.map_or("", |at| self.names[at].as_str())
    }

    /// The number at the end of its name.
    pub fn frame(&self) -> Option<u32> {
        number_at_end(self.stem()).and_then(|frame| frame.try_into().ok())
    }
}

/// The image or frame that a picture is about.
pub(super) struct Place {
    pub media: String,
    pub frame: Option<u32>,
    /// The object that the picture is of, where it is of one alone.
    pub object: Option<String>,
}

/// What is used again for each picture of a batch.
#[derive(Default)]
pub(super) struct MasksRoom {
    /// A run-length string.
    string: Vec<u8>,
    /// Bytes of all run-length strings of the batch.
    rle_bytes: usize,
}

impl MasksRoom {
    /// Begins a batch.
    pub fn begin(&mut self) {
        self.rle_bytes = 0;
    }

    /// Whether the batch has enough of masks.
    pub fn is_full(&self) -> bool {
        self.rle_bytes >= BATCH_RLE_BYTES
    }
}

/// Takes the masks of a picture.
pub(super) struct Masks<'r> {
    pub place: &'r Place,
    rows: Rows<'r>,
    origin: &'r Origin,
    room: &'r mut MasksRoom,
}

impl<'r> Masks<'r> {
    /// Takes the masks of the picture at a place; `origin` is that of rejects.
    pub fn new(place: &'r Place, rows: Rows<'r>, origin: &'r Origin, room: &'r mut MasksRoom) -> Self {
        Self {
            place,
            rows,
            origin,
            room,
        }
    }

    /// Adds a mask of a class.
    pub fn push(&mut self, class: &str, track: Option<&str>, mask: &Rle<RowMajor>) {
        self.push_scored(class, track, None, mask);
    }

    /// Adds a mask of a class, with its score if it has one.
    pub fn push_scored(&mut self, class: &str, track: Option<&str>, score: Option<f64>, mask: &Rle<RowMajor>) {
        let string = &mut self.room.string;
        string.clear();
        mask.to_string_into(string);
        self.room.rle_bytes += string.len();
        let row = Annotation {
            track,
            score,
            shape: Some(Shape::Bitmask),
            width_px: Some(mask.size().w()),
            height_px: Some(mask.size().h()),
            rle: Some(string),
            rle_order: Some(RleOrder::RowMajor),
            ..Annotation::object("", 0, &self.place.media, 0, class)
        };
        self.rows.push(&row, self.place.frame);
    }

    /// Counts a mask that the format's own rules leave out.
    pub fn leave_out(&mut self, why: &'static str) {
        self.rows.leave_out(why);
    }

    /// Rejects what would have been a row of a track, or the whole picture.
    pub fn reject(&mut self, reason: Reason, track: Option<&str>) {
        // What is known of it, as a row of the table: whoever fixes it adds the rest.
        let mut known = Map::from_iter([("media".to_owned(), Value::from(self.place.media.as_str()))]);
        known.extend(self.place.frame.map(|frame| ("frame".to_owned(), frame.into())));
        known.extend(track.map(|track| ("track".to_owned(), track.into())));
        let text = Value::Object(known).to_string();
        let reject = Reject::new(reason, self.origin, self.rows.offset, None, Some(text.as_bytes()));
        self.rows.batch.rejects.push(reject);
    }
}

/// Reads the pictures of one document.
pub(super) struct PictureReader<F: PictureFormat> {
    format: F,
    origin: Origin,
    files: Members,
    bytes_read: u64,
    chunk_bytes: Option<usize>,
    room: MasksRoom,
}

impl<F: PictureFormat> PictureReader<F> {
    /// Reads a picture, or the pictures of a folder.
    ///
    /// # Errors
    /// [`crate::error::Error::Plan`] for a table.
    pub fn open(format: F, opening: &Opening<'_>) -> Result<Self> {
        Ok(Self::of(
            format,
            Origin::of(opening.label),
            Members::of(opening)?,
            opening.options.chunk_bytes,
        ))
    }

    fn of(format: F, origin: Origin, files: Members, chunk_bytes: Option<usize>) -> Self {
        Self {
            format,
            origin,
            files,
            bytes_read: 0,
            chunk_bytes,
            room: MasksRoom::default(),
        }
    }

    fn read(&mut self, next: NextFile, draft: &mut Draft) -> Result<()> {
        let path = PicturePath {
            names: next.path,
            below: next.below,
        };
        let place = self.format.place(&path);
        if let Some(member) = &next.member {
            draft.name_member(member);
        }
        let origin = Origin {
            member: next.member,
            ..self.origin.clone()
        };
        let rows = Rows {
            source: &self.origin.source,
            offset: 0,
            batch: draft,
        };
        let mut masks = Masks::new(&place, rows, &origin, &mut self.room);
        self.bytes_read += next.file.len_bytes();
        let mask_of = |value| self.format.mask_of(&place, value);
        match regions(&next.file, self.chunk_bytes, F::PIXELS, F::INSTEAD, mask_of) {
            Ok(regions) => self.format.masks(&mut regions.finish(), &mut masks),
            Err(PictureError::Content(message)) => masks.reject(Reason::BadPicture { message }, None),
            Err(PictureError::File(error)) => return Err(error),
        }
        Ok(())
    }
}

/// The masks of a picture, by what `mask_of` calls the one of a pixel; none for the background.
///
/// # Errors
/// [`PictureError`]; it is the file's where its pixels are not of the kind `expected`, and then says what to do `instead`.
pub(super) fn regions(
    file: &SourceFile,
    chunk_bytes: Option<usize>,
    expected: Pixels,
    instead: &str,
    mask_of: impl Fn(u32) -> Option<u32>,
) -> std::result::Result<Regions, PictureError> {
    let picture = Picture::open(file, chunk_bytes)?;
    if picture.pixels() != expected {
        let message = format!(
            "its pixels are {}; expected {}; {instead}",
            picture.pixels().name(),
            expected.name()
        );
        return Err(PictureError::File(file.error(COLOUR_TYPE_AT, message)));
    }
    let mut regions = Regions::new(picture.size());
    picture.runs(|value, pixels| match mask_of(value) {
        Some(mask) => regions.add(mask, pixels).map_err(|cause| cause.to_string()),
        None => {
            regions.skip(pixels);
            Ok(())
        }
    })?;
    Ok(regions)
}

impl<F: PictureFormat> Reader for PictureReader<F> {
    fn next_batch(&mut self) -> Result<Option<Batch>> {
        let mut draft = Draft::default();
        self.room.begin();
        let start = self.bytes_read;
        while !draft.is_full() && self.bytes_read - start < BATCH_BYTES && !self.room.is_full() {
            match self.files.next() {
                Some(next) => self.read(next, &mut draft)?,
                // Pictures without a mask end no batch.
                None if draft.is_empty() => return Ok(None),
                None => break,
            }
        }
        draft.finish().map(Some)
    }

    fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    fn pieces(&mut self, len_bytes: u64) -> Result<Option<Vec<OpenPiece>>> {
        let piece = |files| -> OpenPiece {
            let reader = Self::of(self.format.clone(), self.origin.clone(), files, self.chunk_bytes);
            Box::new(move || Ok(Box::new(reader)))
        };
        Ok(self
            .files
            .split(len_bytes / TEXT_BYTES_A_BYTE)
            .map(|parts| parts.into_iter().map(piece).collect()))
    }
}
