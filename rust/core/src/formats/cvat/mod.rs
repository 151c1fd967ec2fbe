//! CVAT's XML 1.1: images with shapes, or tracks with a shape on each frame.
//!
//! `<annotations><version>1.1</version><meta>...</meta><image id name width height><box .../></image><track id label><box frame
//! outside .../></track></annotations>`, in px. The number of a frame is that in the source video.
//!
//! Source: CVAT's page on its XML format and `dataset_manager/formats/cvat.py` (2024-07); datumaro 1.13.

mod meta;
mod shape;
mod xml;

use std::sync::Arc;

use super::draft::{known_members, Draft};
use super::figures::Figure;
use super::json_values::shown;
use super::keyframes::{answers, Gap, Gaps, Keyframe, Object};
use super::{Batch, Files, Format, Head, Opened, Opening, ReadOption, Reader, Skeletons, Sure};
use crate::batch::{Annotation, Kind, Unit};
use crate::error::Result;
use crate::reject::{Origin, Reason, Reject};
use crate::source::{Frames, Source};
use meta::Meta;
use shape::{count, Drawn};
use xml::{Element, Token, Xml};

/// Bytes of text after which a batch is full.
const BATCH_BYTES: u64 = 1 << 20;

/// What CVAT's menus have where nothing is chosen.
const UNDEFINED: &str = "__undefined__";

/// CVAT's XML.
pub static FORMAT: Format = Format {
    name: "cvat",
    about: "CVAT's XML 1.1: images with shapes, or tracks of a video",
    files: Files::Each(&[".xml", ".xml.gz", ".xml.zst"]),
    options: &[ReadOption::Media, ReadOption::ConfidenceField],
    frames: Frames::FROM_0,
    detect,
    open: |opening| Ok(Opened::reader(CvatReader::open(&opening)?)),
};

fn detect(head: &Head) -> Sure {
    let text = head.without_mark();
    let has = |tag: &str| memchr::memmem::find(text, tag.as_bytes()).is_some();
    if text.trim_ascii_start().first() == Some(&b'<') && has("<annotations") && has("<version>") {
        Sure::Yes
    } else {
        Sure::No
    }
}

/// An image or a track that is open.
enum Holder {
    Image {
        media: String,
        frame: Option<u32>,
        size_wh: [Option<u32>; 2],
    },
    Track {
        media: String,
        label: String,
        id: Option<String>,
        size_wh: [Option<u32>; 2],
        motion: Motion,
    },
}

/// How a track goes on.
struct Motion {
    /// Frames of the video from one frame of the task to the next.
    step: u32,
    /// The shape before, where it is in the picture.
    before: Option<Before>,
}

/// A shape of a track.
struct Before {
    frame: u32,
    drawn: Drawn,
    attributes: Vec<Answer>,
    score: Option<f64>,
    byte: u64,
}

/// A question and its answer.
type Answer = (String, Option<String>);

/// A shape or tag that is open.
struct Item {
    tag: Element,
    /// The points of a skeleton.
    points: Vec<Element>,
    /// Whether one of these is open.
    in_point: bool,
    attributes: Vec<Answer>,
}

struct CvatReader {
    xml: Xml,
    origin: Origin,
    media: Option<String>,
    confidence: Option<String>,
    meta: Meta,
    holder: Option<Holder>,
    item: Option<Item>,
    /// Name of the attribute whose text is read.
    attribute: Option<String>,
    gaps: Gaps,
    /// The skeletons of the project that the file is imported into.
    skeletons: Option<Arc<dyn Skeletons>>,
    has_root: bool,
    ended: bool,
}

impl CvatReader {
    fn open(opening: &Opening<'_>) -> Result<Self> {
        let Source::File(file) = &opening.source else {
            return Err(opening.wrong_source("a file"));
        };
        Ok(Self {
            xml: Xml::open(file, opening.options.chunk_bytes)?,
            origin: Origin::of(opening.label),
            media: opening.options.media.clone(),
            confidence: opening.options.confidence_field.clone(),
            meta: Meta::default(),
            holder: None,
            item: None,
            attribute: None,
            gaps: Gaps::of(opening, &FORMAT)?,
            skeletons: opening.project.map(|project| project.skeletons()),
            has_root: false,
            ended: false,
        })
    }

