//! MOTChallenge text: a line is a box on a frame, a file is a sequence.
//!
//! `frame,id,left,top,width,height,conf,x,y,z` with 7 to 10 columns. Nine columns are ground truth:
//! `frame,id,left,top,width,height,considered,class,visibility`.
//!
//! Source: MOTChallenge's own description, as trackeval 1.3.0 has it. It counts pixels from 1; the writers of common
//! trackers do not, so that boxes are taken as they are unless an option says otherwise.

use super::lines::{stem, LineFormat, LineReader, Rows};
use super::{Files, Format, Head, Opened, Opening, ReadOption, Sure};
use crate::batch::{Annotation, Shape};
use crate::error::{Error, Result};
use crate::reject::Reason;
use crate::source::{Columns, Frames, Lines, SourceFile};

/// Columns of results, and of ground truth.
const COLUMNS: std::ops::RangeInclusive<usize> = 7..=10;
const GROUND_TRUTH_COLUMNS: usize = 9;

/// Files whose name says which list they are, not which sequence.
const NAMELESS: [&str; 2] = ["gt", "det"];

/// MOTChallenge text.
pub static FORMAT: Format = Format {
    name: "mot",
    about: "MOTChallenge text: a line is a box on a frame, a file is a sequence",
    files: Files::Each(&[".txt", ".txt.gz", ".txt.zst", ".csv", ".csv.gz", ".csv.zst"]),
    options: &[ReadOption::Class, ReadOption::Media, ReadOption::PixelBase],
    frames: Frames::FROM_1,
    detect,
    open: |opening| Ok(Opened::reader(LineReader::open(Mot::new(&opening)?, &opening)?)),
};

/// Seven to ten numbers between commas, the first two of them whole.
fn detect(head: &Head) -> Sure {
    let is_row = |line: &str| {
        let columns = Columns::split(line);
        let whole = columns.whole(0, "frame").is_ok() && columns.whole(1, "id").is_ok();
        line.contains(',') && COLUMNS.contains(&columns.len()) && whole && columns.are_numbers()
    };
    head.most_lines(is_row)
}

/// What the rows of a sequence do not say.
#[derive(Debug, Clone)]
struct Mot {
    class: Option<String>,
    media: Option<String>,
    size_wh: Option<(u32, u32)>,
    pixel_base: f64,
}

impl Mot {
    fn new(opening: &Opening<'_>) -> Result<Self> {
        let mut mot = Self {
            class: opening.options.class.clone(),
            media: opening.options.media.clone(),
            size_wh: None,
            pixel_base: opening.options.pixel_base.unwrap_or(0).into(),
        };
        let Some(file) = opening.source.file() else {
            return Err(opening.wrong_source("a file"));
        };
        if mot.class.is_none() && !is_ground_truth(file)? {
            return Err(Error::Plan(format!(
                "{}: MOTChallenge results do not say what they show; give --class NAME",
                opening.label
            )));
        }
        let name = file.file_name().unwrap_or_default();
        if !NAMELESS.contains(&stem(&name)) {
            return Ok(mot);
        }
        let info = SequenceInfo::beside(file)?;
        mot.size_wh = info.size_wh;
        mot.media = mot.media.or(info.name);
        if mot.media.is_none() {
            return Err(Error::Plan(format!(
                "{}: {name} does not name its sequence, and there is no seqinfo.ini with a `name` in its folder or the one \
                 above; give --media NAME",
                opening.label
            )));
        }
        Ok(mot)
    }
}

impl LineFormat for Mot {
    /// Name of the medium.
    type File = String;

    fn file(&self, name: &str) -> String {
        self.media.clone().unwrap_or_else(|| stem(name).to_owned())
    }

    fn line(&self, media: &mut String, line: &str, rows: &mut Rows<'_>) -> std::result::Result<(), Reason> {
        let columns = Columns::split(line);
        if !COLUMNS.contains(&columns.len()) {
            let message = format!(
                "it has {} columns; expected 7 to 10 (frame, id, left, top, width, height, confidence, ...)",
                columns.len()
            );
            return Err(Reason::BadLine { message });
        }
        let frame = columns.whole(0, "frame")?;
        let frame = u32::try_from(frame).map_err(|_| columns.unlike(0, "frame", "a number of a frame"))?;
        let id = columns.whole(1, "id")?;
        let [left, top, width, height] = [
            columns.number(2, "left")?,
            columns.number(3, "top")?,
            columns.number(4, "width")?,
            columns.number(5, "height")?,
        ];
        let seventh = columns.number(6, "conf")?;
        let is_truth = columns.len() == GROUND_TRUTH_COLUMNS;
        if is_truth && seventh == 0.0 {
            rows.leave_out("not_considered");
            return Ok(());
        }
        let number;
        let class = match &self.class {
            Some(class) => class.as_str(),
            None if is_truth => {
                number = columns.whole(7, "class")?.to_string();
                &number
            }
            None => return Err(Reason::MissingField { field: "class" }),
        };
        let track = (id != -1).then(|| id.to_string());
        let row = Annotation {
            track: track.as_deref(),
            score: (!is_truth && seventh != -1.0).then_some(seventh),
            shape: Some(Shape::BoundingBox),
            width_px: self.size_wh.map(|size| size.0),
            height_px: self.size_wh.map(|size| size.1),
            bbox: Some([left - self.pixel_base, top - self.pixel_base, width, height]),
            ..Annotation::object("", 0, media, 0, class)
        };
        rows.push(&row, Some(frame));
        Ok(())
    }
}

/// Whether the first line has the columns of ground truth.
fn is_ground_truth(file: &SourceFile) -> Result<bool> {
    let mut lines = Lines::new(file.stream_from(0)?, None);
    let first = lines
        .next()?
        .map_or(0, |(_, line)| Columns::split(&String::from_utf8_lossy(line)).len());
    // An empty file holds no predictions, which is no error.
    Ok(first == GROUND_TRUTH_COLUMNS || first == 0)
}

/// What `seqinfo.ini` says of a sequence.
#[derive(Debug, Default, PartialEq)]
struct SequenceInfo {
    name: Option<String>,
    size_wh: Option<(u32, u32)>,
}

impl SequenceInfo {
    /// Reads the one beside a file, or beside its folder; empty if there is none.
    fn beside(file: &SourceFile) -> Result<Self> {
        let found = file
            .companion("seqinfo.ini")
            .or_else(|| file.companion("../seqinfo.ini"));
        found.map_or(Ok(Self::default()), |ini| Ok(Self::read(&ini.read_short()?)))
    }

    fn read(text: &str) -> Self {
        let value = |key: &str| {
            let mut entries = text.lines().filter_map(|line| line.split_once('='));
            let (_, value) = entries.find(|(name, _)| name.trim().eq_ignore_ascii_case(key))?;
            Some(value.trim()).filter(|value| !value.is_empty())
        };
        let side = |key| value(key)?.parse().ok();
        Self {
            name: value("name").map(str::to_owned),
            size_wh: side("imWidth").zip(side("imHeight")),
        }
    }
}
