//! From the source's words to Encord's: classes become ontology objects, images become media and frames, geometries
//! take the shape that the ontology asks for. A pure function of plan and rows.
//!
//! Names are resolved once each ([`SourceResolver::learn_medium`], [`SourceResolver::learn_class`]); a row then costs two array look-ups and its geometry
//! ([`SourceResolver::resolve`]), which may run on several threads.

mod answers;
mod aspect;
mod became;
mod boxes;
mod canvas;
mod claims;
mod classes;
mod edge;
mod ends;
mod frame_names;
mod geometry;
mod keypoints;
mod mapped;
mod media;
mod named_medium;
mod places;
mod readings;
mod resolved;
mod row;
mod scratch;
mod shapes;
mod slots;
mod titles;
mod verdict;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use crate::batch::{Annotation, AttributeValue, Kind, Shape};
use crate::error::Result;
use crate::formats::{Fault, KnownNames, Project, Skeletons};
use crate::plan::{DataType, Plan};
use crate::source::TextSpan;
use crate::source::{stem, ClassName, Frames, MediaName};
pub use became::{Became, ClassSum, ClassesFound};
pub use claims::{FoundMedium, MediaFound, Settled};
use classes::{Class, ClassRules};
pub use edge::fit;
use media::MediaRules;
pub use named_medium::NamedMedium;
use places::{Places, Spot};
pub use resolved::Resolved;
use row::FoundRow;
pub use scratch::Scratch;
use slots::Slots;
pub use verdict::Verdict;

/// The rules of a plan, ready for any number of sources.
pub struct Resolver {
    plan: Arc<Plan>,
    media: MediaRules,
    classes: Arc<ClassRules>,
    /// Label rows admitted so far, by their medium, where their number is limited.
    admitted: HashSet<u32>,
    known_names: OnceLock<Arc<KnownNames>>,
}

impl Resolver {
    /// Indexes the plan's media and ontology.
    ///
    /// # Errors
    /// [`crate::error::Error::OptionValue`] for a pattern or glob that does not compile.
    pub fn new(plan: &Arc<Plan>) -> Result<Self> {
        let (media, classes) = (MediaRules::new(plan)?, Arc::new(ClassRules::new(plan)));
        Ok(Self {
            plan: Arc::clone(plan),
            media,
            classes,
            admitted: HashSet::new(),
            known_names: OnceLock::new(),
        })
    }

    fn place(&mut self, image: &MediaName<'_>, file_stem: &str, frames: Frames) -> Verdict<Spot> {
        let verdict = self.media.place(image, file_stem, frames, true);
        let Verdict::Found(spot) = &verdict else {
            return verdict;
        };
        let video = self.plan.media[spot.medium as usize].data_type == DataType::Video;
        let frame = u64::from(spot.frame.unwrap_or(0));
        if video && self.plan.every.is_some_and(|every| frame % every != 0) {
            return Verdict::Filtered("every");
        }
        let Some(limit) = self.plan.limit_rows else {
            return verdict;
        };
        let row = self.plan.row_of(spot.medium);
        if !self.admitted.contains(&row) {
            if self.admitted.len() >= limit {
                return Verdict::Filtered("limit_rows");
            }
            self.admitted.insert(row);
        }
        verdict
    }
}

impl Resolver {
    /// Where a name of a medium leads by itself.
    pub fn find_medium(&mut self, name: &str) -> NamedMedium {
        self.media.find(name)
    }

    /// What became of the names of media, now that all sources are read.
    pub fn settle(&self) -> Settled {
        self.media.settle()
    }
}

impl Project for Resolver {
    fn drawn_from_keypoints(&self, class: &ClassName<'_>) -> bool {
        let Verdict::Found(class) = self.classes.find(class, Kind::Object) else {
            return false;
        };
        let shape = |&index: &u32| self.plan.ontology[index as usize].ir_shape();
        let mut shapes = class.candidates.iter().map(shape);
        shapes.all(|shape| matches!(shape, Some(Shape::Skeleton | Shape::Point)))
    }

    fn known_names(&self) -> Arc<KnownNames> {
        let known = self.known_names.get_or_init(|| Arc::new(KnownNames::of(&self.plan)));
        Arc::clone(known)
    }

