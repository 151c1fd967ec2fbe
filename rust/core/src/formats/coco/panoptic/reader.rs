//! Reads the images of a panoptic file one by one, each with its PNG.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::Path;
use std::sync::Arc;

use super::entries::{id_text, Entry, Segment};
use super::pngs::Pngs;
use super::sections::{Annotations, CHUNK_BYTES};
use crate::error::{Error, Result};
use crate::formats::coco::{CocoOptions, CocoTables};
use crate::formats::draft::{Draft, Rows};
use crate::formats::pictures::{regions, Masks, MasksRoom, Place};
use crate::formats::{Batch, KnownNames, OpenPiece, Opening, Reader};
use crate::reject::{Origin, Reason, Reject};
use crate::rle::{Rle, RowMajor};
use crate::source::{number_at_end, PictureError, Pixels, SourceFile};

/// Pictures after which a batch is full.
const BATCH_PICTURES: usize = 64;

/// Bytes of text that take as long to read as a byte of an entry, with its picture.
const TEXT_BYTES_A_BYTE: u64 = 128;

/// What to do with pictures whose pixels are no ids.
const INSTEAD: &str = "the id of a segment is R + 256 G + 65536 B";

/// An image that is still to be read.
struct Image {
    /// Byte at which its entry begins.
    byte: u64,
    /// The video that it is listed under.
    video: Option<String>,
    entry: Entry,
}

/// Reads one panoptic file batch by batch.
pub(super) struct PanopticReader {
    annotations: Option<Annotations>,
    /// Images of the entry that was read last.
    waiting: VecDeque<Image>,
    pngs: Pngs,
    lists: Arc<Lists>,
    include_crowd: bool,
    origin: Origin,
    room: MasksRoom,
    file: SourceFile,
    chunk_bytes: Option<usize>,
}

impl PanopticReader {
    /// Opens a file whose PNGs are in a folder.
    ///
    /// # Errors
    /// [`Error::Source`] for what is not such a file; [`Error::Plan`] where nothing says what its categories are.
    pub fn open(file: &SourceFile, pngs: Pngs, opening: &Opening<'_>) -> Result<Self> {
        let chunk_bytes = opening.options.chunk_bytes;
        Ok(Self {
            annotations: Annotations::of(file, chunk_bytes.unwrap_or(CHUNK_BYTES))?,
            waiting: VecDeque::new(),
            pngs,
            lists: Arc::new(Lists::of(file, opening)?),
            include_crowd: opening.options.include_crowd,
            origin: Origin::of(opening.label),
            room: MasksRoom::default(),
            file: file.clone(),
            chunk_bytes,
        })
    }

    /// Byte at which each entry begins, up to one that cannot be read.
    fn entries(&self) -> Result<Vec<u64>> {
        let mut starts = Vec::new();
        if let Some(mut annotations) = Annotations::of(&self.file, self.chunk_bytes.unwrap_or(CHUNK_BYTES))? {
            while let Ok(Some((byte, _))) = annotations.next_entry() {
                starts.push(byte);
            }
        }
        Ok(starts)
    }

    /// Reads `left` entries of the list, from the one that begins at `byte` on.
    fn part(&self, byte: u64, left: u64) -> OpenPiece {
        let mut reader = Self {
            annotations: None,
            waiting: VecDeque::new(),
            pngs: self.pngs.clone(),
            lists: Arc::clone(&self.lists),
            include_crowd: self.include_crowd,
            origin: self.origin.clone(),
            room: MasksRoom::default(),
            file: self.file.clone(),
            chunk_bytes: self.chunk_bytes,
        };
        Box::new(move || {
            let chunk_bytes = reader.chunk_bytes.unwrap_or(CHUNK_BYTES);
            reader.annotations = Some(Annotations::part(&reader.file, byte, left, chunk_bytes)?);
            Ok(Box::new(reader))
        })
    }

