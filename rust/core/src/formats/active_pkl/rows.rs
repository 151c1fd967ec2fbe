//! Rows of the predictions in a pickle.

use super::arrays::Array;
use super::heap::Heap;
use super::names::Class;
use super::values::{Field, Instance, Value};
use crate::batch::{Annotation, AttributeValue, Kind, Points, RleOrder, Shape, Unit};
use crate::formats::draft::{known_members, Draft};
use crate::reject::{Origin, Reason, Reject};

type Found<T> = Result<T, Reason>;

/// Adds the row of an item of the list, or its reject; gives the length of its run-length string.
pub(super) fn add(heap: &Heap, (at, item): (u64, Value), origin: &Origin, draft: &mut Draft) -> usize {
    let Some(prediction) = heap.instance(item, Class::Prediction) else {
        let found = heap.describe(item);
        let reason = Reason::BadField {
            field: "prediction",
            expected: "a Prediction of Encord Active",
            found: found.clone(),
        };
        let reject = Reject::new(reason, origin, at, None, Some(found.as_bytes()));
        draft.rejects.push(reject);
        return 0;
    };
    let mut known = Known {
        row: Annotation::object(&origin.source, prediction.at, "", 0, ""),
        frame: None,
    };
    let mut rle_bytes = 0;
    let push = |drawn: &Drawn<'_>| {
        rle_bytes = drawn.row.rle.map_or(0, <[u8]>::len);
        draft.rows.push_with_attributes(&drawn.row, drawn.answers);
        draft.frameless.push(drawn.frame.is_none());
    };
    if let Err(reason) = known.read(heap, prediction, push) {
        let text = known_members(&known.row, known.frame).to_string();
        let reject = Reject::new(reason, origin, prediction.at, None, Some(text.as_bytes()));
        draft.rejects.push(reject);
    }
    rle_bytes
}

/// What is known of a row, as far as it was read.
struct Known<'h> {
    row: Annotation<'h>,
    frame: Option<u32>,
}

/// A row that is complete.
struct Drawn<'r> {
    row: Annotation<'r>,
    frame: Option<u32>,
    answers: &'r [AttributeValue<'r>],
}