    fn token(&mut self, draft: &mut Draft) -> Result<()> {
        match self.xml.next()? {
            Token::Start(element) => self.start(element),
            Token::End(name, text) => {
                self.end(&name, text, draft);
                Ok(())
            }
            Token::Eof => {
                self.ended = true;
                Ok(())
            }
        }
    }

    fn start(&mut self, element: Element) -> Result<()> {
        if !std::mem::replace(&mut self.has_root, true) {
            return match element.name.as_str() {
                "annotations" => Ok(()),
                name => {
                    let message = format!("the XML begins with <{name}>; expected <annotations> of CVAT's XML 1.1");
                    Err(self.xml.error(element.byte, message))
                }
            };
        }
        match (element.name.as_str(), &mut self.item) {
            ("meta", None) => self.meta = Meta::read(&mut self.xml)?,
            ("image", None) => self.holder = Some(self.image(&element)),
            ("track", None) => self.holder = Some(self.track(&element)?),
            ("points", Some(item)) if item.tag.name == "skeleton" => {
                item.points.push(element);
                item.in_point = true;
            }
            ("attribute", Some(_)) => {
                self.attribute = Some(element.get("name").unwrap_or_default().to_owned());
            }
            (_, None) if self.holder.is_some() => {
                self.item = Some(Item {
                    tag: element,
                    points: Vec::new(),
                    in_point: false,
                    attributes: Vec::new(),
                });
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, name: &str, text: String, draft: &mut Draft) {
        if let (Some(question), Some(item)) = (self.attribute.take(), &mut self.item) {
            let text = text.trim();
            if item.in_point {
                draft.warn("point_attribute");
            } else if !text.is_empty() && text != UNDEFINED {
                item.attributes.push((question, Some(text.to_owned())));
            }
            return;
        }
        match name {
            "image" | "track" => self.holder = None,
            _ => {
                if let Some(item) = self.item.as_mut().filter(|item| item.in_point && name == "points") {
                    item.in_point = false;
                    return;
                }
                if let Some(item) = self.item.take_if(|item| item.tag.name == name) {
                    self.finish(item, draft);
                }
            }
        }
    }

    fn image(&self, element: &Element) -> Holder {
        let name = element.get("name").unwrap_or_default();
        let task = self.meta.task(element.get("task_id"));
        // The frames of a video that was annotated as images.
        let number = name.strip_prefix("frame_").and_then(|number| number.parse().ok());
        let source = task.and_then(|task| task.source.as_deref());
        let (media, frame) = match (number, self.media.as_deref().or(source)) {
            (Some(frame), Some(video)) => (video, Some(frame)),
            _ => (name, None),
        };
        Holder::Image {
            media: media.to_owned(),
            frame,
            size_wh: [count(element, "width").ok(), count(element, "height").ok()],
        }
    }

    fn track(&self, element: &Element) -> Result<Holder> {
        let task = self.meta.task(element.get("task_id"));
        let source = task.and_then(|task| task.source.clone());
        let Some(media) = self.media.clone().or(source) else {
            let message = "the file does not say which video its tracks are of; give --media NAME";
            return Err(self.xml.error(element.byte, message));
        };
        Ok(Holder::Track {
            media,
            label: element.get("label").unwrap_or_default().to_owned(),
            id: element.get("id").map(str::to_owned),
            size_wh: task.map(|task| task.size_wh).unwrap_or_default(),
            motion: Motion {
                step: task.map_or(1, |task| task.step),
                before: None,
            },
        })
    }

    /// Adds the row of a shape or a tag, and the frames since the one before it.
    fn finish(&mut self, mut item: Item, draft: &mut Draft) {
        let confidence = self.confidence.as_deref();
        let score = confidence.and_then(|name| {
            let at = item.attributes.iter().position(|(question, _)| question == name)?;
            item.attributes.remove(at).1
        });
        let number = score.as_ref().map(|text| text.parse::<f64>());
        let add = Adding {
            origin: &self.origin,
            byte: item.tag.byte,
            draft,
        };
        let Some(holder) = &mut self.holder else { return };
        let (media, label, track, size_wh) = match holder {
            Holder::Image { media, size_wh, .. } => (media.clone(), item.tag.get("label"), None, *size_wh),
            Holder::Track {
                media,
                label,
                id,
                size_wh,
                ..
            } => (media.clone(), Some(label.as_str()), id.clone(), *size_wh),
        };
        let object = Object {
            media,
            class: label.unwrap_or_default().to_owned(),
            track,
            score: number.clone().and_then(std::result::Result::ok),
            unit: Unit::Px,
            size_wh,
            figure: Figure::Point,
            attributes: item.attributes,
        };
        let frame = match holder {
            Holder::Image { frame, .. } => Ok(*frame),
            Holder::Track { .. } => count(&item.tag, "frame").map(Some),
        };
        let frame = match (frame, number, score) {
            (Ok(frame), None | Some(Ok(_)), _) => frame,
            (Err(reason), ..) => return add.reject(&object.row(), None, reason),
            (Ok(frame), _, text) => {
                let reason = Reason::BadField {
                    field: "confidence",
                    expected: "a number from 0 to 1 in the attribute that --confidence-field names",
                    found: shown(format!("{:?}", text.unwrap_or_default()).as_bytes()),
                };
                return add.reject(&object.row(), frame, reason);
            }
        };
        if item.tag.name == "tag" {
            return add.answer(&object, frame);
        }
        let drawn = Drawn::of(&item.tag, &item.points, size_wh);
        let skeletons = self.skeletons.as_deref();
        match drawn.and_then(|drawn| in_order(drawn, &object.class, &item.points, skeletons, add.draft)) {
            Ok(drawn) => match holder {
                Holder::Image { .. } => add.push(&object, &drawn, frame),
                Holder::Track { motion, .. } => {
                    let (frame, is_outside) = (frame.unwrap_or(0), item.tag.is_set("outside"));
                    add.move_to(object, drawn, (frame, is_outside), motion, &mut self.gaps);
                }
            },
            Err(reason) => {
                if let Holder::Track { motion, .. } = holder {
                    motion.before = None;
                }
                add.reject(&object.row(), frame, reason);
            }
        }
    }
}

/// Puts the points of a skeleton in the order of the class's template, by their labels; a project has the template.
fn in_order(
    drawn: Drawn,
    class: &str,
    points: &[Element],
    skeletons: Option<&dyn Skeletons>,
    draft: &mut Draft,
) -> std::result::Result<Drawn, Reason> {
    let names: Option<Vec<Box<str>>> = points.iter().map(|point| point.get("label").map(Into::into)).collect();
    let places = match (skeletons, names) {
        (Some(skeletons), Some(names)) if !names.is_empty() => skeletons.places(class, &names)?,
        _ => None,
    };
    let Some(places) = places else { return Ok(drawn) };
    if places.contains(&None) {
        draft.warn("keypoints_missing");
    }
    Ok(drawn.placed(&places))
}

/// Where rows are added.
struct Adding<'d> {
    origin: &'d Origin,
    byte: u64,
    draft: &'d mut Draft,
}

impl Adding<'_> {
    fn row(&mut self, row: &Annotation<'_>, frame: Option<u32>, object: &Object) {
        let row = Annotation {
            source: &self.origin.source,
            offset: self.byte,
            frame: frame.unwrap_or(0),
            ..*row
        };
        self.draft.rows.push_with_attributes(&row, &answers(&object.attributes));
        self.draft.frameless.push(frame.is_none());
    }