    /// Reads the next entry; false at the end of the list.
    fn entry(&mut self, draft: &mut Draft) -> Result<bool> {
        let Some(annotations) = &mut self.annotations else {
            return Ok(false);
        };
        let Some((byte, text)) = annotations.next_entry()? else {
            return Ok(false);
        };
        match serde_json::from_slice::<Entry>(text) {
            Ok(mut entry) => {
                let of_video = entry.annotations.take();
                let video = of_video.as_ref().and(entry.video_id.as_ref()).map(id_text);
                let images = of_video.unwrap_or_else(|| vec![entry]).into_iter();
                self.waiting.extend(images.map(|entry| Image {
                    byte,
                    video: video.clone(),
                    entry,
                }));
            }
            Err(cause) => {
                let reason = Reason::BadField {
                    field: "segments_info",
                    expected: "a list of segments with `id` and `category_id`",
                    found: format!("not that: {cause}"),
                };
                let reject = Reject::new(reason, &self.origin, byte, None, Some(text));
                draft.rejects.push(reject);
            }
        }
        Ok(true)
    }

    /// Reads an image and its PNG.
    fn image(&mut self, image: Image, draft: &mut Draft) -> Result<()> {
        let Image { byte, video, entry } = image;
        let name = entry.file_name.as_deref().unwrap_or_default();
        let place = self.lists.place(video.as_deref(), &entry);
        let rows = Rows {
            source: &self.origin.source,
            offset: byte,
            batch: draft,
        };
        let mut masks = Masks::new(&place, rows, &self.origin, &mut self.room);
        let Some(segments) = &entry.segments_info else {
            masks.reject(Reason::MissingField { field: "segments_info" }, None);
            return Ok(());
        };
        let Some(path) = Pngs::path(video.as_deref(), name).filter(|_| !name.is_empty()) else {
            let reason = Reason::BadField {
                field: "file_name",
                expected: "the name of a PNG in the folder",
                found: format!("{name:?}"),
            };
            masks.reject(reason, None);
            return Ok(());
        };
        let Some(file) = self.pngs.file(&path) else {
            let message = format!("there is no {name} in the folder of the PNGs; add it, or give another --png-dir");
            masks.reject(Reason::BadPicture { message }, None);
            return Ok(());
        };
        let mask_of = |value| (value != 0).then_some(value);
        match regions(&file, self.chunk_bytes, Pixels::Rgb, INSTEAD, mask_of) {
            Ok(found) => self.lists.add(
                segments,
                found.finish(),
                video.is_some(),
                self.include_crowd,
                &mut masks,
            ),
            Err(PictureError::Content(message)) => {
                let message = format!("{name}: {message}");
                masks.reject(Reason::BadPicture { message }, None);
            }
            Err(PictureError::File(error)) => return Err(error),
        }
        Ok(())
    }
}

impl Reader for PanopticReader {
    fn next_batch(&mut self) -> Result<Option<Batch>> {
        let mut draft = Draft::default();
        self.room.begin();
        let mut pictures = 0;
        while !draft.is_full() && !self.room.is_full() && pictures < BATCH_PICTURES {
            if let Some(image) = self.waiting.pop_front() {
                self.image(image, &mut draft)?;
                pictures += 1;
            } else if !self.entry(&mut draft)? {
                if draft.is_empty() {
                    return Ok(None);
                }
                break;
            }
        }
        draft.finish().map(Some)
    }

    fn bytes_read(&self) -> u64 {
        self.annotations.as_ref().map_or(0, Annotations::stored_bytes)
    }

    fn pieces(&mut self, len_bytes: u64) -> Result<Option<Vec<OpenPiece>>> {
        if self.file.stream_from(0)?.packed_bytes().is_some() {
            return Ok(None);
        }
        let starts = self.entries()?;
        let mut pieces = Vec::new();
        let (mut at, mut rest) = (0, starts.as_slice());
        while let Some(&byte) = rest.first() {
            let share = byte + len_bytes / TEXT_BYTES_A_BYTE;
            let size = rest.partition_point(|&start| start < share).max(1);
            at += size;
            // The last one goes on to whatever ends the list.
            let left = if at == starts.len() { u64::MAX } else { size as u64 };
            pieces.push(self.part(byte, left));
            rest = &rest[size..];
        }
        Ok((pieces.len() > 1).then_some(pieces))
    }
}

/// What ids mean.
struct Lists {
    /// Images by id: medium and frame.
    images: HashMap<String, (String, Option<u32>)>,
    /// Names of categories by id.
    classes: HashMap<String, String>,
    known: Option<Arc<KnownNames>>,
}

