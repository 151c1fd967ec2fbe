//! Which medium and frame the images of a source are.

use std::sync::Arc;

use glob::Pattern;
use regex::Regex;

use super::claims::{Claims, Lead, Settled};
use super::places::Spot;
use super::titles::{Found, Rule, Target, Titles};
use super::verdict::Verdict;
use crate::error::{Error, Result};
use crate::plan::{shown_title, DataType, FrameFrom, MediaFrom, MediaMatch, MediaTarget, Plan};
use crate::reject::Reason;
use crate::source::{base_name, number_at_end, Frames, MediaName};

/// The media rules of a plan.
pub(super) struct MediaRules {
    plan: Arc<Plan>,
    titles: Titles,
    claims: Claims,
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
        let titles = Titles::new(plan);
        Ok(Self {
            plan: Arc::clone(plan),
            claims: Claims::new(titles.len()),
            titles,
            pattern,
            only,
        })
    }

    /// Places an image. `file_stem` is the prediction file's own name without its suffix, `frames` how it counts them,
    /// `by_row` whether a row is on the image.
    pub(super) fn place(
        &mut self,
        image: &MediaName<'_>,
        file_stem: &str,
        frames: Frames,
        by_row: bool,
    ) -> Verdict<Spot> {
        let named = match self.name_and_frame(image, file_stem) {
            Ok(named) => named,
            Err(reason) => return Verdict::Reject(reason),
        };
        let led = match self.lead(image, &named, by_row) {
            Ok(led) => led,
            // Whoever asks for some media only does not want to hear of the others.
            Err(_) if !self.wanted(&named.name) => return Verdict::Filtered("only_media"),
            Err(reason) => return Verdict::Reject(reason),
        };
        let target = self.titles.target(led.lead.target);
        let medium = &self.plan.media[target.medium() as usize];
        if !self.wanted(&medium.title) && !self.wanted(&named.name) {
            return Verdict::Filtered("only_media");
        }
        let frame = match (medium.data_type, target, led.frame) {
            (DataType::Other, ..) => {
                return Verdict::Reject(Reason::UnsupportedMedia {
                    media: medium.shown_title().to_owned(),
                    data_type: "that this release does not write".into(),
                })
            }
            (_, Target::Image(_, position), _) => i64::from(position),
            (_, _, FrameOf::Map(frame)) => i64::from(frame),
            (DataType::Image, ..) => 0,
            // Milliseconds are no frames: there is nothing to count from another number on.
            (DataType::Audio, ..) => named.frame.unwrap_or(0),
            (_, _, from) => match named.frame.or_else(|| from.number(image)) {
                Some(frame) => frames.in_video(frame),
                None if medium.frames == 1 => 0,
                None => return Verdict::Reject(Reason::NoFrame { media: named.name }),
            },
        };
        match u32::try_from(frame) {
            Ok(in_range) if u64::from(in_range) < medium.places() => Verdict::Found(Spot {
                medium: target.medium(),
                frame: in_range,
                name: led.lead.name,
                size_px: (image.width, image.height),
            }),
            _ => Verdict::Reject(Reason::FrameRange {
                frame,
                frames: medium.places(),
            }),
        }
    }

    /// What became of the names of media, now that all of them are known.
    pub(super) fn settle(&self) -> Settled {
        self.claims.settle(&self.titles)
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

    fn lead(&mut self, image: &MediaName<'_>, named: &Named, by_row: bool) -> std::result::Result<Led, Reason> {
        if self.plan.media_map.is_some() {
            return self.mapped(image, named, by_row);
        }
        if self.plan.media_from == MediaFrom::Stem {
            return self.by_name(&named.name, by_row, false);
        }
        match (image.file_name, image.title, image.video) {
            // A title beside a name that was made for the export.
            (Some(file_name), Some(title), None) => match self.titles.by_hash_in(file_name) {
                Some(target) => Ok(self.surely(target, Rule::DataHash, by_row)),
                None => self.by_name(title, by_row, false).map(Led::with_frame_from_name),
            },
            (None, None, video) if self.pattern.is_none() && (video.is_none() || self.plan.media_from == MediaFrom::FileName) => {
                self.by_id(image, by_row)
            }
            // A name that is given with its video is not looked for in a folder.
            (Some(file_name), ..) => self.by_name(&named.name, by_row, named.name == file_name),
            _ => self.by_name(&named.name, by_row, false),
        }
    }

    /// Where `--media-map` leads an image.
    fn mapped(&mut self, image: &MediaName<'_>, named: &Named, by_row: bool) -> std::result::Result<Led, Reason> {
        let keys = [
            image.image_id.as_deref(),
            image.file_name,
            image.file_name.map(base_name),
            Some(&named.name),
        ];
        let map = self.plan.media_map.iter();
        let target = keys.into_iter().flatten().find_map(|key| map.clone().find_map(|map| map.get(key)));
        let (data_hash, frame) = match target {
            Some(MediaTarget::DataHash(data_hash)) => (Some(data_hash), None),
            Some(MediaTarget::Frame { data_hash, frame }) => (Some(data_hash), Some(*frame)),
            None => (None, None),
        };
        let number = data_hash.and_then(|data_hash| self.titles.by_hash(data_hash));
        let number = number.ok_or_else(|| Reason::UnmappedMedia {
            media: named.name.clone(),
        })?;
        let mut led = self.surely(number, Rule::Map, by_row);
        if let (Some(frame), Target::Medium(_)) = (frame, self.titles.target(number)) {
            led.frame = FrameOf::Map(frame);
        }
        Ok(led)
    }

    /// Where a name leads; `may_be_frame` where it may be a file in a folder of frames.
    fn by_name(&mut self, name: &str, by_row: bool, may_be_frame: bool) -> std::result::Result<Led, Reason> {
        let most = self.plan.media_match;
        let found = match self.titles.by_title(name) {
            Found::One(target, rule) => return Ok(self.surely(target, rule, by_row)),
            Found::Many(hit) => Found::Many(hit),
            Found::None => {
                if let Some(known) = self.claims.of(name) {
                    return known.map(Led::of);
                }
                if let Some(target) = self.titles.by_hash_in(name) {
                    return Ok(self.surely(target, Rule::DataHash, by_row));
                }
                self.titles.by_name(name, most)
            }
        };
        let found = match found {
            Found::One(target, rule) => Ok((target, rule)),
            Found::Many(hit) => Err(Reason::AmbiguousMedia {
                media: name.to_owned(),
                candidates: hit.count,
                one: shown_title(self.titles.title(hit.first)).to_owned(),
                other: shown_title(self.titles.title(hit.second)).to_owned(),
            }),
            Found::None => {
                if let Some(led) = self.by_folder(name).filter(|_| may_be_frame) {
                    return Ok(led);
                }
                Err(Reason::UnknownMedia { media: name.to_owned() })
            }
        };
        self.claims.learn(name, found).map(Led::of)
    }

    /// The video that a numbered file's folder names.
    fn by_folder(&mut self, name: &str) -> Option<Led> {
        let (folder, _) = name.rsplit_once(['/', '\\'])?;
        number_at_end(name)?;
        let lead = self.claims.of_frames(folder).unwrap_or_else(|| {
            let found = match self.titles.by_title(folder) {
                Found::None => self.titles.by_name(folder, self.plan.media_match),
                found => found,
            };
            let video = match found {
                Found::One(target, rule) => Some((target, rule)),
                _ => None,
            };
            let is_video = |target| self.plan.media[self.titles.target(target).medium() as usize].data_type.is_by_frame();
            self.claims.learn_frames(folder, video.filter(|(target, _)| is_video(*target)))
        })?;
        Some(Led::of(lead).with_frame_from_name())
    }

    /// Where an image leads that has an id alone: a file's name, its stem, or the number that its stem is.
    fn by_id(&mut self, image: &MediaName<'_>, by_row: bool) -> std::result::Result<Led, Reason> {
        let id = image.image_id.as_deref().unwrap_or_default();
        let unknown = || {
            let image_id = id.to_owned();
            if image.declared {
                Reason::NoFileName { image_id }
            } else {
                Reason::UnknownImage { image_id }
            }
        };
        if !image.id_is_name {
            return Err(unknown());
        }
        match self.by_name(id, by_row, true) {
            Err(Reason::UnknownMedia { .. }) => {}
            found => return found,
        }
        let number = id.parse().ok().filter(|_| self.plan.media_match == MediaMatch::Name);
        match number.map(|number| (number, self.titles.by_number(number))) {
            Some((number, Found::One(target, rule))) => Ok(Led::of(self.claims.learn_number(number, (target, rule)))),
            _ => Err(unknown()),
        }
    }

    fn surely(&mut self, target: u32, rule: Rule, by_row: bool) -> Led {
        Led {
            frame: if rule == Rule::DataHash { FrameOf::FileName } else { FrameOf::Image },
            lead: self.claims.surely(target, rule, by_row),
        }
    }
}

/// What the source calls the medium, and the frame in the source's counting.
struct Named {
    name: String,
    frame: Option<i64>,
}

/// Where an image leads.
struct Led {
    lead: Lead,
    frame: FrameOf,
}

/// What gives the frame.
#[derive(Clone, Copy)]
enum FrameOf {
    /// The image's own words.
    Image,
    /// Where they do not, the number that its file name ends in.
    FileName,
    /// The media map, in Encord's counting.
    Map(u32),
}

impl Led {
    fn of(lead: Lead) -> Self {
        Self {
            lead,
            frame: FrameOf::Image,
        }
    }

    fn with_frame_from_name(self) -> Self {
        Self {
            frame: FrameOf::FileName,
            ..self
        }
    }
}

impl FrameOf {
    fn number(self, image: &MediaName<'_>) -> Option<i64> {
        match self {
            Self::FileName => number_at_end(image.file_name.or(image.image_id.as_deref())?),
            _ => None,
        }
    }
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
