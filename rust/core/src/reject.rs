//! Rejects: annotations that are not written, each with a code, a reason and its place in the source.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Longest text of an annotation that a reject carries whole, in bytes; longer ones are cut and marked.
pub const MAX_TEXT_BYTES: usize = 1 << 20;

/// Codes of what can keep a whole label row from being written.
pub const ROW_CODES: [&str; 6] = [
    "server_refused",
    "no_answer",
    "row_missing",
    "existing_row",
    "bad_label_row",
    "row_too_large",
];

/// The code of [`ROW_CODES`] that reads `code`.
pub fn row_code(code: &str) -> Option<&'static str> {
    ROW_CODES.into_iter().find(|known| *known == code)
}

/// Why one annotation is not written. Fields hold what was found; [`fmt::Display`] makes the sentence.
#[derive(Debug, Clone, PartialEq)]
pub enum Reason {
    /// A field that must be there is missing or null.
    MissingField {
        /// Name of the field.
        field: &'static str,
    },
    /// A field has another JSON type or length than it should.
    BadField {
        /// Name of the field.
        field: &'static str,
        /// What was expected, as a noun phrase.
        expected: &'static str,
        /// What was found, shortened.
        found: String,
    },
    /// A column or member that the schema does not have.
    UnknownField {
        /// Its name, shortened.
        field: String,
    },
    /// A line that is no JSON object.
    BadLine {
        /// What is wrong with it, and where.
        message: String,
    },
    /// NaN or an infinity where a number is needed.
    NotFinite {
        /// Name of the field.
        field: &'static str,
    },
    /// A confidence outside 0..1.
    ScoreRange {
        /// The value found.
        score: f64,
    },
    /// A box with a negative width or height.
    NegativeBox {
        /// Width in the source's unit.
        w: f64,
        /// Height in the source's unit.
        h: f64,
    },
    /// A ring with an odd number of coordinates or fewer than three points.
    BadPolygon {
        /// Coordinates in the ring.
        coordinates: usize,
    },
    /// An RLE that is not one; code and sentence come from the codec.
    BadRle {
        /// `rle_sum`, `rle_alphabet`, `rle_truncated`, `rle_negative`, `rle_size`, ...
        code: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// Neither a box nor a segmentation.
    NoGeometry,
    /// The image id is not among the file's images and no media map names it.
    UnknownImage {
        /// The id, as text.
        image_id: String,
    },
    /// The category id is not among the file's categories and no class map names it.
    UnknownCategory {
        /// The id, as text.
        category_id: String,
    },
    /// No object of the ontology has the class's name.
    UnknownClass {
        /// The class as the source has it.
        class: String,
    },
    /// No classification of the ontology has the class's name.
    UnknownClassification {
        /// The class as the source has it.
        class: String,
    },
    /// Several objects of the ontology fit the class's name, and the shape does not settle which.
    AmbiguousClass {
        /// The class as the source has it.
        class: String,
        /// feature_node_hash of each that fits.
        candidates: Vec<String>,
    },
    /// A class map is given and does not name the class, or names a hash the ontology does not have.
    UnmappedClass {
        /// The class as the source has it.
        class: String,
    },
    /// No medium of the project has the title.
    UnknownMedia {
        /// The medium as the source has it.
        media: String,
    },
    /// Several media of the project fit the title.
    AmbiguousMedia {
        /// The medium as the source has it.
        media: String,
        /// How many fit.
        candidates: usize,
    },
    /// A media map is given and does not name the medium, or names a data_hash the project does not have.
    UnmappedMedia {
        /// The medium as the source has it.
        media: String,
    },
    /// The medium is of a type that this kind of label cannot stand on.
    UnsupportedMedia {
        /// The medium's title.
        media: String,
        /// Its data type.
        data_type: String,
    },
    /// A video or image group, and nothing says which frame.
    NoFrame {
        /// The medium as the source has it.
        media: String,
    },
    /// The frame is negative or past the medium's end.
    FrameRange {
        /// Frame after base and stride were applied.
        frame: i64,
        /// Frames of the medium.
        frames: u64,
    },
    /// The frame rule's pattern does not match the file name.
    PatternMismatch {
        /// The name that does not match.
        name: String,
    },
    /// Pixel coordinates, and neither the source nor the project knows the image's size.
    NoSize {
        /// The medium as the source has it.
        media: String,
    },
    /// A mask of another size than its medium.
    MaskSize {
        /// (h, w) of the mask.
        mask: (u32, u32),
        /// (h, w) of the medium.
        media: (u32, u32),
    },
    /// The ontology's shape cannot be made from the annotation's geometry.
    ShapeMismatch {
        /// The shape that the ontology asks for.
        wanted: String,
        /// What the annotation has.
        found: String,
    },
    /// A geometry outside the image, where the policy says reject, or with nothing left after clipping.
    OffImage,
    /// A mask without a pixel or a polygon without an area, where something must be drawn.
    EmptyGeometry,
    /// A line of a reject file whose ids are those of another file than the one given with --annotations.
    OtherTables {
        /// File that lists the images and categories.
        ids_from: String,
        /// File that was given.
        given: String,
    },
    /// The annotation's label row was not written.
    LabelRow {
        /// One of [`ROW_CODES`].
        code: &'static str,
        /// What happened to the row.
        message: String,
    },
    /// The same track twice on one frame; the first stays.
    DuplicateTrackFrame {
        /// The track.
        track: String,
        /// Encord frame.
        frame: u32,
    },
    /// Frames that have another answer to the same classification, or the same one with another confidence; the first
    /// one stays.
    ConflictingAnswer {
        /// Encord frame, or millisecond, that the answer begins at.
        frame: u32,
    },
    /// The object or classification has no question of this name, or none that is asked after the other answers.
    UnknownAttribute {
        /// Object or classification.
        class: String,
        /// The name as the source has it.
        name: String,
    },
    /// An answer that its question does not take.
    BadAnswer {
        /// The question's name.
        name: String,
        /// What was answered, shortened.
        found: String,
        /// What was expected, as a noun phrase.
        expected: &'static str,
    },
    /// A label row, or a label in one, that is not what Encord writes.
    BadLabel {
        /// What is wrong with it.
        message: String,
    },
    /// An answer that answers nothing.
    NoAnswer {
        /// The classification as the source has it.
        class: String,
    },
    /// A range that ends before it begins.
    BackwardRange {
        /// First frame or millisecond.
        first: i64,
        /// Last one.
        last: i64,
    },
    /// A category's keypoint that is no point of the ontology's skeleton, while others are.
    KeypointNames {
        /// The keypoint's name.
        name: String,
    },
    /// Points that are not those of the ontology's skeleton.
    SkeletonPoints {
        /// How many points the annotation has.
        found: usize,
        /// How many the template has.
        wanted: usize,
    },
}

impl Reason {
    /// Stable name of the kind of reject, as it stands in the reject file and in `rejects_by_code`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::MissingField { .. } => "missing_field",
            Self::BadField { .. } => "bad_field",
            Self::UnknownField { .. } => "unknown_field",
            Self::BadLine { .. } => "bad_line",
            Self::NotFinite { .. } => "not_finite",
            Self::ScoreRange { .. } => "score_range",
            Self::NegativeBox { .. } => "negative_box",
            Self::BadPolygon { .. } => "bad_polygon",
            Self::BadRle { code, .. } | Self::LabelRow { code, .. } => code,
            Self::NoGeometry => "no_geometry",
            Self::UnknownImage { .. } => "unknown_image",
            Self::UnknownCategory { .. } => "unknown_category",
            Self::UnknownClass { .. } => "unknown_class",
            Self::UnknownClassification { .. } => "unknown_classification",
            Self::AmbiguousClass { .. } => "ambiguous_class",
            Self::UnmappedClass { .. } => "unmapped_class",
            Self::UnknownMedia { .. } => "unknown_media",
            Self::AmbiguousMedia { .. } => "ambiguous_media",
            Self::UnmappedMedia { .. } => "unmapped_media",
            Self::UnsupportedMedia { .. } => "unsupported_media",
            Self::NoFrame { .. } => "no_frame",
            Self::FrameRange { .. } => "frame_range",
            Self::PatternMismatch { .. } => "pattern_mismatch",
            Self::NoSize { .. } => "no_size",
            Self::MaskSize { .. } => "mask_size",
            Self::ShapeMismatch { .. } => "shape_mismatch",
            Self::OffImage => "off_image",
            Self::EmptyGeometry => "empty_geometry",
            Self::OtherTables { .. } => "other_tables",
            Self::DuplicateTrackFrame { .. } => "duplicate_track_frame",
            Self::ConflictingAnswer { .. } => "conflicting_answer",
            Self::UnknownAttribute { .. } => "unknown_attribute",
            Self::BadAnswer { .. } => "bad_answer",
            Self::BadLabel { .. } => "bad_label",
            Self::NoAnswer { .. } => "no_answer_given",
            Self::BackwardRange { .. } => "backward_range",
            Self::KeypointNames { .. } => "keypoint_names",
            Self::SkeletonPoints { .. } => "skeleton_points",
        }
    }
}

