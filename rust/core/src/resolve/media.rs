//! Which medium and frame the images of a source are.

use std::sync::Arc;

use glob::Pattern;
use regex::Regex;

use super::places::Spot;
use super::titles::{Found, Target, Titles};
use super::verdict::Verdict;
use crate::error::{Error, Result};
use crate::plan::{DataType, FrameFrom, MediaFrom, MediaTarget, Medium, Plan};
use crate::reject::Reason;
use crate::source::base_name;
use crate::source::{Frames, MediaName};

/// The media rules of a plan.
pub(super) struct MediaRules {
    plan: Arc<Plan>,
    titles: Titles,
    pattern: Option<Regex>,
    only: Option<Vec<Pattern>>,
}

impl MediaRules {
    pub(super) fn new(plan: &Arc<Plan>) -> Result<Self> {
        let pattern = plan.frame_pattern.as_deref().map(frame_pattern).transpose()?;
        let glob = |text: &String| {
            Pattern::new(text).map_err(|cause| Error::OptionValue {
                option: "only_media",
                message: format!("{text:?}: {cause}"),
            })
        };
        let only = plan
            .only_media
            .as_ref()
            .map(|globs| globs.iter().map(glob).collect::<Result<_>>())
            .transpose()?;
        Ok(Self {
            plan: Arc::clone(plan),
            titles: Titles::new(&plan.media),
            pattern,
            only,
        })
    }

    /// Places an image. `file_stem` is the prediction file's own name without its suffix, `frames` how it counts them.
    pub(super) fn place(&self, image: &MediaName<'_>, file_stem: &str, frames: Frames) -> Verdict<Spot> {
        let named = match self.name_and_frame(image, file_stem) {
            Ok(named) => named,
            Err(reason) => return Verdict::Reject(reason),
        };
        let target = match self.target(image, &named) {
            Ok(target) => target,
            // Whoever asks for some media only does not want to hear of the others.
            Err(_) if !self.wanted(&named.name) => return Verdict::Filtered("only_media"),
            Err(reason) => return Verdict::Reject(reason),
        };
        let (index, image_index, mapped_frame) = match target {
            MapTarget::Target(Target::Medium(index)) => (index, None, None),
            MapTarget::Target(Target::Image(index, position)) => (index, Some(position), None),
            MapTarget::Frame(index, frame) => (index, None, Some(frame)),
        };
        let medium = &self.plan.media[index as usize];
        if !self.wanted(&medium.title) && !self.wanted(&named.name) {
            return Verdict::Filtered("only_media");
        }
        let frame = match (medium.data_type, image_index, mapped_frame) {
            (DataType::Other, ..) => {
                return Verdict::Reject(Reason::UnsupportedMedia {
                    media: medium.shown_title().to_owned(),
                    data_type: "that this release does not write".into(),
                })
            }
            (_, Some(position), _) => i64::from(position),
            (_, _, Some(frame)) => i64::from(frame),
            (DataType::Image, ..) => 0,
            // Milliseconds are no frames: there is nothing to count from another number on.
            (DataType::Audio, ..) => named.frame.unwrap_or(0),
            _ => match named.frame {
                Some(frame) => frames.in_video(frame),
                None if medium.frames == 1 => 0,
                None => return Verdict::Reject(Reason::NoFrame { media: named.name }),
            },
        };
        match u32::try_from(frame) {
            Ok(in_range) if u64::from(in_range) < medium.places() => Verdict::Found(Spot {
                medium: index,
                frame: in_range,
                size_px: (image.width, image.height),
            }),
            _ => Verdict::Reject(past_end(medium, frame)),
        }
    }

    fn wanted(&self, title: &str) -> bool {
        self.only.as_ref().is_none_or(|globs| {
            globs
                .iter()
                .any(|glob| glob.matches(title) || glob.matches(base_name(title)))
        })
    }

