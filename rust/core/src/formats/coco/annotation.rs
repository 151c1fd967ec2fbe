//! One annotation: its fields read in any order into reused buffers, and what is wrong with them.
//!
//! A wrong value is skipped with all grammar checks and noted as a [`Reason`]; only broken JSON stops the scanner.

use super::counts::CountsWriter;
use super::extras::Extras;
use super::layout::Layout;
use super::names::Id;
use super::rotated::RotatedBox;
use super::values::{angle, bbox, flag, score, size, wrong_count, Value, Wrong, COUNTS, SEGMENTATION};
use crate::batch::{Points, Shape};
use crate::json::{plain, starts_number, unescape, Number, Scan, Scanner, Text};
use crate::reject::Reason;

/// A piece of text in the window, or in the draft's own buffer where escapes had to be resolved.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
    own: bool,
}

/// An id as it was read: as text, and as the number that it is.
#[derive(Debug, Clone, Copy)]
struct RawId {
    number: Option<i64>,
    text: Span,
}

impl RawId {
    fn int(value: i64, text: Span) -> Self {
        Self {
            number: Some(value),
            text,
        }
    }
}

/// A member of an annotation.
#[derive(Debug, Clone, Copy)]
enum Member {
    Id,
    ImageId,
    CategoryId,
    TrackId,
    Bbox,
    RotatedBox(RotatedBox),
    Keypoints,
    Segmentation,
    IsCrowd,
    Confidence,
    Attributes,
    Other,
}

impl Member {
    /// The member with a name; `confidence` is the name of the one with the score, `boxes` what a box is if not COCO's.
    fn of(name: &[u8], confidence: &[u8], boxes: Option<RotatedBox>) -> Self {
        match name {
            b"id" => Self::Id,
            b"image_id" => Self::ImageId,
            b"category_id" => Self::CategoryId,
            b"track_id" => Self::TrackId,
            b"bbox" => boxes.map_or(Self::Bbox, Self::RotatedBox),
            b"keypoints" => Self::Keypoints,
            b"segmentation" => Self::Segmentation,
            b"iscrowd" => Self::IsCrowd,
            name if name == confidence => Self::Confidence,
            b"attributes" => Self::Attributes,
            _ => Self::Other,
        }
    }
}

/// What an annotation turned out to be.
pub(super) enum Verdict {
    /// A row for the IR.
    Row(Shape),
    /// `iscrowd` is set.
    Crowd,
    /// It cannot be written.
    Reject(Reason),
}

/// The fields of one annotation. One draft is used for a whole file, so that no annotation allocates.
#[derive(Default)]
pub(super) struct Draft {
    id: Option<RawId>,
    image_id: Option<RawId>,
    category_id: Option<RawId>,
    track: Option<Result<RawId, Reason>>,
    attribute_track: Option<Result<RawId, Reason>>,
    score: Option<Result<f64, Reason>>,
    attribute_score: Option<Result<f64, Reason>>,
    crowd: bool,
    bbox: Option<[f64; 4]>,
    counts: Option<Span>,
    size_hw: Option<[u32; 2]>,
    coords: Vec<f64>,
    rings: Vec<i32>,
    parts: Vec<i32>,
    problem: Option<Reason>,
    own: Vec<u8>,
    key: Vec<u8>,
    layout: Layout<Member>,
    boxes: Option<RotatedBox>,
    extras: Extras,
}

impl Draft {
    /// A draft for annotations whose boxes are such, or COCO's.
    pub fn new(boxes: Option<RotatedBox>) -> Self {
        Self {
            boxes,
            ..Self::default()
        }
    }