    fn skeletons(&self) -> Arc<dyn Skeletons> {
        Arc::<ClassRules>::clone(&self.classes)
    }
}

/// Resolves the rows of one source.
pub struct SourceResolver {
    index: u32,
    file_stem: Box<str>,
    frames: Frames,
    places: Places,
    classes: Slots<Verdict<Class>>,
}

impl SourceResolver {
    /// A resolver for source number `index`, a file of this name that counts frames so.
    pub fn new(index: u32, file_name: &str, frames: Frames) -> Self {
        Self {
            index,
            file_stem: stem(file_name).into(),
            frames,
            places: Places::new(false),
            classes: Slots::Dense(Vec::new()),
        }
    }

    /// A resolver for source number `index`, one of many whose annotations stand in a reject file under its label.
    pub fn of_rejects(index: u32, label: &str, frames: Frames) -> Self {
        Self {
            places: Places::new(true),
            classes: Slots::Sparse(HashMap::new()),
            ..Self::new(index, label, frames)
        }
    }

    /// Resolves the medium that the coming rows call `number`, once. Media come in the order of the rows: with a limit on label
    /// rows the first ones win.
    #[inline]
    pub fn learn_medium<'n>(&mut self, rules: &mut Resolver, number: u32, name: impl FnOnce() -> MediaName<'n>) {
        let place = || rules.place(&name(), &self.file_stem, self.frames);
        self.places.learn(number, place);
    }

    /// Takes note of a medium that the source lists as `number`, if no row is on it: it may be what another name means.
    pub fn note_medium<'n>(&self, rules: &mut Resolver, number: u32, name: impl FnOnce() -> MediaName<'n>) {
        if !self.places.is_learnt(number) {
            rules.media.place(&name(), &self.file_stem, self.frames, false);
        }
    }

    /// Resolves the class that the coming rows call `number`, once.
    #[inline]
    pub fn learn_class<'n>(&mut self, rules: &Resolver, number: u32, name: impl FnOnce() -> (ClassName<'n>, Kind)) {
        self.classes.learn(number, || {
            let (class, kind) = name();
            rules.classes.find(&class, kind)
        });
    }

    /// Resolves one row, whose names were learnt, and appends it to `out`. `attributes` are those of
    /// [`crate::batch::AnnotationBatch::attributes`], `faults` what the row lacks.
    #[allow(clippy::too_many_arguments)] // A row and its names, buffers and results: each has another life.
    pub fn resolve(
        &self,
        plan: &Plan,
        row: &Annotation<'_>,
        attributes: &[AttributeValue<'_>],
        faults: &[Fault],
        (media, class): (u32, u32),
        text: TextSpan,
        scratch: &mut Scratch,
        out: &mut Resolved,
    ) -> Verdict<()> {
        let (Some(place), Some(class)) = (self.places.get(plan, media), self.classes.get(class)) else {
            unreachable!("a row uses a name that was not learnt")
        };
        let place = &match place {
            Verdict::Found(place) => place,
            Verdict::Filtered(why) => return Verdict::Filtered(why),
            Verdict::Reject(reason) => return Verdict::Reject(reason),
        };
        let class = match class {
            Verdict::Found(class) => class,
            Verdict::Filtered(why) => return Verdict::Filtered(why),
            Verdict::Reject(reason) => return Verdict::Reject(reason.clone()),
        };
        out.begin_row();
        let score = row.score.unwrap_or(1.0);
        if plan.min_confidence.is_some_and(|least| is_below(score, least)) {
            return Verdict::Filtered("min_confidence");
        }
        let found = FoundRow {
            plan,
            source: self.index,
            stride: self.frames.stride,
            row,
            attributes,
            faults,
            place,
            score,
            text,
        };
        let staged = match row.kind {
            Kind::Object => found.object(class, scratch, out),
            Kind::Answer => found.answer(&class.candidates, out).map(|()| true),
        };
        match staged {
            Ok(true) => Verdict::Found(()),
            Ok(false) => Verdict::Filtered("empty_mask"),
            Err(reason) => Verdict::Reject(reason),
        }
    }
}

/// Whether a confidence is below a limit. A model's 32-bit float that is the limit is not, though it is a little less.
fn is_below(score: f64, least: f64) -> bool {
    score < least && score != f64::from(least as f32)
}