    fn name_and_frame(&self, image: &MediaName<'_>, file_stem: &str) -> std::result::Result<Named, Reason> {
        let id = || image.image_id.as_deref().unwrap_or_default();
        let file_name = image.file_name.unwrap_or_else(id);
        let mut named = Named {
            name: match (self.plan.media_from, image.video) {
                (MediaFrom::Stem, _) => file_stem,
                (MediaFrom::Auto, Some(video)) => video,
                _ => file_name,
            }
            .to_owned(),
            frame: image.frame_index,
        };
        if self.plan.frame_from == FrameFrom::ImageId {
            let number = id().parse::<i64>();
            named.frame = Some(number.map_err(|_| Reason::BadField {
                field: "image_id",
                expected: "a whole number, since --frame-from image_id takes the frame from it",
                found: format!("{:?}", id()),
            })?);
        }
        if let Some(pattern) = &self.pattern {
            let mismatch = || Reason::PatternMismatch {
                name: file_name.to_owned(),
            };
            let groups = pattern.captures(file_name).ok_or_else(mismatch)?;
            if let Some(media) = groups.name("media") {
                named.name = media.as_str().to_owned();
            }
            if let Some(frame) = groups.name("frame") {
                named.frame = Some(frame.as_str().parse().map_err(|_| mismatch())?);
            }
        }
        Ok(named)
    }

    fn target(&self, image: &MediaName<'_>, named: &Named) -> std::result::Result<MapTarget, Reason> {
        if let Some(map) = &self.plan.media_map {
            let keys = [
                image.image_id.as_deref(),
                image.file_name,
                image.file_name.map(base_name),
                Some(&named.name),
            ];
            let unmapped = || Reason::UnmappedMedia {
                media: named.name.clone(),
            };
            let target = keys
                .into_iter()
                .flatten()
                .find_map(|key| map.get(key))
                .ok_or_else(unmapped)?;
            let (data_hash, frame) = match target {
                MediaTarget::DataHash(data_hash) => (data_hash, None),
                MediaTarget::Frame { data_hash, frame } => (data_hash, Some(*frame)),
            };
            return match (self.titles.by_hash(data_hash), frame) {
                (Some(Target::Medium(index)), Some(frame)) => Ok(MapTarget::Frame(index, frame)),
                (Some(target), _) => Ok(MapTarget::Target(target)),
                (None, _) => Err(unmapped()),
            };
        }
        if !image.declared && self.plan.media_from != MediaFrom::Stem {
            let image_id = image.image_id.as_deref().unwrap_or_default().to_owned();
            return Err(Reason::UnknownImage { image_id });
        }
        match self.titles.by_name(&named.name) {
            Found::One(target) => Ok(MapTarget::Target(target)),
            Found::Many(candidates) => Err(Reason::AmbiguousMedia {
                media: named.name.clone(),
                candidates,
            }),
            Found::None => match self.titles.by_hash(&named.name) {
                Some(target) => Ok(MapTarget::Target(target)),
                None => Err(Reason::UnknownMedia {
                    media: named.name.clone(),
                }),
            },
        }
    }
}

/// The reject of what lies on none of a medium's frames, or of its milliseconds.
pub(super) fn past_end(medium: &Medium, at: i64) -> Reason {
    let places = medium.places();
    match medium.data_type {
        DataType::Audio => Reason::SoundRange {
            at,
            end: places.saturating_sub(1),
        },
        _ => Reason::FrameRange {
            frame: at,
            frames: places,
        },
    }
}

/// What the source calls the medium, and the frame in the source's counting.
struct Named {
    name: String,
    frame: Option<i64>,
}

enum MapTarget {
    Target(Target),
    /// A medium and a frame in Encord's counting.
    Frame(u32, u32),
}

fn frame_pattern(text: &str) -> Result<Regex> {
    let wrong = |message| Error::OptionValue {
        option: "frame_pattern",
        message,
    };
    // The regex crate draws the pattern on lines of its own first; the last line says what is wrong with it.
    let pattern = Regex::new(text).map_err(|cause| {
        let cause = cause.to_string();
        wrong(format!("{text:?}: {}", cause.lines().last().unwrap_or_default()))
    })?;
    if !pattern
        .capture_names()
        .flatten()
        .any(|name| name == "frame" || name == "media")
    {
        return Err(wrong("has no group named (?P<media>...) or (?P<frame>...)".into()));
    }
    Ok(pattern)
}