    /// Reads the next value as an annotation; `confidence` is the name of the field with the score.
    pub fn read(&mut self, scanner: &mut Scanner<'_>, confidence: &str) -> Scan<()> {
        self.clear();
        let byte = scanner.peek()?;
        let start = scanner.at;
        if byte != b'{' {
            scanner.skip()?;
            self.refuse(Wrong::Expected("an object").reason("annotation", scanner.since(start)));
            return Ok(());
        }
        scanner.at += 1;
        let confidence = confidence.as_bytes();
        for at in 0.. {
            let Self { layout, key, boxes, .. } = self;
            let next = layout.next(at, scanner, |scanner, name| {
                Member::of(plain(scanner, name, key), confidence, *boxes)
            })?;
            let Some(member) = next else { break };
            let done = match member {
                Member::Other => scanner.skip_short_number(),
                Member::Bbox => self.plain_box(scanner),
                _ => self.tiny_member(scanner, member),
            };
            if !done {
                self.member(scanner, member, confidence)?;
            }
        }
        Ok(())
    }

    /// Reads a member whose value is a short number that fits it, as most are; false where that is not so, with nothing
    /// consumed.
    #[inline]
    fn tiny_member(&mut self, scanner: &mut Scanner<'_>, member: Member) -> bool {
        let start = scanner.at;
        let Some(number) = scanner.tiny_number() else {
            return false;
        };
        let text = Span {
            start,
            end: scanner.at,
            own: false,
        };
        match (member, number) {
            (Member::Id, Number::Int(id)) => self.id = Some(RawId::int(id, text)),
            (Member::ImageId, Number::Int(id)) => self.image_id = Some(RawId::int(id, text)),
            (Member::CategoryId, Number::Int(id)) => self.category_id = Some(RawId::int(id, text)),
            (Member::TrackId, Number::Int(id)) => self.track = Some(Ok(RawId::int(id, text))),
            (Member::IsCrowd, _) => self.crowd = number.as_f64() != 0.0,
            (Member::Confidence, _) if number.as_f64() <= 1.0 => self.score = Some(Ok(number.as_f64())),
            _ => {
                scanner.at = start;
                return false;
            }
        }
        true
    }

    /// Reads a box of four short numbers with `, ` between them, as most are; false where that is not so, with nothing
    /// consumed.
    #[inline]
    fn plain_box(&mut self, scanner: &mut Scanner<'_>) -> bool {
        let start = scanner.at;
        if scanner.ahead() != Some(b"[") {
            return false;
        }
        scanner.at += 1;
        let (mut values, mut found) = ([0.0; 4], 0);
        scanner.plain_numbers(|value| {
            if let Some(place) = values.get_mut(found) {
                *place = value;
            }
            found += 1;
        });
        // They are finite.
        let whole = found == 4 && scanner.ahead() == Some(b"]") && values[2] >= 0.0 && values[3] >= 0.0;
        if whole {
            scanner.at += 1;
            self.bbox = Some(values);
        } else {
            scanner.at = start;
        }
        whole
    }

    /// Makes the draft one that cannot be written.
    pub fn refuse(&mut self, reason: Reason) {
        self.problem.get_or_insert(reason);
    }

    /// Forgets all fields.
    pub fn clear(&mut self) {
        (self.id, self.image_id, self.category_id) = (None, None, None);
        (self.track, self.attribute_track) = (None, None);
        (self.score, self.attribute_score) = (None, None);
        self.crowd = false;
        (self.bbox, self.counts, self.size_hw) = (None, None, None);
        self.problem = None;
        self.coords.clear();
        self.rings.clear();
        self.parts.clear();
        self.own.clear();
        if self.extras.present {
            self.extras.clear();
        }
    }