/// What kind of name a reject could not resolve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unresolved {
    /// An image or medium.
    Media,
    /// A category.
    Class,
}

impl Reason {
    /// The name that the reject could not resolve, if that is why: the summary names each once.
    pub fn unresolved(&self) -> Option<(Unresolved, &str)> {
        match self {
            Self::UnknownImage { image_id: name }
            | Self::UnknownMedia { media: name }
            | Self::AmbiguousMedia { media: name, .. }
            | Self::UnmappedMedia { media: name }
            | Self::UnsupportedMedia { media: name, .. }
            | Self::PatternMismatch { name }
            | Self::NoFrame { media: name } => Some((Unresolved::Media, name)),
            Self::UnknownCategory { category_id: name }
            | Self::UnknownClass { class: name }
            | Self::UnknownClassification { class: name }
            | Self::AmbiguousClass { class: name, .. }
            | Self::UnmappedClass { class: name } => Some((Unresolved::Class, name)),
            _ => None,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingField { field } => write!(f, "`{field}` is missing or null; {}", what_to_add(field)),
            Self::BadField { field, expected, found } => write!(f, "`{field}` is {found}; expected {expected}"),
            Self::UnknownField { field } => write!(
                f,
                "there is no `{field}` in the schema; correct the name, or begin it with x_ to have it passed over"
            ),
            Self::BadLine { message } => write!(f, "the line is no JSON object: {message}"),
            Self::NotFinite { field } => write!(f, "`{field}` holds NaN or an infinity; expected finite numbers"),
            Self::ScoreRange { score } => write!(f, "the score is {score}; expected a number from 0 to 1"),
            Self::NegativeBox { w, h } => write!(f, "the box is {w} wide and {h} high; expected x, y, width, height, none of the last two negative"),
            Self::BadPolygon { coordinates } => {
                write!(f, "a ring has {coordinates} coordinates; expected x y pairs of three points or more")
            }
            Self::BadRle { message, .. } | Self::LabelRow { message, .. } => f.write_str(message),
            Self::NoGeometry => f.write_str("there is nothing to draw: neither `bbox` nor `segmentation`, and in a table neither `box`, `points` nor `rle`; expected one of them"),
            Self::UnknownImage { image_id } => write!(
                f,
                "image id {image_id} is not among the file's images; give the file with them (--annotations) or name it in --media-map"
            ),
            Self::UnknownCategory { category_id } => write!(
                f,
                "category id {category_id} is not among the file's categories; give the file with them (--annotations) or name it in --class-map"
            ),
            Self::UnknownClass { class } => {
                write!(f, "no object of the ontology is named {class:?}; name its feature hash in --class-map")
            }
            Self::UnknownClassification { class } => write!(
                f,
                "no classification of the ontology is named {class:?}; name its feature hash in --class-map"
            ),
            Self::AmbiguousClass { class, candidates } => write!(
                f,
                "{class:?} fits the ontology objects {}; name one of them in --class-map",
                candidates.join(", ")
            ),
            Self::UnmappedClass { class } => {
                write!(f, "the class map does not lead {class:?} to an object of the ontology; add it, or null to drop it")
            }
            Self::UnknownMedia { media } => {
                write!(f, "no medium of the project is titled {media:?}; name its data_hash in --media-map")
            }
            Self::AmbiguousMedia { media, candidates } => {
                write!(f, "{candidates} media of the project fit the title {media:?}; name one data_hash in --media-map")
            }
            Self::UnmappedMedia { media } => {
                write!(f, "the media map does not lead {media:?} to a medium of the project; add it")
            }
            Self::UnsupportedMedia { media, data_type } => {
                write!(f, "{media:?} is of type {data_type}, on which this kind of label cannot stand")
            }
            Self::NoFrame { media } => write!(
                f,
                "{media:?} has many frames and nothing says which one; give `frame_index`, --frame-from or --frame-pattern"
            ),
            Self::FrameRange { frame, frames } => write!(
                f,
                "frame {frame} is outside the medium's 0..{frames}; see --frame-base and --frame-stride"
            ),
            Self::PatternMismatch { name } => write!(f, "--frame-pattern does not match {name:?}"),
            Self::NoSize { media } => write!(
                f,
                "the size of {media:?} is known neither to the source nor to the project; give the file with the images' sizes (--annotations)"
            ),
            Self::MaskSize { mask, media } => write!(
                f,
                "the mask is {}x{} (h x w), its medium {}x{}; masks are not scaled",
                mask.0, mask.1, media.0, media.1
            ),
            Self::ShapeMismatch { wanted, found } => {
                write!(f, "the ontology asks for a {wanted}, which cannot be made from {found}")
            }
            Self::OffImage => f.write_str("the geometry lies outside the image; see --off-image"),
            Self::EmptyGeometry => f.write_str("the geometry covers nothing; expected at least a pixel"),
            Self::OtherTables { ids_from, given } => write!(
                f,
                "the image and category ids are those of {ids_from}, not of {given}; give that file with --annotations"
            ),
            Self::DuplicateTrackFrame { track, frame } => {
                write!(f, "track {track} stands twice on frame {frame}; the first one stays")
            }
            Self::ConflictingAnswer { frame } => write!(
                f,
                "frame {frame} has another answer to the same classification, or this one with another confidence; the first one stays"
            ),
            Self::UnknownAttribute { class, name } => write!(
                f,
                "{class:?} has no attribute {name:?}, or none that is asked after the other answers; see `ropewalk ontology`"
            ),
            Self::BadAnswer { name, found, expected } => write!(f, "the answer to {name:?} is {found}; expected {expected}"),
            Self::BadLabel { message } => write!(f, "{message}; expected a label as Encord writes it"),
            Self::NoAnswer { class } => write!(f, "nothing is answered to {class:?}; expected a value in `attributes`"),
            Self::BackwardRange { first, last } => {
                write!(f, "the range begins at {first} and ends at {last}; expected an end that does not come before")
            }
            Self::KeypointNames { name } => write!(
                f,
                "the category's keypoint {name:?} is not one point of the ontology's skeleton, as others of its keypoints are; \
                 give each the name of its point, once"
            ),
            Self::SkeletonPoints { found, wanted } => write!(
                f,
                "the annotation has {found} points, the ontology's skeleton {wanted}; expected each of them, in the template's order"
            ),
        }
    }
}

