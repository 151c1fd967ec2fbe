//! The names that a pickle of predictions may hold: all of them are data here, and nothing is imported or called.

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Global {
    /// A class of Encord Active.
    Class(Class),
    /// Encord Active's enum of formats: its members are their texts.
    Format,
    /// `numpy.ndarray`.
    Ndarray,
    /// `numpy.dtype`.
    Dtype,
    /// NumPy's empty array that is filled by its state.
    Reconstruct,
    /// NumPy's number of a type and its bytes.
    Scalar,
    /// NumPy's array of a type and its bytes, in protocol 5.
    FromBuffer,
    /// `set`: which fields of an instance were given.
    Set,
    /// An instance of a class, in protocols 0 and 1.
    Reconstructor,
    /// `object`, which that is given.
    Object,
    /// Bytes of a text, in protocols 0 to 2.
    Encode,
}

/// Classes of Encord Active whose instances are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Prediction,
    ObjectDetection,
    FrameClassification,
    BoundingBox,
    Point,
}

impl Class {
    pub fn name(self) -> &'static str {
        match self {
            Self::Prediction => "Prediction",
            Self::ObjectDetection => "ObjectDetection",
            Self::FrameClassification => "FrameClassification",
            Self::BoundingBox => "BoundingBox",
            Self::Point => "Point",
        }
    }
}

/// Modules of the classes: since Encord Active 0.1.14, and in 0.1.13.
pub(super) const MODULES: [&str; 2] = ["encord_active.lib.db.predictions", "encord_active.app.db.predictions"];

impl Global {
    /// What a name stands for; none for one that predictions do not hold. Modules are called as Python 2, 3, NumPy 1 and 2
    /// call them.
    pub fn named(module: &str, name: &str) -> Option<Self> {
        Some(match (module, name) {
            ("numpy", "ndarray") => Self::Ndarray,
            ("numpy", "dtype") => Self::Dtype,
            ("numpy.core.multiarray" | "numpy._core.multiarray", "_reconstruct") => Self::Reconstruct,
            ("numpy.core.multiarray" | "numpy._core.multiarray", "scalar") => Self::Scalar,
            ("numpy.core.numeric" | "numpy._core.numeric", "_frombuffer") => Self::FromBuffer,
            ("builtins" | "__builtin__", "set") => Self::Set,
            ("builtins" | "__builtin__", "object") => Self::Object,
            ("copyreg" | "copy_reg", "_reconstructor") => Self::Reconstructor,
            ("_codecs", "encode") => Self::Encode,
            (module, name) if MODULES.contains(&module) => match name {
                "Format" => Self::Format,
                "Prediction" => Self::Class(Class::Prediction),
                "ObjectDetection" => Self::Class(Class::ObjectDetection),
                "FrameClassification" => Self::Class(Class::FrameClassification),
                "BoundingBox" => Self::Class(Class::BoundingBox),
                "Point" => Self::Class(Class::Point),
                _ => return None,
            },
            _ => return None,
        })
    }
}