    fn member(&mut self, scanner: &mut Scanner<'_>, member: Member, confidence: &[u8]) -> Scan<()> {
        match member {
            Member::Id => {
                // Only reports show it: an odd one is no reason to leave the annotation out.
                let id = self.value(scanner, "id", Self::id)?;
                self.id = id.ok().flatten();
            }
            Member::ImageId => {
                let id = self.value(scanner, "image_id", Self::id)?;
                self.image_id = self.good(id);
            }
            Member::CategoryId => {
                let id = self.value(scanner, "category_id", Self::id)?;
                self.category_id = self.good(id);
            }
            Member::TrackId => self.track = self.value(scanner, "track_id", Self::id)?.transpose(),
            Member::Bbox => {
                let bbox = self.value(scanner, "bbox", |_, scanner| bbox(scanner))?;
                self.bbox = self.good(bbox);
            }
            Member::RotatedBox(format) => {
                let found = self.value(scanner, "bbox", |_, scanner| format.read(scanner))?;
                let found = self.good(found);
                self.bbox = found.map(|(corner_and_size, _)| corner_and_size);
                self.extras.theta = found.map(|(_, theta)| theta);
                self.extras.present = true;
            }
            Member::Keypoints => {
                if !scanner.null()? {
                    self.extras.present = true;
                    let read = self.value(scanner, "keypoints", |draft, scanner| draft.extras.keypoints(scanner))?;
                    self.extras.problem = read.err();
                } else if self.extras.present {
                    self.extras.forget_keypoints();
                }
            }
            Member::Segmentation => match self.value(scanner, "segmentation", Self::segmentation)? {
                Ok(()) if self.extras.present => self.extras.lone_point = false,
                Ok(()) => {}
                Err(Reason::BadPolygon { coordinates: 2 }) if self.rings.len() == 1 => {
                    (self.extras.present, self.extras.lone_point) = (true, true);
                }
                Err(reason) => self.refuse(reason),
            },
            Member::IsCrowd => {
                let crowd = self.value(scanner, "iscrowd", |_, scanner| flag(scanner))?;
                self.crowd = self.good(crowd.map(Some)).unwrap_or(false);
            }
            Member::Confidence => {
                self.score = self.value(scanner, "score", |_, scanner| score(scanner))?.transpose();
            }
            Member::Attributes if scanner.peek()? == b'{' => {
                scanner.at += 1;
                let mut first = true;
                while let Some(key) = scanner.next_key(&mut first)? {
                    match plain(scanner, key, &mut self.key) {
                        b"track_id" => {
                            self.attribute_track = self.value(scanner, "track_id", Self::id)?.transpose();
                        }
                        b"rotation" => {
                            let rotation = self.value(scanner, "attributes.rotation", |_, scanner| angle(scanner))?;
                            self.extras.rotation = self.good(rotation);
                            self.extras.present |= self.extras.rotation.is_some();
                        }
                        name if name == confidence => {
                            self.attribute_score =
                                self.value(scanner, "score", |_, scanner| score(scanner))?.transpose();
                        }
                        _ => scanner.skip()?,
                    }
                }
            }
            Member::Attributes | Member::Other => scanner.skip()?,
        }
        Ok(())
    }

