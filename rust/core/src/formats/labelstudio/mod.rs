//! Label Studio: a record is a task, with the regions that models predicted on its image or video.
//!
//! `[{"data": {"image" | "video": url}, "predictions": [{"score", "model_version", "result": [...]}], "annotations": [...]}]`. What
//! people annotated is left out. Results of one id are one region: one draws it, others label it or answer questions about it.
//! Coordinates are percent of the image.
//!
//! Source: label-studio-sdk 2.1.2, `converter/` and `label_studio_tools/postprocessing/video.py`.

mod brush;
mod region;
mod results;

use std::borrow::Cow;
use std::sync::Arc;

use percent_encoding::percent_decode_str;

use super::json_names::JSON_SUFFIXES;
use super::json_values::{member, name, place, score, string, Wrong};
use super::keyframes::Gaps;
use super::list_entries::{EntryFormat, EntryReader, Rows};
use super::{Files, Format, KnownNames, Opened, Opening, ReadOption};
use crate::error::Result;
use crate::json::{plain, Scan, Scanner};
use crate::reject::Reason;
use crate::source::{base_name, Frames};
use region::{begin, Region};
use results::Results;

/// Label Studio's JSON.
pub static FORMAT: Format = Format {
    name: "labelstudio",
    about: "Label Studio: tasks with the regions that models predicted",
    files: Files::Each(JSON_SUFFIXES),
    options: &[ReadOption::ModelVersion],
    frames: Frames::FROM_1,
    detect: |head| head.is_json("labelstudio"),
    open,
};

fn open(opening: Opening<'_>) -> Result<Opened> {
    let tasks = Tasks {
        model_version: opening.options.model_version.clone(),
        known: opening.project.map(|project| project.known_names()),
    };
    let gaps = Gaps::of(&opening, &FORMAT)?;
    Ok(Opened::reader(EntryReader::with_gaps(tasks, &opening, gaps)?))
}

/// What is known besides the tasks.
#[derive(Clone)]
struct Tasks {
    /// The model whose predictions are read; all of them if none.
    model_version: Option<String>,
    known: Option<Arc<KnownNames>>,
}

/// The fields of a task.
#[derive(Default)]
struct Task {
    /// Where its image or video is.
    media: Option<String>,
    /// Where the list of predictions begins.
    predictions: Option<usize>,
    /// Results that people made.
    human: u64,
    /// Why it cannot be read.
    odd: Option<Reason>,
}

/// What a prediction says of all of its results.
#[derive(Default)]
struct Prediction {
    score: Option<f64>,
    model_version: Option<String>,
    regions: Vec<Region>,
    odd: Option<Reason>,
}

impl EntryFormat for Tasks {
    const MEMBER: Option<&'static str> = None;
    const MAY_BE_LIST: bool = true;
    type Record = Task;

    fn record(&mut self, scanner: &mut Scanner<'_>) -> Scan<Task> {
        let mut task = Task::default();
        scanner.peek()?;
        let start = scanner.at;
        if !begin(scanner)? {
            task.odd = Some(Wrong::Expected("an object").reason("task", scanner.since(start)));
            return Ok(task);
        }
        let mut first = true;
        while let Some(key) = scanner.next_key(&mut first)? {
            let odd = &mut task.odd;
            match plain(scanner, key, &mut Vec::new()) {
                b"data" => task.media = media(scanner)?,
                b"predictions" => {
                    task.predictions = member(scanner, "predictions", odd, |scanner| place(scanner, b'['))?;
                }
                b"annotations" | b"completions" | b"drafts" => task.human += results(scanner)?,
                _ => scanner.skip()?,
            }
        }
        Ok(task)
    }

    fn rows(&mut self, task: &Task, _number: u32, rows: &mut Rows<'_>) -> Scan<()> {
        rows.leave_out("human_annotation", task.human);
        let predictions = match (&task.odd, task.predictions) {
            (Some(reason), _) => {
                rows.reject_record(reason.clone());
                return Ok(());
            }
            (None, None) => return Ok(()),
            (None, Some(place)) => place,
        };
        let mut scanner = rows.scanner(predictions);
        let mut first = true;
        scanner.at += 1;
        while scanner.next_item(&mut first)? {
            scanner.peek()?;
            let start = scanner.at;
            let prediction = prediction(&mut scanner)?;
            let is_other = |wanted: &String| prediction.model_version.as_ref() != Some(wanted);
            if let Some(reason) = prediction.odd {
                rows.reject(start..scanner.at, reason);
            } else if self.model_version.as_ref().is_some_and(is_other) {
                rows.leave_out("model_version", prediction.regions.len() as u64);
            } else if let Some(media) = &task.media {
                let media = self.without_prefix(media);
                Results::of(&media, prediction.score, prediction.regions).rows(rows)?;
            } else if !prediction.regions.is_empty() {
                rows.reject(start..scanner.at, Reason::MissingField { field: "data" });
            }
        }
        Ok(())
    }
}