/// How to mend a field that is missing.
fn what_to_add(field: &str) -> &'static str {
    match field {
        "unit" => "add it (px or frac), or give --unit px or --unit frac for all rows",
        "rle_order" => "add it: column_major for COCO's strings, row_major for Encord's",
        "shape" => "add it: the points alone do not tell what they are",
        _ => "add it",
    }
}

/// Counts of what was left out, or is worth a look, by name.
pub type Counts = BTreeMap<&'static str, u64>;

/// Where a rejected annotation came from, so that it can be imported again by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Label of the source (see identity: part of a tracked object's hash).
    pub source: Arc<str>,
    /// File whose images and categories its ids are (its own, or that of --annotations): name, `#`, digest of the lists.
    pub ids_from: Option<Arc<str>>,
    /// Name of the format that the source is of; it says how frames are counted.
    pub format: Option<Arc<str>>,
    /// File inside the source where that is a folder.
    pub member: Option<Arc<str>>,
}

impl Origin {
    /// A source of which its label is all that is to be said.
    pub fn of(source: &str) -> Self {
        Self {
            source: source.into(),
            ids_from: None,
            format: None,
            member: None,
        }
    }
}

/// One annotation that is not written.
#[derive(Debug, Clone)]
pub struct Reject {
    /// Why.
    pub reason: Reason,
    /// Where it came from.
    pub origin: Origin,
    /// Offset of the annotation's first byte, or the record's number in a table.
    pub offset: u64,
    /// The source's own id of the annotation.
    pub annotation_id: Option<String>,
    /// The annotation's own text, at most [`MAX_TEXT_BYTES`]; none where its source was changed or removed meanwhile.
    pub text: Option<Vec<u8>>,
    /// Whether the source is a table, whose rows have no text to be read again.
    pub of_table: bool,
}