impl Lists {
    /// The images and categories that the file lists, and those of `--annotations`.
    fn of(file: &SourceFile, opening: &Opening<'_>) -> Result<Self> {
        let options = CocoOptions {
            chunk_bytes: opening.options.chunk_bytes.unwrap_or(CHUNK_BYTES),
            ..CocoOptions::default()
        };
        let read = |path: &Path| CocoTables::read(&SourceFile::path(path), &options);
        let given = opening.options.annotations.as_deref();
        let given = given.map(|path| opening.beside.get(path, read)).transpose()?;
        let own = CocoTables::read(file, &options)?;
        let mut lists = Self {
            images: HashMap::new(),
            classes: HashMap::new(),
            known: opening.project.map(|project| project.known_names()),
        };
        // The file's own entries take the place of others.
        given.iter().for_each(|tables| lists.extend(tables));
        lists.extend(&own);
        let is_mapped = lists.known.as_ref().is_none_or(|known| known.has_class_map);
        if lists.classes.is_empty() && !is_mapped {
            return Err(Error::Plan(format!(
                "{}: the file has no `categories`; give the ground truth with --annotations, or --class-map with their ids",
                opening.label
            )));
        }
        Ok(lists)
    }

    fn extend(&mut self, tables: &CocoTables) {
        for image in tables.media_names() {
            if let Some(id) = &image.image_id {
                let frame = image.frame_index.and_then(|frame| frame.try_into().ok());
                self.images
                    .insert(id.clone().into_owned(), (image.label().to_owned(), frame));
            }
        }
        for class in tables.class_names() {
            if let (Some(id), Some(name)) = (&class.id, class.name) {
                self.classes.insert(id.clone().into_owned(), name.to_owned());
            }
        }
    }

    /// Where an image is: in its video, on the image that is listed, or on the one that its PNG is called as.
    fn place(&self, video: Option<&str>, entry: &Entry) -> Place {
        let name = entry.file_name.as_deref().unwrap_or_default();
        let id = entry.image_id.as_ref().map(id_text).unwrap_or_default();
        let is_known = self.known.as_ref().is_some_and(|known| known.has_medium(&id));
        let (media, frame) = match (video, self.images.get(&id)) {
            (Some(video), _) => (
                video.to_owned(),
                number_at_end(name).and_then(|frame| frame.try_into().ok()),
            ),
            (None, _) if is_known => (id, None),
            (None, Some(listed)) => listed.clone(),
            (None, None) => (name.to_owned(), None),
        };
        Place {
            media,
            frame,
            object: None,
        }
    }

    /// What rows call a category.
    fn class(&self, id: String) -> std::result::Result<String, Reason> {
        let is_mapped = self
            .known
            .as_ref()
            .is_some_and(|known| known.has_class_map && known.has_class(&id));
        match self.classes.get(&id) {
            Some(name) if !is_mapped => Ok(name.clone()),
            None if !is_mapped && !self.classes.is_empty() => Err(Reason::UnknownCategory { category_id: id }),
            _ => Ok(id),
        }
    }

    /// Adds the segments of an image whose pixels are `found`, in the order of the ids.
    fn add(
        &self,
        segments: &[Segment],
        found: impl Iterator<Item = (u32, Rle<RowMajor>)>,
        is_video: bool,
        include_crowd: bool,
        masks: &mut Masks<'_>,
    ) {
        let mut pixels: BTreeMap<u32, Rle<RowMajor>> = found.collect();
        let mut seen = std::collections::HashSet::new();
        for segment in segments {
            let track = is_video.then(|| segment.id.to_string());
            let id = segment.id.to_string();
            let mask = pixels.remove(&segment.id);
            if !seen.insert(segment.id) {
                masks.reject(
                    Reason::RepeatedId {
                        list: "segments_info",
                        id,
                    },
                    track.as_deref(),
                );
            } else if segment.is_crowd() && segment.score.is_none() && !include_crowd {
                masks.leave_out("crowd");
            } else {
                match (mask, self.class(id_text(&segment.category_id))) {
                    (Some(mask), Ok(class)) => masks.push_scored(&class, track.as_deref(), segment.score, &mask),
                    (None, _) => masks.reject(Reason::EmptyGeometry, track.as_deref()),
                    (Some(_), Err(reason)) => masks.reject(reason, track.as_deref()),
                }
            }
        }
        for id in pixels.into_keys() {
            let reason = Reason::BadField {
                field: "segments_info",
                expected: "a segment for each id of the PNG",
                found: format!("without the id {id}"),
            };
            masks.reject(reason, None);
        }
    }
}
