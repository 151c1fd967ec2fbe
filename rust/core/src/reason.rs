//! Why an annotation is not written: each reason with its code and its sentence.

/// Makes the enum of reasons from its variants, each of which is followed by its code: a text, or the field that holds it.
macro_rules! reasons {
    (
        $(#[$about:meta])*
        pub enum $name:ident {
            $(
                $(#[$about_variant:meta])*
                $variant:ident = $code:tt $({ $($(#[$about_field:meta])* $field:ident: $type:ty,)+ })?,
            )+
        }
    ) => {
        $(#[$about])*
        pub enum $name {
            $($(#[$about_variant])* $variant $({ $($(#[$about_field])* $field: $type,)+ })?,)+
        }

        impl $name {
            /// Stable name of the kind of reject, as it is written to the reject file and to `rejects_by_code`.
            #[allow(unused_variables)] // Most codes are not taken from a field.
            pub fn code(&self) -> &'static str {
                match self {
                    $(Self::$variant $({ $($field,)+ })? => $code,)+
                }
            }
        }
    };
}

reasons! {
    /// Why one annotation is not written. Fields hold what was found; its `Display` is the sentence.
    #[derive(Debug, Clone, PartialEq, thiserror::Error)]
    pub enum Reason {
        /// A field that must be there is missing or null.
        #[error("`{field}` is missing or null; {}", what_to_add(field))]
        MissingField = "missing_field" {
            /// Name of the field.
            field: &'static str,
        },
        /// A field has another JSON type or length than it should.
        #[error("`{field}` is {found}; expected {expected}")]
        BadField = "bad_field" {
            /// Name of the field.
            field: &'static str,
            /// What was expected, as a noun phrase.
            expected: &'static str,
            /// What was found, shortened.
            found: String,
        },
        /// A column or member that the schema does not have.
        #[error("there is no `{field}` in the schema; correct the name, or begin it with x_ to have it passed over")]
        UnknownField = "unknown_field" {
            /// Its name, shortened.
            field: String,
        },
        /// A line that is not a JSON object.
        #[error("the line is not a JSON object: {message}")]
        BadLine = "bad_line" {
            /// What is wrong with it, and where.
            message: String,
        },
        /// A picture that cannot be read.
        #[error("the picture cannot be read: {message}")]
        BadPicture = "bad_picture" {
            /// What is wrong with it, and what to do.
            message: String,
        },
        /// NaN or an infinity where a number is needed.
        #[error("`{field}` holds NaN or an infinity; expected finite numbers")]
        NotFinite = "not_finite" {
            /// Name of the field.
            field: &'static str,
        },
        /// A confidence outside 0..1.
        #[error("the score is {score}; expected a number from 0 to 1")]
        ScoreRange = "score_range" {
            /// The value found.
            score: f64,
        },
        /// A box with a negative width or height.
        #[error("the box is {w} wide and {h} high; expected x, y, width, height, none of the last two negative")]
        NegativeBox = "negative_box" {
            /// Width in the source's unit.
            w: f64,
            /// Height in the source's unit.
            h: f64,
        },
        /// A ring with an odd number of coordinates or fewer than three points.
        #[error("a ring has {coordinates} coordinates; expected x y pairs of three points or more")]
        BadPolygon = "bad_polygon" {
            /// Coordinates in the ring.
            coordinates: usize,
        },
        /// Run lengths that are not a mask; code and sentence come from the codec.
        #[error("{message}")]
        BadRle = code {
            /// `rle_sum`, `rle_alphabet`, `rle_truncated`, `rle_negative`, `rle_size`, ...
            code: &'static str,
            /// What is wrong with it.
            message: String,
        },
        /// Neither a box, nor a segmentation, nor keypoints.
        #[error("no geometry; expected `bbox`, `segmentation` or `keypoints`, or in a table `box`, `points` or `rle`")]
        NoGeometry = "no_geometry",
        /// The class is drawn from keypoints, and none of the annotation's is in the picture.
        #[error(
            "the annotation has no keypoints in the picture, and the ontology asks for them; leave it out, or map its class to a \
             box with --class-map"
        )]
        NoKeypoints = "no_keypoints",
        /// The image id is not among the file's images and no media map names it.
        #[error(
            "image id {image_id} is not among the file's images; give the file with them (--annotations) or name it in --media-map"
        )]
        UnknownImage = "unknown_image" {
            /// The id, as text.
            image_id: String,
        },
        /// An id that the file gives to two different images, categories or videos.
        #[error("id {id} is given twice in `{list}`, for different things; give each its own id")]
        RepeatedId = "repeated_id" {
            /// Name of the list.
            list: &'static str,
            /// The id, as text.
            id: String,
        },
        /// The category id is not among the file's categories and no class map names it.
        #[error(
            "category id {category_id} is not among the file's categories; give the file with them (--annotations) or name it in \
             --class-map"
        )]
        UnknownCategory = "unknown_category" {
            /// The id, as text.
            category_id: String,
        },
        /// No object of the ontology has the class's name.
        #[error("no object of the ontology is named {class:?}; name its feature hash in --class-map")]
        UnknownClass = "unknown_class" {
            /// The class as the source has it.
            class: String,
        },
        /// No classification of the ontology has the class's name.
        #[error("no classification of the ontology is named {class:?}; name its feature hash in --class-map")]
        UnknownClassification = "unknown_classification" {
            /// The class as the source has it.
            class: String,
        },
        /// Several objects of the ontology fit the class's name, and the shape does not settle which.
        #[error("{class:?} fits the ontology objects {}; name one of them in --class-map", candidates.join(", "))]
        AmbiguousClass = "ambiguous_class" {
            /// The class as the source has it.
            class: String,
            /// feature_node_hash of each that fits.
            candidates: Vec<String>,
        },
        /// A class map is given and does not name the class, or names a hash the ontology does not have.
        #[error("{class:?} is not in --class-map; add it, with null to drop it, or {OTHERS_BY_NAME}")]
        UnmappedClass = "unmapped_class" {
            /// The class as the source has it.
            class: String,
        },
        /// No medium of the project has the title.
        #[error("no medium of the project is titled {media:?}; name its data_hash in --media-map{}", or_pattern(.pattern))]
        UnknownMedia = "unknown_media" {
            /// The medium as the source has it.
            media: String,
            /// The `--frame-pattern` by which it would be a frame of a video.
            pattern: Option<String>,
        },
        /// Several media of the project fit the name.
        #[error(
            "{media:?} fits {candidates} media of the project, such as {one:?} and {other:?}; name the data_hash of one in \
             --media-map"
        )]
        AmbiguousMedia = "ambiguous_media" {
            /// The medium as the source has it.
            media: String,
            /// How many fit.
            candidates: usize,
            /// The title of one of them.
            one: String,
            /// The title of another.
            other: String,
        },
        /// Several names of the sources fit one medium of the project.
        #[error(
            "{media:?} and {other:?} both fit the medium {title:?}, which cannot be both; name the data_hash of each in \
             --media-map"
        )]
        SharedMedium = "ambiguous_media" {
            /// The medium as the source has it.
            media: String,
            /// Another name that fits.
            other: String,
            /// The medium's title.
            title: String,
        },
        /// A name and a title have one file name, and folders that say that they are two files.
        #[error(
            "{media:?} has the file name of the medium {title:?} and another folder, which other files are in; name its \
             data_hash in --media-map"
        )]
        FoldersContradict = "ambiguous_media" {
            /// The medium as the source has it.
            media: String,
            /// The medium's title.
            title: String,
        },
        /// An image of the source without a name.
        #[error("image {image_id} has no `file_name`, and no `coco_url` or `path` in its place; add it, or name the image in --media-map")]
        NoFileName = "no_file_name" {
            /// The image's id.
            image_id: String,
        },
        /// A media map is given and does not name the medium, or names a data_hash the project does not have.
        #[error("{media:?} is not in --media-map; add it, with null to drop it, or {OTHERS_BY_NAME}")]
        UnmappedMedia = "unmapped_media" {
            /// The medium as the source has it.
            media: String,
        },
        /// The medium is of a type that this kind of label cannot stand on.
        #[error("{media:?} is of type {data_type}, which cannot hold this kind of label")]
        UnsupportedMedia = "unsupported_media" {
            /// The medium's title.
            media: String,
            /// Its data type.
            data_type: String,
        },
        /// The medium is a data group, whose labels are on its spaces.
        #[error("{media:?} is a data group; name the space that the label is on, such as {}", spaces.join(", "))]
        DataGroup = "data_group" {
            /// The data group's title.
            media: String,
            /// Its spaces, by the paths that name them.
            spaces: Vec<String>,
        },
        /// A video or image group, and nothing says which frame.
        #[error("{media:?} has many frames and nothing says which one; give `frame_index`, --frame-from or --frame-pattern")]
        NoFrame = "no_frame" {
            /// The medium as the source has it.
            media: String,
        },
        /// An answer about all of a medium, and nothing says where that ends.
        #[error("the answer has no frame, and nothing says how long {media:?} is; give `frame` and `frame_last`")]
        NoEnd = "no_frame" {
            /// The medium's title.
            media: String,
        },
        /// The frame is negative or past the medium's end.
        #[error("frame {frame} is not in the medium, which has {frames} frames from 0 on; see --frame-base and --frame-stride")]
        FrameRange = "frame_range" {
            /// Frame after base and stride were applied.
            frame: i64,
            /// Frames of the medium.
            frames: u64,
        },
        /// A millisecond that is negative or past the end of the sound.
        #[error("{at} ms is not within the sound, which lasts {end} ms; expected milliseconds from its start")]
        SoundRange = "frame_range" {
            /// Millisecond.
            at: i64,
            /// Last millisecond of the sound.
            end: u64,
        },
        /// The frame rule's pattern does not match the file name.
        #[error("--frame-pattern does not match {name:?}")]
        PatternMismatch = "pattern_mismatch" {
            /// The name that does not match.
            name: String,
        },
        /// Pixel coordinates, and neither the source nor the project knows the image's size.
        #[error(
            "the size of {media:?} is known neither to the source nor to the project; give the file with the images' sizes \
             (--annotations)"
        )]
        NoSize = "no_size" {
            /// The medium as the source has it.
            media: String,
        },
        /// A mask of another size than its medium.
        #[error("the mask is {}x{} (h x w), its medium {}x{}; masks are not scaled", mask.0, mask.1, media.0, media.1)]
        MaskSize = "mask_size" {
            /// (h, w) of the mask.
            mask: (u32, u32),
            /// (h, w) of the medium.
            media: (u32, u32),
        },
        /// An image of the source that is the medium turned by 90 degrees.
        #[error(
            "the source's image is {}x{} px (w x h), the medium {}x{}: its sides are swapped, so that the coordinates mean \
             other places; predict on the frames as Encord has them, or give --swapped-sides keep",
            image.0, image.1, medium.0, medium.1
        )]
        SidesSwapped = "sides_swapped" {
            /// Width and height of the source's image.
            image: (u32, u32),
            /// Width and height of the medium.
            medium: (u32, u32),
        },
        /// The ontology's shape cannot be made from the annotation's geometry.
        #[error("the ontology asks for a {wanted}, which cannot be made from {found}")]
        ShapeMismatch = "shape_mismatch" {
            /// The shape that the ontology asks for.
            wanted: String,
            /// What the annotation has.
            found: String,
        },
        /// A geometry outside the image, where the policy says reject, or with nothing left after clipping.
        #[error("the geometry lies outside the image; see --off-image")]
        OffImage = "off_image",
        /// A mask without a pixel or a polygon without an area, where something must be drawn.
        #[error("the geometry covers nothing; expected at least a pixel")]
        EmptyGeometry = "empty_geometry",
        /// A line of a reject file whose ids are those of another file than the one given with --annotations.
        #[error("the image and category ids are those of {ids_from}, not of {given}; give that file with --annotations")]
        OtherTables = "other_tables" {
            /// File that lists the images and categories.
            ids_from: String,
            /// File that was given.
            given: String,
        },
        /// The annotation's label row was not written.
        #[error("{message}")]
        LabelRow = code {
            /// One of [`crate::reject::ROW_CODES`].
            code: &'static str,
            /// What happened to the row.
            message: String,
        },
        /// Several annotations of one track on one frame; the most confident one stays.
        #[error("track {track} has a more confident annotation on frame {frame}, or an earlier one as confident; that one stays")]
        DuplicateTrackFrame = "duplicate_track_frame" {
            /// The track.
            track: String,
            /// Encord frame.
            frame: u32,
        },
        /// Frames that have another answer to the same classification, or the same one with another confidence; the first
        /// one stays.
        #[error(
            "frame {frame} has another answer to the same classification, or this one with another confidence; the first one stays"
        )]
        ConflictingAnswer = "conflicting_answer" {
            /// Encord frame, or millisecond, that the answer begins at.
            frame: u32,
        },
        /// An answer where the label row on the branch has another one, of someone else or of an earlier import.
        #[error(
            "the label row on the branch has another answer to {class:?} {place}, or this one with another confidence; that one \
             stays, and --on-existing replace overwrites it"
        )]
        StoredAnswer = "conflicting_answer" {
            /// Name of the classification.
            class: String,
            /// Where.
            place: String,
        },
        /// A medium that has another answer to the same global classification, or the same one with another confidence.
        #[error(
            "the medium has another answer to {class:?}, or this one with another confidence; a global classification has one \
             answer a medium, and the first one stays"
        )]
        ConflictingGlobalAnswer = "conflicting_answer" {
            /// Name of the classification.
            class: String,
        },
        /// The object or classification has no question of this name that is asked after the other answers.
        #[error("{class:?} has no attribute {name:?} under the options chosen; see `ropewalk ontology`")]
        UnknownAttribute = "unknown_attribute" {
            /// Object or classification.
            class: String,
            /// The name as the source has it.
            name: String,
        },
        /// An answer that its question does not take.
        #[error("the answer to {name:?} is {found}; expected {expected}")]
        BadAnswer = "bad_answer" {
            /// The question's name.
            name: String,
            /// What was answered, shortened.
            found: String,
            /// What was expected, as a noun phrase.
            expected: &'static str,
        },
        /// A label row, or a label in one, that is not what Encord writes.
        #[error("{message}; expected a label as Encord writes it")]
        BadLabel = "bad_label" {
            /// What is wrong with it.
            message: String,
        },
        /// A label of a kind that is not read.
        #[error("{what}: labels of this kind are not read; leave it out")]
        UnsupportedLabel = "unsupported_label" {
            /// What it is.
            what: &'static str,
        },
        /// An answer that answers nothing.
        #[error("nothing is answered to {class:?}; expected a value in `attributes`")]
        NoAnswer = "no_answer_given" {
            /// The classification as the source has it.
            class: String,
        },
        /// A range that ends before it begins.
        #[error("the range begins at {first} and ends at {last}; expected an end that does not come before")]
        BackwardRange = "backward_range" {
            /// First frame or millisecond.
            first: i64,
            /// Last one.
            last: i64,
        },
        /// A class's keypoint that is not a point of the ontology's skeleton, while others are.
        #[error(
            "the class's keypoint {name:?} is not one point of the ontology's skeleton, as others of its keypoints are; \
             give each the name of its point, once"
        )]
        KeypointNames = "keypoint_names" {
            /// The keypoint's name.
            name: String,
        },
        /// A skeleton whose template is not known.
        #[error(
            "nothing links {class:?} with one of the ontology's skeleton templates, and not exactly one of them has {found} \
             points; they are {}; name one with --skeleton-template", templates.join(", ")
        )]
        SkeletonTemplate = "skeleton_template" {
            /// The object's name.
            class: String,
            /// How many points the annotation has.
            found: usize,
            /// The templates, each with the number of its points.
            templates: Vec<String>,
        },
        /// Points that are not those of the ontology's skeleton.
        #[error(
            "the annotation has {found} points, the ontology's skeleton {wanted}; expected each of them, in the template's order"
        )]
        SkeletonPoints = "skeleton_points" {
            /// How many points the annotation has.
            found: usize,
            /// How many the template has.
            wanted: usize,
        },
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
            | Self::UnknownMedia { media: name, .. }
            | Self::AmbiguousMedia { media: name, .. }
            | Self::SharedMedium { media: name, .. }
            | Self::FoldersContradict { media: name, .. }
            | Self::NoFileName { image_id: name }
            | Self::UnmappedMedia { media: name }
            | Self::UnsupportedMedia { media: name, .. }
            | Self::DataGroup { media: name, .. }
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

/// What else to do about a name that a map does not list.
const OTHERS_BY_NAME: &str = "add \"*\": \"match\" to match by name whatever the map does not list";

/// What else to do about an unknown medium.
fn or_pattern(pattern: &Option<String>) -> String {
    let or = |pattern| format!(", or give --frame-pattern '{pattern}' if it is a frame of a video");
    pattern.as_ref().map(or).unwrap_or_default()
}

/// What to do about a field that is missing.
fn what_to_add(field: &str) -> &'static str {
    match field {
        "unit" => "add it (px or frac), or give --unit px or --unit frac for all rows",
        "rle_order" => "add it: column_major for COCO's strings, row_major for Encord's",
        "shape" => "add it: the points alone do not tell what they are",
        _ => "add it",
    }
}