impl Reject {
    /// The reject file's line for it, newline included: one JSON object.
    ///
    /// The annotation stands in it as an object, so that it can be mended and imported again; text that strict JSON
    /// does not allow (NaN, or cut at [`MAX_TEXT_BYTES`]) stands in it as a string. Without its text it is null, and the
    /// message says so.
    pub fn to_json_line(&self) -> String {
        let mut message = self.reason.to_string();
        let annotation = match &self.text {
            Some(text) => annotation_json(&String::from_utf8_lossy(text)),
            None if self.of_table => {
                message.push_str(&format!("; it is row {} of its table, counted from 0", self.offset));
                "null".to_owned()
            }
            None => {
                message.push_str("; its text is not here, since its source was changed or removed after it was read");
                "null".to_owned()
            }
        };
        format!(
            "{{\"code\":{},\"message\":{},\"source\":{},\"byte\":{},\"format\":{},\"member\":{},\"ids_from\":{},\"annotation_id\":{},\"annotation\":{annotation}}}\n",
            json_string(self.reason.code()),
            json_string(&message),
            json_string(&self.origin.source),
            self.offset,
            json_or_null(self.origin.format.as_deref()),
            json_or_null(self.origin.member.as_deref()),
            json_or_null(self.origin.ids_from.as_deref()),
            json_or_null(self.annotation_id.as_deref()),
        )
    }

