//! Reading one annotation: short ways for what most members are, and one that takes everything.

use super::draft::{Draft, RawId};
use super::member::Member;
use crate::formats::coco::rotated::{poly, rbox, Turn};
use crate::formats::json_values::{angle, bbox, flag, score, Span, Value, Wrong};
use crate::formats::Piece;
use crate::json::{plain, starts_number, Number, Scan, Scanner};
use crate::reject::Reason;

impl Draft {
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
            (Member::InstanceId, Number::Int(id)) => self.instance = Some(Ok(RawId::int(id, text))),
            (Member::IsCrowd, _) => self.crowd = number.as_f64() != 0.0,
            (Member::Confidence, _) => self.score = Some(Ok(number.as_f64())),
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
            Member::FileName if scanner.peek()? == b'"' => {
                let name = scanner.string()?;
                self.file_name = Some(Span::of(scanner, name, &mut self.own));
            }
            Member::CategoryId => {
                let id = self.value(scanner, "category_id", Self::id)?;
                self.category_id = self.good(id);
            }
            Member::TrackId => self.track = self.value(scanner, "track_id", Self::track_id)?.transpose(),
            Member::InstanceId => self.instance = self.value(scanner, "instance_id", Self::track_id)?.transpose(),
            Member::Bbox => {
                let bbox = self.value(scanner, "bbox", |_, scanner| bbox(scanner))?;
                self.bbox = self.usable(Piece::Box, bbox);
            }
            Member::RotatedBox(format) => {
                let found = self.value(scanner, "bbox", |_, scanner| format.read(scanner))?;
                let found = self.usable(Piece::Box, found);
                self.bbox = found.map(|(corner_and_size, _)| corner_and_size);
                self.extras.turn = found.and_then(|(_, turn)| self.finite(turn, "bbox"));
                self.extras.present = true;
            }
            Member::Keypoints => {
                self.extras.present = true;
                self.extras.forget_keypoints();
                let read = if scanner.null()? {
                    Err(Reason::NoKeypoints)
                } else {
                    self.value(scanner, "keypoints", |draft, scanner| draft.extras.keypoints(scanner))?
                };
                self.usable(Piece::Keypoints, read.map(Some));
            }
            Member::Segmentation => {
                let read = self.value(scanner, "segmentation", |draft, scanner| draft.area.read(scanner))?;
                if read.is_err() {
                    self.area.clear();
                }
                self.usable(Piece::Area, read.map(Some));
            }
            Member::Rbox => {
                let found = self.value(scanner, "rbox", |_, scanner| rbox(scanner))?;
                let found = self.usable(Piece::Box, found);
                self.extras.rbox = found.map(|(corner_and_size, turn)| {
                    let turn = match self.finite(turn, "rbox") {
                        // Ultralytics writes radians.
                        Some(Turn::Written(angle)) if self.angles.format.is_none() => {
                            Some(Turn::Degrees(angle.to_degrees()))
                        }
                        turn => turn,
                    };
                    (corner_and_size, turn)
                });
                self.extras.present = true;
            }
            Member::Poly => {
                let found = self.value(scanner, "poly", |_, scanner| poly(scanner))?;
                self.extras.poly = self.usable(Piece::Area, found);
                self.extras.present = true;
            }
            Member::IsCrowd => {
                let crowd = self.value(scanner, "iscrowd", |_, scanner| flag(scanner))?;
                self.extras.present |= crowd.is_err();
                self.crowd = *crowd.as_ref().unwrap_or(&false);
                self.extras.flag_problem = crowd.err();
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
                            self.attribute_track = self.value(scanner, "track_id", Self::track_id)?.transpose();
                        }
                        b"rotation" => {
                            let rotation = self.value(scanner, "attributes.rotation", |_, scanner| angle(scanner))?;
                            self.extras.rotation = self.usable(Piece::Angle, rotation);
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
            Member::FileName | Member::Attributes | Member::Other => scanner.skip()?,
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

    /// What was read of a piece of the geometry; what is wrong with it is noted.
    fn usable<T>(&mut self, piece: Piece, value: Result<Option<T>, Reason>) -> Option<T> {
        match value {
            Ok(value) => {
                self.forget_faults(piece);
                value
            }
            Err(reason) => {
                self.note(piece, reason);
                None
            }
        }
    }

    /// The turn of a box; one by what is not a number is noted.
    fn finite(&mut self, turn: Turn, field: &'static str) -> Option<Turn> {
        let (Turn::Degrees(angle) | Turn::Written(angle)) = turn;
        let reason = (!angle.is_finite()).then_some(Reason::NotFinite { field });
        self.usable(Piece::Angle, reason.map_or(Ok(Some(turn)), Err))
    }

    fn id(&mut self, scanner: &mut Scanner<'_>) -> Value<Option<RawId>> {
        let byte = scanner.peek()?;
        let start = scanner.at;
        if byte == b'"' {
            let text = scanner.string()?;
            let text = Span::of(scanner, text, &mut self.own);
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

    /// Reads the id of a track; NaN is a missing number of a table.
    fn track_id(&mut self, scanner: &mut Scanner<'_>) -> Value<Option<RawId>> {
        scanner.peek()?;
        let start = scanner.at;
        let id = self.id(scanner)?;
        Ok(if scanner.since(start) == b"NaN" { Ok(None) } else { id })
    }
}
