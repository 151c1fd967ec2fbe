//! What the opcodes of a pickle make: plain values, and the things that several values may share.

use super::arrays::{Array, ElementType};
use super::names::{Class, Global};

/// A value. Copies of one that is shared are the same thing.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i64),
    /// A whole number that 64 bits do not hold.
    BigInt,
    Float(f64),
    /// A set, whose items are ignored: it says which fields were given.
    Set,
    Global(Global),
    Shared(Shared),
    /// A text or bytes too long to be kept, by its number: see [`super::heap::Heap`].
    Long(u32),
}

/// Which of the shared things a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shared(pub u32);

/// What several values may share.
#[derive(Debug)]
pub(super) enum Thing {
    Text(Box<str>),
    Bytes(Box<[u8]>),
    Tuple(Box<[Value]>),
    List(Vec<Value>),
    Dict(Vec<(Value, Value)>),
    Instance(Instance),
    Type(ElementType),
    Array(Array),
}

/// An instance of one of Encord Active's classes.
#[derive(Debug)]
pub(super) struct Instance {
    pub class: Class,
    /// Byte of the file at which it is made.
    pub at: u64,
    pub fields: Box<[(Field, Value)]>,
}

impl Instance {
    /// A field; `None` where it was not given.
    pub fn field(&self, field: Field) -> Value {
        let found = self.fields.iter().find(|(name, _)| *name == field);
        found.map_or(Value::None, |(_, value)| *value)
    }
}

macro_rules! fields {
    ($($field:ident = $name:literal),+ $(,)?) => {
        /// Fields of the classes that are read; others are ignored.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Field { $($field),+ }

        impl Field {
            pub fn named(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$field),)+
                    _ => None,
                }
            }

            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$field => $name),+
                }
            }
        }
    };
}

fields! {
    DataHash = "data_hash",
    Frame = "frame",
    Confidence = "confidence",
    Object = "object",
    Classification = "classification",
    ClassId = "class_id",
    Format = "format",
    Data = "data",
    TrackId = "track_id",
    FeatureHash = "feature_hash",
    AttributeHash = "attribute_hash",
    OptionHash = "option_hash",
    X = "x",
    Y = "y",
    W = "w",
    H = "h",
    Theta = "theta",
}
