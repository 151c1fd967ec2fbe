//! YouTube-VIS and OVIS results: an entry is a track, with a mask for each frame of its video that it is on.
//!
//! `[{"video_id", "category_id", "score", "segmentations": [RLE or null, ...]}]`; the n-th mask is on the n-th frame that the
//! ground truth lists.
//!
//! Source: the format's page in trackeval 1.3.0; youtubevos' cocoapi, `ytvos.py`.

mod ground_truth;

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use xxhash_rust::xxh3::Xxh3;

use super::json_names::JSON_SUFFIXES;
use super::json_values::{member, name, place, score, Wrong};
use super::list_entries::{EntryFormat, EntryReader, Rows};
use super::segmentation::Segmentation;
use super::{Files, Format, Opened, Opening, ReadOption};
use crate::batch::Annotation;
use crate::error::Result;
use crate::json::{plain, Scan, Scanner};
use crate::reject::Reason;
use crate::source::{Frames, SourceFile};
use ground_truth::{GroundTruth, Video};

/// YouTube-VIS results.
pub static FORMAT: Format = Format {
    name: "youtube-vis",
    about: "YouTube-VIS and OVIS results: a list of tracks with a mask a frame",
    files: Files::Each(JSON_SUFFIXES),
    options: &[ReadOption::Annotations],
    frames: Frames::FROM_0,
    detect: |head| head.is_json("youtube-vis"),
    open: |opening| Ok(Opened::reader(EntryReader::open(YoutubeVis::new(&opening)?, &opening)?)),
};

/// What is known besides the tracks.
#[derive(Clone)]
struct YoutubeVis {
    ground_truth: Option<Arc<GroundTruth>>,
    /// Whether it is said how the listed frames lie in the media.
    has_stride: bool,
    /// Videos with only some of their frames listed that were warned of.
    sampled: HashSet<String>,
    area: Segmentation,
}

/// The fields of an entry.
#[derive(Default)]
struct Track {
    video: Option<String>,
    category: Option<String>,
    score: Option<f64>,
    /// Where its list of masks begins.
    masks: Option<usize>,
    /// Why it cannot be read.
    odd: Option<Reason>,
}

impl Track {
    /// Its video, class and masks.
    fn parts(&self) -> std::result::Result<(&str, &str, usize), Reason> {
        if let Some(reason) = &self.odd {
            return Err(reason.clone());
        }
        let missing = |field| Reason::MissingField { field };
        Ok((
            self.video.as_deref().ok_or(missing("video_id"))?,
            self.category.as_deref().ok_or(missing("category_id"))?,
            self.masks.ok_or(missing("segmentations"))?,
        ))
    }
}

impl YoutubeVis {
    fn new(opening: &Opening<'_>) -> Result<Self> {
        let read = |path: &Path| GroundTruth::read(&SourceFile::path(path));
        let annotations = opening.options.annotations.as_deref();
        Ok(Self {
            ground_truth: annotations.map(|path| opening.beside.get(path, read)).transpose()?,
            has_stride: opening.options.frame_stride.is_some(),
            sampled: HashSet::new(),
            area: Segmentation::default(),
        })
    }

    /// What a track goes by, which no file says: a digest of its masks, so that it does not depend on the order of tracks.
    fn track_id(&mut self, mut scanner: Scanner<'_>, text: &[u8]) -> Scan<String> {
        let mut digest = Xxh3::new();
        let (mut first, mut frame) = (true, 0u32);
        scanner.at += 1;
        while scanner.next_item(&mut first)? {
            scanner.peek()?;
            let start = scanner.at;
            if self.area.read(&mut scanner)?.is_err() {
                self.area.clear();
                scanner.at = start;
                scanner.skip()?;
                digest.update(scanner.since(start));
            }
            if let Some((counts, size_hw)) = self.area.rle(text) {
                digest.update(&frame.to_le_bytes());
                size_hw.iter().for_each(|side| digest.update(&side.to_le_bytes()));
                digest.update(counts);
            }
            let coords = self.area.points().into_iter().flat_map(|points| points.coords);
            coords.for_each(|coordinate| digest.update(&coordinate.to_le_bytes()));
            frame = frame.saturating_add(1);
        }
        Ok(format!("{:016x}", digest.digest()))
    }
}

impl EntryFormat for YoutubeVis {
    const MEMBER: Option<&'static str> = None;
    const MAY_BE_LIST: bool = true;
    type Record = Track;

    fn record(&mut self, scanner: &mut Scanner<'_>) -> Scan<Track> {
        let mut track = Track::default();
        let mut first = true;
        if scanner.peek()? != b'{' {
            let start = scanner.at;
            scanner.skip()?;
            track.odd = Some(Wrong::Expected("an object").reason("track", scanner.since(start)));
            return Ok(track);
        }
        scanner.at += 1;
        while let Some(key) = scanner.next_key(&mut first)? {
            let odd = &mut track.odd;
            match plain(scanner, key, &mut Vec::new()) {
                b"video_id" => track.video = member(scanner, "video_id", odd, name)?,
                b"category_id" => track.category = member(scanner, "category_id", odd, name)?,
                b"score" => track.score = member(scanner, "score", odd, score)?,
                b"segmentations" => {
                    track.masks = member(scanner, "segmentations", odd, |scanner| place(scanner, b'['))?;
                }
                _ => scanner.skip()?,
            }
        }
        Ok(track)
    }

    fn rows(&mut self, record: &Track, _number: u32, rows: &mut Rows<'_>) -> Scan<()> {
        let (video_id, category_id, masks) = match record.parts() {
            Ok(parts) => parts,
            Err(reason) => {
                rows.reject_record(reason);
                return Ok(());
            }
        };
        let track = self.track_id(rows.scanner(masks), rows.text())?;
        let ground_truth = self.ground_truth.clone();
        let video: Option<&Video> = ground_truth.as_ref().and_then(|truth| truth.videos.get(video_id));
        let class = ground_truth.as_ref().and_then(|truth| truth.classes.get(category_id));
        let media = video.map_or(video_id, |video| &video.name);
        if !self.has_stride && video.is_some_and(|video| video.is_sampled) && self.sampled.insert(video_id.to_owned()) {
            rows.warn("sampled_frames");
        }
        let row = Annotation {
            track: Some(&track),
            score: record.score,
            width_px: video.and_then(|video| video.width),
            height_px: video.and_then(|video| video.height),
            ..Annotation::object("", 0, media, 0, class.map_or(category_id, |name| name))
        };
        let length = video.and_then(|video| video.length);
        let mut scanner = rows.scanner(masks);
        let (mut first, mut frame) = (true, 0u32);
        scanner.at += 1;
        while scanner.next_item(&mut first)? {
            if scanner.null()? {
                // The track is not on the frame.
            } else if length.is_some_and(|length| frame >= length) {
                let start = scanner.at;
                scanner.skip()?;
                let reason = Reason::BadField {
                    field: "segmentations",
                    expected: "no mask behind the video's last frame",
                    found: format!(
                        "a list with a mask at index {frame}, of a video of {} frames",
                        length.unwrap_or(0)
                    ),
                };
                rows.reject_row(start, &row, Some(frame), reason);
            } else {
                rows.segmentation(&mut scanner, &mut self.area, &row, frame)?;
            }
            frame = frame.saturating_add(1);
        }
        Ok(())
    }
}