    /// Reads a value; one that is not what it should be is skipped.
    #[inline]
    fn value<T>(
        &mut self,
        scanner: &mut Scanner<'_>,
        field: &'static str,
        read: impl FnOnce(&mut Self, &mut Scanner<'_>) -> Value<T>,
    ) -> Scan<Result<T, Reason>> {
        scanner.peek()?;
        let start = scanner.at;
        match read(self, scanner)? {
            Ok(value) => Ok(Ok(value)),
            Err(wrong) => {
                scanner.at = start;
                scanner.skip()?;
                Ok(Err(wrong.reason(field, scanner.since(start))))
            }
        }
    }

    fn good<T>(&mut self, value: Result<Option<T>, Reason>) -> Option<T> {
        value.unwrap_or_else(|reason| {
            self.refuse(reason);
            None
        })
    }

    fn id(&mut self, scanner: &mut Scanner<'_>) -> Value<Option<RawId>> {
        let byte = scanner.peek()?;
        let start = scanner.at;
        if byte == b'"' {
            let text = scanner.string()?;
            let text = self.span(scanner, text);
            return Ok(Ok(Some(RawId { number: None, text })));
        }
        if !starts_number(byte) {
            return Ok(if scanner.null()? {
                Ok(None)
            } else {
                Err(Wrong::Expected("a number or a string"))
            });
        }
        let number = scanner.number()?;
        let written = Span {
            start,
            end: scanner.at,
            own: false,
        };
        Ok(match (number, number.as_integer()) {
            (Number::Int(_), Some(value)) if value != 0 || scanner.since(start) != b"-0" => Ok(Some(RawId {
                number: Some(value),
                text: written,
            })),
            (Number::Big(_), _) => Ok(Some(RawId {
                number: None,
                text: written,
            })),
            (_, Some(value)) => {
                let start = self.own.len();
                self.own.extend_from_slice(value.to_string().as_bytes());
                let text = Span {
                    start,
                    end: self.own.len(),
                    own: true,
                };
                Ok(Some(RawId {
                    number: Some(value),
                    text,
                }))
            }
            (number, None) if !number.as_f64().is_finite() => Err(Wrong::NotFinite),
            _ => Err(Wrong::Expected("a whole number or a string")),
        })
    }

    fn span(&mut self, scanner: &Scanner<'_>, text: Text) -> Span {
        let Text { start, end, escaped } = text;
        if !escaped {
            return Span { start, end, own: false };
        }
        let start = self.own.len();
        unescape(scanner.slice(text), &mut self.own);
        Span {
            start,
            end: self.own.len(),
            own: true,
        }
    }

    fn segmentation(&mut self, scanner: &mut Scanner<'_>) -> Value<()> {
        self.coords.clear();
        self.rings.clear();
        self.parts.clear();
        (self.counts, self.size_hw) = (None, None);
        match scanner.peek()? {
            b'[' => self.polygons(scanner),
            b'{' => self.read_rle(scanner),
            _ if scanner.null()? => Ok(Ok(())),
            _ => Ok(Err(Wrong::Expected(SEGMENTATION))),
        }
    }

    /// Reads [[x, y, ...], ...]: each ring is a part of its own, since COCO has no holes in polygons.
    fn polygons(&mut self, scanner: &mut Scanner<'_>) -> Value<()> {
        scanner.at += 1;
        let (mut first_ring, mut finite) = (true, true);
        while scanner.next_item(&mut first_ring)? {
            if scanner.peek()? != b'[' {
                return Ok(Err(Wrong::Expected(SEGMENTATION)));
            }
            scanner.at += 1;
            if self.rings.is_empty() {
                self.rings.push(0);
                self.parts.push(0);
            }
            let start = self.coords.len();
            let mut first = true;
            while scanner.next_item(&mut first)? {
                let known = self.coords.len();
                scanner.plain_numbers(|value| self.coords.push(value));
                if self.coords.len() > known {
                    continue;
                }
                if !starts_number(scanner.peek()?) {
                    return Ok(Err(Wrong::Expected(SEGMENTATION)));
                }
                let value = scanner.number()?.as_f64();
                finite &= value.is_finite();
                self.coords.push(value);
            }
            let coordinates = self.coords.len() - start;
            if coordinates < 6 || coordinates % 2 == 1 {
                return Ok(Err(Reason::BadPolygon { coordinates }.into()));
            }
            self.parts.push(self.rings.len() as i32);
            self.rings.push(self.coords.len() as i32);
        }
        Ok(if finite { Ok(()) } else { Err(Wrong::NotFinite) })
    }

    fn read_rle(&mut self, scanner: &mut Scanner<'_>) -> Value<()> {
        scanner.at += 1;
        let mut first = true;
        while let Some(key) = scanner.next_key(&mut first)? {
            match plain(scanner, key, &mut self.key) {
                b"counts" => match self.read_counts(scanner)? {
                    Ok(counts) => self.counts = counts,
                    Err(wrong) => return Ok(Err(wrong)),
                },
                b"size" => match size(scanner)? {
                    Ok(size) => self.size_hw = size,
                    Err(wrong) => return Ok(Err(wrong)),
                },
                _ => scanner.skip()?,
            }
        }
        let missing = |field| Ok(Err(Reason::MissingField { field }.into()));
        match (self.counts, self.size_hw) {
            (None, _) => missing("segmentation.counts"),
            (_, None) => missing("segmentation.size"),
            _ => Ok(Ok(())),
        }
    }

    /// Reads compressed counts as they are, and a list of counts into the same form.
    fn read_counts(&mut self, scanner: &mut Scanner<'_>) -> Value<Option<Span>> {
        match scanner.peek()? {
            b'"' => {
                let text = scanner.string()?;
                return Ok(Ok(Some(self.span(scanner, text))));
            }
            b'[' => scanner.at += 1,
            _ if scanner.null()? => return Ok(Ok(None)),
            _ => return Ok(Err(Wrong::Expected(COUNTS))),
        }
        let start = self.own.len();
        let (mut writer, mut first) = (CountsWriter::default(), true);
        while scanner.next_item(&mut first)? {
            if !starts_number(scanner.peek()?) {
                return Ok(Err(Wrong::Expected(COUNTS)));
            }
            let number = scanner.number()?;
            match number.as_integer().map(u32::try_from) {
                Some(Ok(run)) => writer.push(run, &mut self.own),
                _ => return Ok(Err(wrong_count(number.as_f64()).into())),
            }
        }
        Ok(Ok(Some(Span {
            start,
            end: self.own.len(),
            own: true,
        })))
    }
}

/// The draft's values, for the text that it was read from.
impl Draft {
    fn text<'a>(&'a self, span: Span, text: &'a [u8]) -> &'a [u8] {
        let from = if span.own { self.own.as_slice() } else { text };
        &from[span.start..span.end]
    }

