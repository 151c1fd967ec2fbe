//! The columns of schema v1: names, types and order. Later readers and encoders use them; they do not add any.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use arrow_schema::{DataType, Field, Fields, Schema, SchemaRef};

/// Version of the IR's schema.
pub const SCHEMA_VERSION: u32 = 1;

/// Key in the schema's metadata under which the version stands.
pub const VERSION_KEY: &str = "ropewalk.schema_version";

/// Position of each column in the table.
pub(super) mod at {
    pub const SOURCE: usize = 0;
    pub const OFFSET: usize = 1;
    pub const ANNOTATION_ID: usize = 2;
    pub const MEDIA: usize = 3;
    pub const FRAME: usize = 4;
    pub const FRAME_LAST: usize = 5;
    pub const KIND: usize = 6;
    pub const CLASS: usize = 7;
    pub const TRACK: usize = 8;
    pub const SCORE: usize = 9;
    pub const SHAPE: usize = 10;
    pub const UNIT: usize = 11;
    pub const WIDTH_PX: usize = 12;
    pub const HEIGHT_PX: usize = 13;
    pub const BOX: usize = 14;
    pub const THETA: usize = 15;
    pub const POINTS: usize = 16;
    pub const VISIBILITY: usize = 17;
    pub const RLE: usize = 18;
    pub const RLE_ORDER: usize = 19;
    pub const ATTRIBUTES: usize = 20;
}

fn list(item: DataType) -> DataType {
    DataType::List(item_field(item))
}

/// Field of a list's items: named as Arrow names them, never null.
pub(super) fn item_field(item: DataType) -> Arc<Field> {
    Arc::new(Field::new("item", item, true))
}

/// Type of `box`: x, y, w, h.
pub(super) fn box_type() -> DataType {
    DataType::FixedSizeList(item_field(DataType::Float64), 4)
}

/// Type of one ring: x y x y ...
pub(super) fn ring_type() -> DataType {
    list(DataType::Float64)
}

/// Type of `points`: parts, rings, coordinates.
pub(super) fn points_type() -> DataType {
    list(list(ring_type()))
}

/// Fields of one attribute: an answer, on a range of frames or on all of the object.
pub(super) fn attribute_fields() -> Fields {
    Fields::from(vec![
        Field::new("name", DataType::Utf8View, false),
        Field::new("value", DataType::Utf8View, true),
        Field::new("frame", DataType::UInt32, true),
        Field::new("frame_last", DataType::UInt32, true),
    ])
}

/// The schema of an IR table, its version in the metadata.
pub fn schema() -> SchemaRef {
    static SCHEMA: OnceLock<SchemaRef> = OnceLock::new();
    Arc::clone(SCHEMA.get_or_init(make_schema))
}

fn make_schema() -> SchemaRef {
    let text = |name: &str, nullable| Field::new(name, DataType::Utf8View, nullable);
    let columns = vec![
        text("source", false),
        Field::new("offset", DataType::UInt64, false),
        text("annotation_id", true),
        text("media", false),
        Field::new("frame", DataType::UInt32, true),
        Field::new("frame_last", DataType::UInt32, true),
        text("kind", false),
        text("class", false),
        text("track", true),
        Field::new("score", DataType::Float64, true),
        text("shape", true),
        text("unit", false),
        Field::new("width_px", DataType::UInt32, true),
        Field::new("height_px", DataType::UInt32, true),
        Field::new("box", box_type(), true),
        Field::new("theta", DataType::Float64, true),
        Field::new("points", points_type(), true),
        Field::new("visibility", list(DataType::UInt8), true),
        Field::new("rle", DataType::BinaryView, true),
        text("rle_order", true),
        Field::new("attributes", list(DataType::Struct(attribute_fields())), true),
    ];
    let metadata = HashMap::from([(VERSION_KEY.to_owned(), SCHEMA_VERSION.to_string())]);
    Arc::new(Schema::new_with_metadata(columns, metadata))
}