    /// Makes a reject, keeping at most [`MAX_TEXT_BYTES`] of the annotation's text.
    pub fn new(reason: Reason, origin: &Origin, offset: u64, annotation_id: Option<&str>, text: Option<&[u8]>) -> Self {
        Self {
            reason,
            origin: origin.clone(),
            offset,
            annotation_id: annotation_id.map(str::to_owned),
            text: text.map(|text| text[..text.len().min(MAX_TEXT_BYTES)].to_vec()),
            of_table: false,
        }
    }
}

/// A label row that is not written, for which one line stands instead of one for each annotation: their text would be as
/// large as the row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowReject {
    /// One of [`ROW_CODES`].
    pub code: &'static str,
    /// What happened to the row.
    pub message: String,
    /// data_hash of the medium.
    pub data_hash: String,
    /// Its title.
    pub title: String,
    /// Annotations in it, at least one.
    pub annotations: u64,
    /// Bytes of the row's JSON.
    pub len_bytes: u64,
}

impl RowReject {
    /// The reject file's line for it, newline included. `annotation` is null: there is nothing in it to mend.
    pub fn to_json_line(&self) -> String {
        // `annotation` comes first: by it a file is known as a reject file.
        format!(
            "{{\"code\":{},\"message\":{},\"annotation\":null,\"data_hash\":{},\"title\":{},\"annotations\":{},\"len_bytes\":{}}}\n",
            json_string(self.code),
            json_string(&self.message),
            json_string(&self.data_hash),
            json_string(&self.title),
            self.annotations,
            self.len_bytes,
        )
    }
}

fn annotation_json(text: &str) -> String {
    let object = serde_json::from_str::<&serde_json::value::RawValue>(text).ok();
    // Line breaks of a pretty-printed annotation can only stand between its tokens.
    object.map_or_else(|| json_string(text), |raw| raw.get().replace(['\n', '\r'], " "))
}

fn json_or_null(text: Option<&str>) -> String {
    text.map_or_else(|| "null".to_owned(), json_string)
}

fn json_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