    fn push(mut self, object: &Object, drawn: &Drawn, frame: Option<u32>) {
        drawn.draw(object.row(), |row| self.row(row, frame, object));
    }

    fn answer(mut self, object: &Object, frame: Option<u32>) {
        let row = Annotation {
            kind: Kind::Answer,
            width_px: None,
            height_px: None,
            ..object.row()
        };
        self.row(&row, frame, object);
    }

    fn reject(self, row: &Annotation<'_>, frame: Option<u32>, reason: Reason) {
        let text = known_members(row, frame).to_string();
        let reject = Reject::new(reason, self.origin, self.byte, None, Some(text.as_bytes()));
        self.draft.rejects.push(reject);
    }

    /// Adds a shape of a track, unless it is outside of the picture, and the frames since the one before.
    fn move_to(
        mut self,
        object: Object,
        drawn: Drawn,
        (frame, is_outside): (u32, bool),
        motion: &mut Motion,
        gaps: &mut Gaps,
    ) {
        let step = motion.step;
        let before = motion.before.take();
        if let Some(before) = before.filter(|before| frame > before.frame.saturating_add(step)) {
            self.fill(&object, before, (frame, &drawn), step, gaps);
        }
        if is_outside {
            return;
        }
        drawn.draw(object.row(), |row| self.row(row, Some(frame), &object));
        motion.before = Some(Before {
            frame,
            drawn,
            attributes: object.attributes,
            score: object.score,
            byte: self.byte,
        });
    }

