//! The members of one row, each in its type, and what is said of one that is not.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::points::FlatPoints;
use super::values::{BoxList, Name, Number, Text, Whole};
use crate::batch::{passed_over, tell, Annotation, AttributeValue, Has, Kind, RleOrder, Shape, Unit};
use crate::reject::Reason;

/// Characters of a wrong value, or of a name, that a reject's sentence shows.
const SHOWN_CHARS: usize = 60;

/// An answer.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Attribute<'a> {
    #[serde(borrow)]
    name: Name<'a>,
    #[serde(borrow, default)]
    value: Option<Name<'a>>,
    #[serde(default)]
    frame: Option<Whole<u32>>,
    #[serde(default)]
    frame_last: Option<Whole<u32>>,
}

/// Declares the members: name, field, type, and what is expected where the value is none of it.
macro_rules! members {
    ($($name:literal $field:ident: $type:ty, $expected:literal;)+) => {
        /// A row as it stands on a line.
        #[derive(Debug, Default)]
        pub(super) struct Members<'a> {
            $(pub(super) $field: Option<$type>,)+
            /// The first name that the schema does not have, or that stands twice.
            odd: Option<(String, bool)>,
            /// Whether there is a member `annotation`: then this is a line of a reject file.
            pub(super) has_annotation: bool,
        }

        impl<'a> Members<'a> {
            fn take<A: MapAccess<'a>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
                match name {
                    $($name => {
                        let before = self.$field.is_some();
                        self.$field = map.next_value()?;
                        if before {
                            self.odd.get_or_insert_with(|| (name.to_owned(), true));
                        }
                    })+
                    name => {
                        self.has_annotation |= name == "annotation";
                        if !passed_over(name) {
                            self.odd.get_or_insert_with(|| (name.to_owned(), false));
                        }
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(())
            }

            /// What the value of a member should be, where it is not.
            fn expected_of(name: &str, value: &'a RawValue) -> Option<(&'static str, &'static str)> {
                match name {
                    $($name => serde_json::from_str::<Option<$type>>(value.get()).err().map(|_| ($name, $expected)),)+
                    _ => None,
                }
            }
        }
    };
}

members! {
    "source" source: Name<'a>, "a string";
    "offset" offset: Whole<u64>, "a whole number";
    "annotation_id" annotation_id: Name<'a>, "a string or a whole number";
    "media" media: Name<'a>, "a string";
    "frame" frame: Whole<u32>, "a whole number from 0 to 2^32 - 1";
    "frame_last" frame_last: Whole<u32>, "a whole number from 0 to 2^32 - 1";
    "kind" kind: Text<'a>, "object or answer";
    "class" class: Name<'a>, "a string";
    "track" track: Name<'a>, "a string or a whole number";
    "score" score: Number, "a number from 0 to 1";
    "shape" shape: Text<'a>, "the name of a shape";
    "unit" unit: Text<'a>, "px or frac";
    "width_px" width_px: Whole<u32>, "a whole number from 0 to 2^32 - 1";
    "height_px" height_px: Whole<u32>, "a whole number from 0 to 2^32 - 1";
    "box" bbox: BoxList, "four numbers: x, y, width, height";
    "theta" theta: Number, "a number of degrees";
    "points" points: FlatPoints, "lists of parts of rings of numbers: [[[x, y, x, y, ...], ...], ...]";
    "visibility" visibility: Vec<u8>, "a list of whole numbers from 0 to 255";
    "rle" rle: Text<'a>, "a string";
    "rle_order" rle_order: Text<'a>, "column_major or row_major";
    "attributes" attributes: Vec<Attribute<'a>>, "a list of answers {name, value, frame, frame_last}, each with a name";
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RowVisitor;

        impl<'de> Visitor<'de> for RowVisitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Members::default();
                while let Some(name) = map.next_key::<Name<'de>>()? {
                    members.take(&name, &mut map)?;
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(RowVisitor)
    }
}

fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN_CHARS).collect();
    if shown.len() < text.len() {
        shown.push_str("...");
    }
    shown
}

/// All members of an object, unread.
struct Unread<'a>(Vec<(Name<'a>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Unread<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct UnreadVisitor;

        impl<'de> Visitor<'de> for UnreadVisitor {
            type Value = Unread<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Unread(members))
            }
        }
        deserializer.deserialize_map(UnreadVisitor)
    }
}

impl<'a> Members<'a> {
    /// Reads a row's JSON.
    pub fn read(text: &'a str) -> Result<Self, Reason> {
        match serde_json::from_str::<Self>(text) {
            Ok(members) => Ok(members),
            Err(cause) => Err(why_not(text, &cause)),
        }
    }

