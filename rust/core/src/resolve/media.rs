//! Which medium and frame the images of a source are.

use std::collections::HashMap;
use std::sync::Arc;

use glob::Pattern;
use regex::Regex;

use super::claims::{Claims, Lead, Settled};
use super::frame_names;
use super::mapped::Mapped;
use super::places::Spot;
use super::readings::Reading;
use super::titles::{Found, Rule, Target, Titles};
use super::verdict::Verdict;
use crate::error::{Error, Result};
use crate::plan::{DataType, FrameFrom, MediaFrom, MediaMatch, MediaTarget, Medium, Plan, Unlisted};
use crate::reject::Reason;
use crate::source::{base_name, number_at_end, Frames, MediaName};

/// The media rules of a plan.
pub(super) struct MediaRules {
    plan: Arc<Plan>,
    pub(super) titles: Titles,
    claims: Claims,
    /// Names that were tried as those of videos.
    videos: HashMap<Box<str>, bool>,
    map: Option<Mapped<Option<MediaTarget>>>,
    pattern: Option<Regex>,
    only: Option<Vec<Pattern>>,
}

impl MediaRules {
    pub(super) fn new(plan: &Arc<Plan>) -> Result<Self> {
        let pattern = plan.frame_pattern.as_deref().map(frame_pattern).transpose()?;
        let glob = |text: &String| {
            Pattern::new(&Reading::Composed.of(text)).map_err(|cause| Error::OptionValue {
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
            videos: HashMap::new(),
            map: plan.media_map.as_ref().map(Mapped::new),
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
        if self.drops(image, &named) {
            return Verdict::Filtered("dropped_medium");
        }
        let led = match self.lead(image, &named, by_row) {
            Ok(led) => led,
            // Whoever asks for some media only does not want to hear of the others.
            Err(_) if !self.wanted(&named.name) => return Verdict::Filtered("only_media"),
            Err(reason) => return Verdict::Reject(reason),
        };
        let target = self.titles.target(led.lead.target);
        let medium = &self.plan.media[target.medium() as usize];
        let group = medium.group().map(|group| &self.plan.media[group as usize]);
        let titles = [
            Some(&*medium.title),
            group.map(|group| &*group.title),
            Some(&named.name),
        ];
        if !titles.into_iter().flatten().any(|title| self.wanted(title)) {
            return Verdict::Filtered("only_media");
        }
        let found = |frame| {
            Verdict::Found(Spot {
                medium: target.medium(),
                frame,
                name: led.lead.name,
                size_px: (image.width, image.height),
            })
        };
        let frame = match (medium.data_type, target, led.frame) {
            (DataType::Group, ..) => return Verdict::Reject(self.data_group(target.medium())),
            (DataType::Other, ..) => {
                return Verdict::Reject(Reason::UnsupportedMedia {
                    media: medium.shown_title().to_owned(),
                    data_type: "that this release does not write".into(),
                })
            }
            (_, Target::Image(_, position), _) => i64::from(position),
            (_, _, FrameOf::Map(frame)) => i64::from(frame),
            (DataType::Image, ..) => 0,
            // Milliseconds and characters are not frames: there is nothing to count from another number on.
            (data_type, ..) if data_type.is_by_range() => match named.frame {
                Some(place) => place,
                None if image.may_be_whole => return found(None),
                None => 0,
            },
            (_, _, from) => match named.frame.or_else(|| from.number(image)) {
                Some(frame) => frames.in_video(frame),
                None if medium.frames == 1 => 0,
                None if image.may_be_whole => return found(None),
                None => return Verdict::Reject(Reason::NoFrame { media: named.name }),
            },
        };
        match u32::try_from(frame) {
            Ok(in_range) if u64::from(in_range) < medium.places() => found(Some(in_range)),
            _ => Verdict::Reject(past_end(medium, frame)),
        }
    }

    /// The reject of what names a data group and not one of its spaces.
    fn data_group(&self, group: u32) -> Reason {
        let title = self.plan.media[group as usize].shown_title();
        let spaces = self.plan.spaces_of(group).map(|space| &self.plan.media[space as usize]);
        Reason::DataGroup {
            media: title.to_owned(),
            spaces: spaces.map(|space| format!("{title}/{}", space.shown_title())).collect(),
        }
    }

    /// What became of the names of media, now that all of them are known.
    pub(super) fn settle(&self) -> Settled {
        self.claims.settle(&self.titles)
    }

    fn wanted(&self, title: &str) -> bool {
        self.only.as_ref().is_none_or(|globs| {
            let title = Reading::Composed.of(title);
            globs
                .iter()
                .any(|glob| glob.matches(&title) || glob.matches(base_name(&title)))
        })
    }

    pub(super) fn name_and_frame(&self, image: &MediaName<'_>, file_stem: &str) -> std::result::Result<Named, Reason> {
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

    pub(super) fn lead(
        &mut self,
        image: &MediaName<'_>,
        named: &Named,
        by_row: bool,
    ) -> std::result::Result<Led, Reason> {
        if let Some(target) = self.mapped(image, named) {
            let target = target?;
            return Ok(Led {
                lead: self.claims.surely(target.0, Rule::Map, &named.name, by_row),
                frame: target.1,
            });
        }
        if self.plan.media_from == MediaFrom::Stem {
            return self.by_name(&named.name, by_row, false);
        }
        let by_rules = self.pattern.is_some() || self.plan.media_from == MediaFrom::FileName;
        match (image.file_name, image.title, image.video) {
            // A title beside a name that was made for the export.
            (Some(file_name), Some(title), None) if !by_rules => {
                if let Some(found) = self.titles.by_hash_in(file_name) {
                    return Ok(self.by_hash(found, file_name, by_row));
                }
                match self.by_name(title, by_row, false) {
                    Err(Reason::UnknownMedia { .. }) => self.by_name(file_name, by_row, false),
                    found => found.map(Led::with_frame_from_name),
                }
            }
            (None, _, None) if self.pattern.is_none() => self.by_id(image, by_row),
            (None, ..) if self.plan.media_from == MediaFrom::FileName => self.by_id(image, by_row),
            // A file in a folder of frames does not say otherwise on which frame it is, nor of which video.
            (Some(file_name), ..) if named.name == file_name => {
                let number = number_at_end(file_name);
                let may_be_frame = number.is_some() && (named.frame.is_none() || named.frame == number);
                self.by_name(&named.name, by_row, may_be_frame)
            }
            _ => self.by_name(&named.name, by_row, false),
        }
    }

    /// What `--media-map` says about an image, if it lists it; none where no map is given.
    fn listed(&self, image: &MediaName<'_>, named: &Named) -> Option<Option<&Option<MediaTarget>>> {
        let map = self.map.as_ref()?;
        let keys = [
            image.image_id.as_deref(),
            image.file_name,
            image.file_name.map(base_name),
            Some(&named.name),
        ];
        Some(keys.into_iter().flatten().find_map(|key| map.get(key)))
    }

    /// Whether `--media-map` drops an image.
    fn drops(&self, image: &MediaName<'_>, named: &Named) -> bool {
        match self.listed(image, named) {
            Some(Some(target)) => target.is_none(),
            Some(None) => self.plan.unlisted_media == Unlisted::Drop,
            None => false,
        }
    }

    /// The target and frame that `--media-map` gives an image, if there is one.
    fn mapped(&self, image: &MediaName<'_>, named: &Named) -> Option<std::result::Result<(u32, FrameOf), Reason>> {
        let (data_hash, frame) = match self.listed(image, named)? {
            Some(Some(MediaTarget::DataHash(data_hash))) => (Some(data_hash), None),
            Some(Some(MediaTarget::Frame { data_hash, frame })) => (Some(data_hash), Some(*frame)),
            None if self.plan.unlisted_media == Unlisted::Match => return None,
            Some(None) | None => (None, None),
        };
        let target = data_hash.and_then(|data_hash| self.titles.by_hash(data_hash));
        let frame = frame.map_or(FrameOf::Image, FrameOf::Map);
        Some(
            target
                .map(|target| (target, frame))
                .ok_or_else(|| Reason::UnmappedMedia {
                    media: named.name.clone(),
                }),
        )
    }

    /// Where a name leads; `may_be_frame` where it may be a file in a folder of frames.
    fn by_name(&mut self, name: &str, by_row: bool, may_be_frame: bool) -> std::result::Result<Led, Reason> {
        let most = self.plan.media_match;
        let found = match self.titles.by_title(name) {
            Found::One(target, rule) => return Ok(Led::of(self.claims.surely(target, rule, name, by_row))),
            Found::Many(hit) => Found::Many(hit),
            Found::None => {
                match self.claims.of(name) {
                    Some(Err(unknown @ Reason::UnknownMedia { .. })) if may_be_frame => {
                        return self.by_folder(name).ok_or(unknown);
                    }
                    Some(known) => return known.map(Led::of),
                    None => {}
                }
                if let Some(found) = self.titles.by_hash_in(name) {
                    return Ok(self.by_hash(found, name, by_row));
                }
                self.titles.by_name(name, most)
            }
        };
        let found = match found {
            Found::One(target, rule) => Ok((target, rule)),
            Found::Many(hit) => Err(Reason::AmbiguousMedia {
                media: name.to_owned(),
                candidates: hit.count as usize,
                one: self.titles.shown(hit.first),
                other: self.titles.shown(hit.second),
            }),
            Found::None => {
                let led = may_be_frame.then(|| self.by_folder(name)).flatten();
                if let Some(led) = led {
                    return Ok(led);
                }
                Err(Reason::UnknownMedia {
                    media: name.to_owned(),
                    pattern: self.pattern_for(name),
                })
            }
        };
        self.claims.learn(name, found).map(Led::of)
    }

    /// The video that a numbered file's folder names.
    fn by_folder(&mut self, name: &str) -> Option<Led> {
        let (folder, _) = name.rsplit_once(['/', '\\'])?;
        number_at_end(name)?;
        let lead = self.claims.of_frames(folder).unwrap_or_else(|| {
            let video = self.video(folder);
            self.claims.learn_frames(folder, video)
        })?;
        Some(Led::of(lead).with_frame_from_name())
    }

    /// The video that a name means, and by which rule.
    fn video(&self, name: &str) -> Option<(u32, Rule)> {
        let found = match self.titles.by_title(name) {
            Found::None => self.titles.by_name(name, self.plan.media_match),
            found => found,
        };
        let Found::One(target, rule) = found else { return None };
        let medium = &self.plan.media[self.titles.target(target).medium() as usize];
        medium.data_type.is_by_frame().then_some((target, rule))
    }

    /// The `--frame-pattern` by which an unknown name would be a frame of a video.
    fn pattern_for(&mut self, name: &str) -> Option<String> {
        if self.pattern.is_some() {
            return None;
        }
        // The frames of a video ask for one name.
        let mut known = std::mem::take(&mut self.videos);
        let pattern = frame_names::pattern_for(name, |name| match known.get(name) {
            Some(known) => *known,
            None => {
                let is_video = self.video(name).is_some();
                known.insert(name.into(), is_video);
                is_video
            }
        });
        self.videos = known;
        pattern
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

    /// Where a path leads with a data_hash in it. The files of a folder that is called so are its frames.
    fn by_hash(&mut self, (target, is_folder): (u32, bool), name: &str, by_row: bool) -> Led {
        let led = Led::of(self.claims.surely(target, Rule::DataHash, name, by_row));
        if is_folder {
            led.with_frame_from_name()
        } else {
            led
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
pub(super) struct Named {
    name: String,
    pub(super) frame: Option<i64>,
}

/// Where an image leads.
pub(super) struct Led {
    pub(super) lead: Lead,
    pub(super) frame: FrameOf,
}

/// What gives the frame.
#[derive(Clone, Copy)]
pub(super) enum FrameOf {
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
    pub(super) fn number(self, image: &MediaName<'_>) -> Option<i64> {
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