    /// Adds the frames between two shapes of a track, which the file does not list.
    fn fill(&mut self, object: &Object, before: Before, (frame, to): (u32, &Drawn), step: u32, gaps: &mut Gaps) {
        let first = before.frame.saturating_add(step);
        let moving = Object {
            media: object.media.clone(),
            class: object.class.clone(),
            track: object.track.clone(),
            attributes: before.attributes,
            score: before.score,
            figure: match before.drawn {
                Drawn::Figure(figure, _) => figure,
                _ => Figure::Point,
            },
            ..*object
        };
        let refused = match gap(moving, (before.frame, &before.drawn), (frame, to), step) {
            Ok(gap) => gap.and_then(|gap| gaps.add(gap, before.byte)),
            Err(reason) => Some((first, reason)),
        };
        if let Some((frame, reason)) = refused {
            let text = known_members(&object.row(), Some(frame)).to_string();
            let reject = Reject::new(reason, self.origin, before.byte, None, Some(text.as_bytes()));
            self.draft.rejects.push(reject);
        }
    }
}

/// The frames between two shapes of a track that the file does not list.
fn gap(
    object: Object,
    (last, from): (u32, &Drawn),
    (frame, to): (u32, &Drawn),
    step: u32,
) -> std::result::Result<Option<Gap>, Reason> {
    match (from, to) {
        (Drawn::Figure(figure, from), Drawn::Figure(other, to)) if figure == other => {
            let from = Keyframe {
                frame: last,
                numbers: from,
            };
            let to = Keyframe { frame, numbers: to };
            Gap::between(&Arc::new(object), [from, to], step, "points")
        }
        _ => Err(Reason::BadField {
            field: "track",
            expected:
                "every frame of masks, skeletons and shapes of different kinds; only others are filled between frames",
            found: format!("a gap between the frames {last} and {frame}"),
        }),
    }
}

impl Reader for CvatReader {
    fn next_batch(&mut self) -> Result<Option<Batch>> {
        let mut draft = Draft::default();
        let start = self.xml.position();
        while !draft.is_full() && self.xml.position() - start < BATCH_BYTES {
            self.gaps.fill(&self.origin.source, &mut draft);
            if draft.is_full() || self.ended {
                break;
            }
            self.token(&mut draft)?;
        }
        if self.ended && draft.is_empty() {
            return Ok(None);
        }
        draft.finish().map(Some)
    }

    fn bytes_read(&self) -> u64 {
        self.xml.position()
    }
}