impl Tasks {
    /// The name by which a medium is looked for: Label Studio puts eight hexadecimal digits in front of the names of files that
    /// are uploaded to it. They are left out where the project has the medium without them alone.
    fn without_prefix<'u>(&self, url: &'u str) -> Cow<'u, str> {
        let path = url.split(['?', '#']).next().unwrap_or_default();
        let file = percent_decode_str(base_name(path)).decode_utf8_lossy();
        let is_digit = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
        let uploaded = file
            .split_once('-')
            .filter(|(digits, name)| digits.len() == 8 && digits.as_bytes().iter().all(is_digit) && !name.is_empty());
        let Some(((_, name), known)) = uploaded.zip(self.known.as_deref()) else {
            return url.into();
        };
        let has = |name: &str| known.has_title(name) || known.has_medium(name);
        if has(name) && !has(&file) && !has(url) {
            name.to_owned().into()
        } else {
            url.into()
        }
    }
}

/// Reads where the image or video of a task is: what `data` calls so, else its first text.
fn media(scanner: &mut Scanner<'_>) -> Scan<Option<String>> {
    if scanner.peek()? != b'{' {
        return member(scanner, "data", &mut None, name);
    }
    scanner.at += 1;
    let (mut first, mut named, mut any) = (true, None, None);
    while let Some(key) = scanner.next_key(&mut first)? {
        let is_named = matches!(plain(scanner, key, &mut Vec::new()), b"image" | b"video");
        if scanner.peek()? != b'"' {
            scanner.skip()?;
            continue;
        }
        let text = scanner.string()?;
        let text = string(scanner, text);
        if is_named {
            named = Some(text);
        } else {
            any = any.or(Some(text));
        }
    }
    Ok(named.or(any))
}

/// Counts the results of what people annotated.
fn results(scanner: &mut Scanner<'_>) -> Scan<u64> {
    if scanner.peek()? != b'[' {
        return scanner.skip().map(|()| 0);
    }
    scanner.at += 1;
    let (mut first, mut found) = (true, 0);
    while scanner.next_item(&mut first)? {
        if !begin(scanner)? {
            continue;
        }
        let mut first = true;
        while let Some(key) = scanner.next_key(&mut first)? {
            let is_list = plain(scanner, key, &mut Vec::new()) == b"result" && scanner.peek()? == b'[';
            if !is_list {
                scanner.skip()?;
                continue;
            }
            scanner.at += 1;
            let mut first = true;
            while scanner.next_item(&mut first)? {
                scanner.skip()?;
                found += 1;
            }
        }
    }
    Ok(found)
}

/// Reads a prediction.
fn prediction(scanner: &mut Scanner<'_>) -> Scan<Prediction> {
    let start = scanner.at;
    let mut prediction = Prediction::default();
    if !begin(scanner)? {
        prediction.odd = Some(Wrong::Expected("an object with a `result`").reason("predictions", scanner.since(start)));
        return Ok(prediction);
    }
    let mut first = true;
    while let Some(key) = scanner.next_key(&mut first)? {
        let odd = &mut prediction.odd;
        match plain(scanner, key, &mut Vec::new()) {
            b"score" => prediction.score = member(scanner, "score", odd, score)?,
            b"model_version" => prediction.model_version = member(scanner, "model_version", odd, name)?,
            b"result" => {
                if scanner.peek()? != b'[' {
                    member::<Option<usize>>(scanner, "result", odd, |scanner| place(scanner, b'['))?;
                    continue;
                }
                scanner.at += 1;
                let mut first = true;
                while scanner.next_item(&mut first)? {
                    prediction.regions.push(Region::read(scanner)?);
                }
            }
            _ => scanner.skip()?,
        }
    }
    Ok(prediction)
}