impl<'h> Known<'h> {
    /// Reads a prediction, and pushes its row.
    fn read(&mut self, heap: &'h Heap, prediction: &'h Instance, push: impl FnOnce(&Drawn<'_>)) -> Found<()> {
        self.row.media = text(heap, prediction, Field::DataHash)?;
        self.frame = match prediction.field(Field::Frame) {
            Value::None => None,
            Value::Int(frame) if u32::try_from(frame).is_ok() => u32::try_from(frame).ok(),
            other => return Err(wrong(heap, Field::Frame, "a whole number from 0, or None", other)),
        };
        self.row.frame = self.frame.unwrap_or(0);
        self.row.score = match prediction.field(Field::Confidence) {
            Value::None => None,
            value => Some(number(heap, Field::Confidence, value)?),
        };
        let (object, answer) = (prediction.field(Field::Object), prediction.field(Field::Classification));
        match (object, answer) {
            (Value::None, Value::None) if !matches!(prediction.field(Field::ClassId), Value::None) => {
                self.row.class = text(heap, prediction, Field::ClassId)?;
                self.draw(heap, prediction, push)
            }
            (object, Value::None) if !matches!(object, Value::None) => {
                let Some(object) = heap.instance(object, Class::ObjectDetection) else {
                    return Err(wrong(heap, Field::Object, "an ObjectDetection", object));
                };
                self.row.class = text(heap, object, Field::FeatureHash)?;
                self.draw(heap, object, push)
            }
            (Value::None, answer) if !matches!(answer, Value::None) => {
                let Some(answer) = heap.instance(answer, Class::FrameClassification) else {
                    return Err(wrong(heap, Field::Classification, "a FrameClassification", answer));
                };
                self.row.kind = Kind::Answer;
                self.row.class = text(heap, answer, Field::FeatureHash)?;
                let chosen = AttributeValue {
                    name: text(heap, answer, Field::AttributeHash)?,
                    value: Some(text(heap, answer, Field::OptionHash)?),
                    frame: None,
                    frame_last: None,
                };
                push(&Drawn {
                    row: self.row,
                    frame: self.frame,
                    answers: &[chosen],
                });
                Ok(())
            }
            (object, _) => {
                let both = !matches!(object, Value::None);
                Err(Reason::BadField {
                    field: "prediction",
                    expected: "one of `object` and `classification`",
                    found: if both { "one with both" } else { "one with neither" }.to_owned(),
                })
            }
        }
    }

    /// Reads what an object draws, and pushes its row.
    fn draw(&mut self, heap: &'h Heap, object: &'h Instance, push: impl FnOnce(&Drawn<'_>)) -> Found<()> {
        let track = match object.field(Field::TrackId) {
            Value::None => None,
            Value::Int(track) => Some(track.to_string()),
            value => match heap.text(value) {
                Some(track) => Some(track.to_owned()),
                None => return Err(wrong(heap, Field::TrackId, "a text or a whole number, or None", value)),
            },
        };
        let (format, data) = (text(heap, object, Field::Format)?, object.field(Field::Data));
        let array = heap.array(data);
        let row = Annotation {
            track: track.as_deref(),
            ..self.row
        };
        let frame = self.frame;
        let draw = |row: Annotation<'_>| {
            push(&Drawn {
                row,
                frame,
                answers: &[],
            });
        };
        match (format, array) {
            ("bounding-box", _) => {
                let Some(of) = heap.instance(data, Class::BoundingBox) else {
                    return Err(wrong(heap, Field::Data, "a BoundingBox", data));
                };
                let side = |field| number(heap, field, of.field(field));
                let theta = match of.field(Field::Theta) {
                    Value::None => None,
                    value => Some(number(heap, Field::Theta, value)?),
                };
                let is_turned = theta.is_some_and(|theta| theta != 0.0);
                draw(Annotation {
                    shape: Some(if is_turned {
                        Shape::RotatableBoundingBox
                    } else {
                        Shape::BoundingBox
                    }),
                    unit: Unit::Frac,
                    bbox: Some([side(Field::X)?, side(Field::Y)?, side(Field::W)?, side(Field::H)?]),
                    theta,
                    ..row
                });
            }
            ("polygon", Some(Array::Pairs { values, are_whole })) => {
                let ends = [0, values.len() as i32];
                draw(Annotation {
                    shape: Some(Shape::Polygon),
                    unit: if *are_whole { Unit::Px } else { Unit::Frac },
                    points: Some(Points {
                        coords: values,
                        rings: &ends,
                        parts: &[0, 1],
                    }),
                    ..row
                });
            }
            // Active's own importer of masks calls them polygons.
            ("mask" | "polygon", Some(array)) => {
                let Some((height, width, rle)) = array.as_mask() else {
                    let expected = if format == "mask" { MASK } else { POLYGON };
                    return Err(wrong(heap, Field::Data, expected, data));
                };
                draw(Annotation {
                    shape: Some(Shape::Bitmask),
                    width_px: Some(width),
                    height_px: Some(height),
                    rle: Some(&rle),
                    rle_order: Some(RleOrder::RowMajor),
                    ..row
                });
            }
            ("mask", None) => return Err(wrong(heap, Field::Data, MASK, data)),
            ("polygon", None) => return Err(wrong(heap, Field::Data, POLYGON, data)),
            _ => {
                let format = object.field(Field::Format);
                return Err(wrong(heap, Field::Format, "bounding-box, mask or polygon", format));
            }
        }
        Ok(())
    }
}

const MASK: &str = "an array of shape (height, width) of whole numbers or flags";
const POLYGON: &str = "an array of shape (n, 2), or a mask";

fn wrong(heap: &Heap, field: Field, expected: &'static str, found: Value) -> Reason {
    match found {
        Value::None => Reason::MissingField { field: field.name() },
        found => Reason::BadField {
            field: field.name(),
            expected,
            found: heap.describe(found),
        },
    }
}

fn text<'h>(heap: &'h Heap, instance: &Instance, field: Field) -> Found<&'h str> {
    let value = instance.field(field);
    heap.text(value).ok_or_else(|| wrong(heap, field, "a text", value))
}

/// A number, also one that is whole. Whether it is finite is looked at for all formats alike.
fn number(heap: &Heap, field: Field, value: Value) -> Found<f64> {
    match value {
        Value::Float(number) => Ok(number),
        Value::Int(number) => Ok(number as f64),
        other => Err(wrong(heap, field, "a number", other)),
    }
}