    fn string<'a>(&'a self, span: Span, text: &'a [u8]) -> &'a str {
        // The scanner has checked every string; escapes resolve to whole characters.
        std::str::from_utf8(self.text(span, text)).unwrap_or_default()
    }

    fn key<'a>(&'a self, id: RawId, text: &'a [u8]) -> Id<'a> {
        match id.number {
            Some(value) => Id::Int(value),
            None => Id::parse(self.string(id.text, text)),
        }
    }

    /// The annotation's id as text.
    pub fn annotation_id<'a>(&'a self, text: &'a [u8]) -> Option<&'a str> {
        self.id.map(|id| self.string(id.text, text))
    }

    /// The bytes of [`Self::annotation_id`].
    pub fn annotation_id_text<'a>(&'a self, text: &'a [u8]) -> Option<&'a [u8]> {
        self.id.map(|id| self.text(id.text, text))
    }

    /// The annotation's id to compare.
    pub fn annotation_key<'a>(&'a self, text: &'a [u8]) -> Option<Id<'a>> {
        self.id.map(|id| self.key(id, text))
    }

    /// `image_id`.
    pub fn image<'a>(&'a self, text: &'a [u8]) -> Option<Id<'a>> {
        self.image_id.map(|id| self.key(id, text))
    }

    /// `category_id`.
    pub fn category<'a>(&'a self, text: &'a [u8]) -> Option<Id<'a>> {
        self.category_id.map(|id| self.key(id, text))
    }

    /// `track_id`, at the top before the one under `attributes`.
    pub fn track<'a>(&'a self, text: &'a [u8]) -> Option<&'a str> {
        match self.track.as_ref().or(self.attribute_track.as_ref())? {
            Ok(id) => Some(self.string(id.text, text)),
            Err(_) => None,
        }
    }

    /// The score, at the top before the one under `attributes`.
    pub fn score(&self) -> Option<f64> {
        let found = self.score.as_ref().or(self.attribute_score.as_ref())?;
        found.as_ref().ok().copied()
    }

