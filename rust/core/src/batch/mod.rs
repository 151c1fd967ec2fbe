//! The intermediate representation (IR), schema v1: predictions as one self-contained Arrow table.
//!
//! [`Annotation`] is one row as borrowed values, [`AnnotationBatchBuilder`] collects rows into an [`AnnotationBatch`],
//! whose [`AnnotationBatch::row`] gives them back without a copy. Readers write it, `resolve` reads it, and Python
//! receives it through the Arrow C interface.

mod attributes;
mod build;
mod columns;
mod json;
mod names;
mod open;
mod read;
mod text;
mod told;
mod track;

pub use build::AnnotationBatchBuilder;
pub use columns::{schema, SCHEMA_VERSION, VERSION_KEY};
pub use json::row_json;
pub(crate) use json::row_members;
pub(crate) use open::{check_columns, is_column, passed_over};
pub use open::{Defaults, OpenBatch, Said, WrongValue};
pub use read::AnnotationBatch;
pub(crate) use told::{tell, Has};

macro_rules! text_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// The value as it stands in the table.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// Reads a table's value; `None` for a word that is not one of them.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

text_enum!(
    /// Whether a row draws something or answers a question about frames.
    Kind {
        /// A geometry on a frame.
        Object = "object",
        /// An answer to a classification, on a range of frames.
        Answer = "answer",
    }
);

text_enum!(
    /// What a row's geometry is. A row may carry a box beside a polygon or mask; the shape names the richer one.
    Shape {
        /// `box`.
        BoundingBox = "bounding_box",
        /// `box` and `theta`.
        RotatableBoundingBox = "rotatable_bounding_box",
        /// `points`: parts of rings, the first ring of a part outer, the others its holes.
        Polygon = "polygon",
        /// `points`: one part, one open line.
        Polyline = "polyline",
        /// `points`: one part, one ring, one point.
        Point = "point",
        /// `rle` and `rle_order`, of size `height_px` x `width_px`.
        Bitmask = "bitmask",
        /// `points` and `visibility`, in the template's order.
        Skeleton = "skeleton",
        /// `box` around it.
        Circle = "circle",
        /// `box` around it before it is turned by `theta`.
        Ellipse = "ellipse",
        /// `points`: one part, the front and how the back lies to it: its offset, or the vanishing point and the back's size
        /// in that of the front, twice.
        Cuboid2d = "cuboid_2d",
    }
);

text_enum!(
    /// Unit of a row's coordinates; they keep the unit of their source bit for bit.
    Unit {
        /// Pixels of an image of `width_px` x `height_px`, origin at the top left corner.
        Px = "px",
        /// Fractions of the image's width and height.
        Frac = "frac",
    }
);

text_enum!(
    /// Order in which an RLE walks the pixels.
    RleOrder {
        /// Down the columns.
        ColumnMajor = "column_major",
        /// Along the rows, as Encord's rleString.
        RowMajor = "row_major",
    }
);

/// Parts, rings and coordinates of one row, borrowed.
///
/// `parts` has one entry more than the row has parts and indexes `rings`; ring `r` owns `coords[rings[r]..rings[r + 1]]`,
/// x and y in turn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Points<'a> {
    /// x y x y ... of all rings.
    pub coords: &'a [f64],
    /// Offsets into `coords`.
    pub rings: &'a [i32],
    /// Offsets into `rings`.
    pub parts: &'a [i32],
}

impl<'a> Points<'a> {
    /// Iterates over the parts, each an iterator over its rings (flat x y x y ...), the outer ring first.
    pub fn iter(&self) -> impl Iterator<Item = impl Iterator<Item = &'a [f64]> + 'a> + 'a {
        let Self { coords, rings, parts } = *self;
        parts.windows(2).map(move |part| {
            (part[0] as usize..part[1] as usize).map(move |r| &coords[rings[r] as usize..rings[r + 1] as usize])
        })
    }
}

/// One row of the IR, borrowed from a reader's buffers or from a batch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Annotation<'a> {
    /// Label of the file or table.
    pub source: &'a str,
    /// Byte offset or record number in it.
    pub offset: u64,
    /// The source's own id.
    pub annotation_id: Option<&'a str>,
    /// Title, file name or data_hash, as the source has it.
    pub media: &'a str,
    /// 0-based frame in the source's counting; milliseconds for audio.
    pub frame: u32,
    /// Last frame of a range, inclusive; none for a single frame.
    pub frame_last: Option<u32>,
    /// Object or answer.
    pub kind: Kind,
    /// The source's class: its name, or its id as text where it has no name.
    pub class: &'a str,
    /// Rows with one track are one object.
    pub track: Option<&'a str>,
    /// 0..1; none means 1.0.
    pub score: Option<f64>,
    /// None for answers.
    pub shape: Option<Shape>,
    /// Unit of `bbox` and `points`.
    pub unit: Unit,
    /// Width that px coordinates refer to.
    pub width_px: Option<u32>,
    /// Height that px coordinates refer to.
    pub height_px: Option<u32>,
    /// x, y of the top left corner, width, height.
    pub bbox: Option<[f64; 4]>,
    /// Degrees clockwise about the box's centre.
    pub theta: Option<f64>,
    /// Coordinates of polygons, polylines, points and skeletons.
    pub points: Option<Points<'a>>,
    /// One flag a skeleton point: 0 not labelled, 1 hidden, 2 visible.
    pub visibility: Option<&'a [u8]>,
    /// Run-length string, in the character code of [`crate::rle`].
    pub rle: Option<&'a [u8]>,
    /// Pixel order of `rle`.
    pub rle_order: Option<RleOrder>,
}

/// An answer of a row: to a classification, or to a question about an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttributeValue<'a> {
    /// The question: its name or feature hash; empty for the first one.
    pub name: &'a str,
    /// The answer: an option's label, value or feature hash, text, or a number as text. A checklist has one of these for
    /// each chosen option, or none for no option.
    pub value: Option<&'a str>,
    /// First frame that it holds on, where that is not the row's.
    pub frame: Option<u32>,
    /// Last frame that it holds on, inclusive.
    pub frame_last: Option<u32>,
}

impl<'a> Annotation<'a> {
    /// An object without geometry, to be filled in.
    pub fn object(source: &'a str, offset: u64, media: &'a str, frame: u32, class: &'a str) -> Self {
        Self {
            source,
            offset,
            annotation_id: None,
            media,
            frame,
            frame_last: None,
            kind: Kind::Object,
            class,
            track: None,
            score: None,
            shape: None,
            unit: Unit::Px,
            width_px: None,
            height_px: None,
            bbox: None,
            theta: None,
            points: None,
            visibility: None,
            rle: None,
            rle_order: None,
        }
    }
}