    /// Gives the row to `take`, unless a member is none of the schema or says nothing that is one of its words.
    pub fn with_row(
        &self,
        source: &str,
        offset: u64,
        default_unit: Option<Unit>,
        take: impl FnOnce(&Annotation<'_>, &[AttributeValue<'_>]),
    ) -> Result<(), Reason> {
        match &self.odd {
            Some((name, true)) => {
                return Err(Reason::BadLine {
                    message: format!("`{}` appears twice", shown(name)),
                })
            }
            Some((name, false)) => return Err(Reason::UnknownField { field: shown(name) }),
            None => {}
        }
        let bbox = self.bbox.as_ref().and_then(|list| list.0);
        let attributes: Vec<AttributeValue<'_>> = self
            .attributes
            .iter()
            .flatten()
            .map(|attribute| AttributeValue {
                name: &attribute.name,
                value: attribute.value.as_deref(),
                frame: number(&attribute.frame),
                frame_last: number(&attribute.frame_last),
            })
            .collect();
        if self.points.as_ref().is_some_and(|points| !points.are_pairs()) {
            return Err(Reason::BadField {
                field: "points",
                expected: "parts of rings of x y pairs: [[[x, y, x, y, ...], ...], ...]",
                found: "a ring with an odd number of coordinates".to_owned(),
            });
        }
        let has = Has {
            bbox: bbox.is_some(),
            theta: self.theta.is_some(),
            points: self.points.is_some(),
            rle: self.rle.is_some(),
            attributes: !attributes.is_empty(),
        };
        let kind = word(self.kind.as_deref(), "kind", "object or answer", Kind::parse)?;
        let shape = word(
            self.shape.as_deref(),
            "shape",
            "bounding_box, rotatable_bounding_box, polygon, polyline, point, bitmask, skeleton, circle or ellipse",
            Shape::parse,
        )?;
        let unit = word(self.unit.as_deref(), "unit", "px or frac", Unit::parse)?.or(default_unit);
        let (kind, shape) = tell(kind, shape, has)?;
        if unit.is_none() && (has.bbox || has.points) {
            return Err(Reason::MissingField { field: "unit" });
        }
        let row = Annotation {
            annotation_id: self.annotation_id.as_deref(),
            frame_last: number(&self.frame_last),
            kind,
            track: self.track.as_deref(),
            score: self.score.map(|number| number.0),
            shape,
            unit: unit.unwrap_or(Unit::Px),
            width_px: number(&self.width_px),
            height_px: number(&self.height_px),
            bbox,
            theta: self.theta.map(|number| number.0),
            points: self.points.as_ref().map(FlatPoints::points),
            visibility: self.visibility.as_deref(),
            rle: self.rle.as_deref().map(str::as_bytes),
            rle_order: word(
                self.rle_order.as_deref(),
                "rle_order",
                "column_major or row_major",
                RleOrder::parse,
            )?,
            ..Annotation::object(
                source,
                offset,
                self.media.as_deref().unwrap_or_default(),
                number(&self.frame).unwrap_or(0),
                self.class.as_deref().unwrap_or_default(),
            )
        };
        take(&row, &attributes);
        Ok(())
    }
}

fn number(value: &Option<Whole<u32>>) -> Option<u32> {
    value.as_ref().map(|whole| whole.0)
}

fn word<T>(
    text: Option<&str>,
    field: &'static str,
    expected: &'static str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, Reason> {
    text.map(|text| {
        parse(text).ok_or_else(|| Reason::BadField {
            field,
            expected,
            found: format!("{:?}", shown(text)),
        })
    })
    .transpose()
}

/// Why a text is no row: the member whose value is wrong, or what is no JSON.
fn why_not(text: &str, cause: &serde_json::Error) -> Reason {
    if cause.is_data() {
        let unread = serde_json::from_str::<Unread<'_>>(text);
        let members = unread.map_or_else(|_| Vec::new(), |unread| unread.0);
        for (name, value) in members {
            if let Some((field, expected)) = Members::expected_of(&name, value) {
                return Reason::BadField {
                    field,
                    expected,
                    found: shown(value.get()),
                };
            }
        }
    }
    Reason::BadLine {
        message: shown_cause(cause),
    }
}

/// What the parser says, with the place on the line alone.
fn shown_cause(cause: &serde_json::Error) -> String {
    let message = cause.to_string();
    let what = message.split(" at line ").next().unwrap_or_default();
    match cause.column() {
        0 => shown(what),
        column => format!("{} at its byte {}", shown(what), column - 1),
    }
}