    /// x, y, width, height.
    pub fn bbox(&self) -> Option<[f64; 4]> {
        self.bbox
    }

    /// Polygons, one ring a part.
    pub fn points(&self) -> Option<Points<'_>> {
        (!self.rings.is_empty()).then_some(Points {
            coords: &self.coords,
            rings: &self.rings,
            parts: &self.parts,
        })
    }

    /// Compressed counts with (h, w).
    pub fn rle<'a>(&'a self, text: &'a [u8]) -> Option<(&'a [u8], [u32; 2])> {
        Some((self.text(self.counts?, text), self.size_hw?))
    }

    /// Whether there are fields that few annotations have.
    pub fn has_extras(&self) -> bool {
        self.extras.present
    }

    /// Keypoints, and how each is seen.
    pub fn keypoints(&self) -> Option<(Points<'_>, &[u8])> {
        self.extras.points()
    }

    /// Degrees by which the box is turned clockwise.
    pub fn theta(&self) -> Option<f64> {
        self.extras.theta.or(self.extras.rotation)
    }

    /// What to do with the annotation; `wants_keypoints` if its class can be drawn from nothing else.
    pub fn verdict(&mut self, include_crowd: bool, wants_keypoints: bool) -> Verdict {
        if self.crowd && !include_crowd {
            return Verdict::Crowd;
        }
        let field = |field| Some(Reason::MissingField { field });
        let found = self
            .problem
            .take()
            .or_else(|| {
                if self.image_id.is_none() {
                    field("image_id")
                } else {
                    None
                }
            })
            .or_else(|| {
                if self.category_id.is_none() {
                    field("category_id")
                } else {
                    None
                }
            })
            .or_else(|| wrong(&self.score, &self.attribute_score))
            .or_else(|| wrong(&self.track, &self.attribute_track));
        if let Some(reason) = found {
            return Verdict::Reject(reason);
        }
        if self.extras.present {
            if let Some(verdict) = self.verdict_of_extras(wants_keypoints) {
                return verdict;
            }
        }
        if self.counts.is_some() {
            Verdict::Row(Shape::Bitmask)
        } else if !self.rings.is_empty() {
            Verdict::Row(Shape::Polygon)
        } else if self.bbox.is_some() {
            Verdict::Row(Shape::BoundingBox)
        } else {
            Verdict::Reject(Reason::NoGeometry)
        }
    }
}

impl Draft {
    /// The verdict where keypoints, a lone point or an angle decide it. A segmentation comes before keypoints, unless the
    /// class is drawn from them; both come before the box, which stays beside them.
    #[cold]
    fn verdict_of_extras(&mut self, wants_keypoints: bool) -> Option<Verdict> {
        let lone_point = self.extras.lone_point;
        let area = self.counts.is_some() || (!self.rings.is_empty() && !lone_point);
        let wanted = wants_keypoints || !area;
        let problem = self.extras.problem.take();
        if let Some(reason) = problem.filter(|_| wants_keypoints || !(area || self.bbox.is_some())) {
            return Some(Verdict::Reject(reason));
        }
        if wanted && self.extras.points().is_some() {
            return Some(Verdict::Row(Shape::Skeleton));
        }
        if lone_point {
            return Some(Verdict::Reject(Reason::BadPolygon { coordinates: 2 }));
        }
        let turned = !area && self.bbox.is_some() && self.theta().is_some();
        turned.then_some(Verdict::Row(Shape::RotatableBoundingBox))
    }
}

/// Why the value that counts is wrong, if it is.
fn wrong<T>(top: &Option<Result<T, Reason>>, attribute: &Option<Result<T, Reason>>) -> Option<Reason> {
    match top.as_ref().or(attribute.as_ref())? {
        Ok(_) => None,
        Err(reason) => Some(reason.clone()),
    }
}
