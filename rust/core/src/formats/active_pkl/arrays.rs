//! NumPy's arrays and numbers, from a type and the bytes of their elements.

use crate::rle::{encode_mask, MemoryOrder, RowMajor, Scratch, Size};

/// The type of an array's elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ElementType {
    kind: Kind,
    len_bytes: usize,
    is_big_endian: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bool,
    Unsigned,
    Signed,
    Float,
    /// Of texts, times and the like.
    Other,
}

/// An element.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Element {
    Bool(bool),
    Int(i64),
    /// A whole number that 64 bits do not hold.
    BigInt,
    Float(f64),
}

impl ElementType {
    /// The type that NumPy calls `u1`, `i8`, `f8`, `b1`, ...
    pub fn named(name: &str) -> Self {
        let name = name.trim_start_matches(['<', '|', '=']);
        let (kind, len_bytes) = match name {
            "b1" => (Kind::Bool, 1),
            "u1" => (Kind::Unsigned, 1),
            "u2" => (Kind::Unsigned, 2),
            "u4" => (Kind::Unsigned, 4),
            "u8" => (Kind::Unsigned, 8),
            "i1" => (Kind::Signed, 1),
            "i2" => (Kind::Signed, 2),
            "i4" => (Kind::Signed, 4),
            "i8" => (Kind::Signed, 8),
            "f4" => (Kind::Float, 4),
            "f8" => (Kind::Float, 8),
            _ => (Kind::Other, 1),
        };
        Self {
            kind,
            len_bytes,
            is_big_endian: false,
        }
    }

    /// The same with the order of bytes that its state says: `>` for the largest first.
    pub fn in_order(self, order: &str) -> Self {
        Self {
            is_big_endian: order == ">",
            ..self
        }
    }

    /// The element that some bytes are; none where they are not one of this type.
    pub fn element(self, bytes: &[u8]) -> Option<Element> {
        if bytes.len() != self.len_bytes || self.kind == Kind::Other {
            return None;
        }
        // The element with its lowest byte first, and its sign in all above.
        let mut low_first = [0; 8];
        for (at, &byte) in bytes.iter().enumerate() {
            let at = if self.is_big_endian { bytes.len() - 1 - at } else { at };
            low_first[at] = byte;
        }
        let bits = u64::from_le_bytes(low_first);
        let unused = 64 - 8 * bytes.len() as u32;
        Some(match self.kind {
            Kind::Bool => Element::Bool(bits != 0),
            Kind::Unsigned => i64::try_from(bits).map_or(Element::BigInt, Element::Int),
            Kind::Signed => Element::Int((bits << unused) as i64 >> unused),
            Kind::Float if bytes.len() == 4 => Element::Float(f32::from_bits(bits as u32).into()),
            Kind::Float => Element::Float(f64::from_bits(bits)),
            Kind::Other => return None,
        })
    }

    fn is_whole(self) -> bool {
        matches!(self.kind, Kind::Bool | Kind::Unsigned | Kind::Signed)
    }
}

/// An array, as far as it is kept.
#[derive(Debug)]
pub(super) enum Array {
    /// Before its state is known.
    Empty,
    /// Of two axes, the second not of length 2: runs along the rows, of what is not 0.
    Mask { height: u32, width: u32, rle: Box<[u8]> },
    /// Of shape (n, 2).
    Pairs {
        values: Box<[f64]>,
        /// Whether the elements are whole numbers.
        are_whole: bool,
    },
    /// Any other; what it is.
    Other(Box<str>),
}

impl Array {
    /// Makes an array of a shape from the bytes of its elements, by rows or by columns.
    pub fn new(of: ElementType, shape: &[u64], memory: MemoryOrder, bytes: &[u8], scratch: &mut Scratch) -> Self {
        let shown: Vec<String> = shape.iter().map(u64::to_string).collect();
        let other = |what: &str| Self::Other(format!("an array of shape ({}){what}", shown.join(", ")).into());
        let elements = shape.iter().try_fold(1u64, |all, &axis| all.checked_mul(axis));
        let expected = elements.and_then(|elements| elements.checked_mul(of.len_bytes as u64));
        if expected != Some(bytes.len() as u64) {
            return other(&format!(" with {} bytes", bytes.len()));
        }
        match *shape {
            [points, 2] if of.kind != Kind::Other => {
                let number = |at: u64| {
                    let at = at as usize * of.len_bytes;
                    match of.element(&bytes[at..at + of.len_bytes]) {
                        Some(Element::Float(number)) => number,
                        Some(Element::Int(number)) => number as f64,
                        Some(Element::Bool(bit)) => f64::from(u8::from(bit)),
                        // Beyond all pictures.
                        _ => f64::MAX,
                    }
                };
                let place = |point: u64, axis: u64| match memory {
                    MemoryOrder::C => 2 * point + axis,
                    MemoryOrder::F => axis * points + point,
                };
                let pairs = (0..points).flat_map(|point| [number(place(point, 0)), number(place(point, 1))]);
                Self::Pairs {
                    values: pairs.collect(),
                    are_whole: of.is_whole(),
                }
            }
            [height, width] if of.is_whole() => {
                let is_set = |element: &[u8]| u8::from(element.iter().any(|&byte| byte != 0));
                let wide: Vec<u8>;
                let dense = if of.len_bytes == 1 {
                    bytes
                } else {
                    wide = bytes.chunks_exact(of.len_bytes).map(is_set).collect();
                    &wide
                };
                match mask(dense, [height, width], memory, scratch) {
                    Ok((size, rle)) => Self::Mask {
                        height: size.h(),
                        width: size.w(),
                        rle,
                    },
                    Err(message) => other(&format!(": {message}")),
                }
            }
            _ if of.kind == Kind::Other => other(" of elements that are not numbers"),
            [_, _] => other(" of numbers that are not whole"),
            _ => other(""),
        }
    }

    /// The runs of it as a mask, with height and width; none where it is not one.
    pub fn as_mask(&self) -> Option<(u32, u32, std::borrow::Cow<'_, [u8]>)> {
        match self {
            Self::Mask { height, width, rle } => Some((*height, *width, rle.as_ref().into())),
            Self::Pairs {
                values,
                are_whole: true,
            } => {
                let dense: Vec<u8> = values.iter().map(|&value| u8::from(value != 0.0)).collect();
                let height = values.len() as u64 / 2;
                let (size, rle) = mask(&dense, [height, 2], MemoryOrder::C, &mut Scratch::default()).ok()?;
                Some((size.h(), size.w(), rle.into_vec().into()))
            }
            _ => None,
        }
    }

    /// What it is, for messages.
    pub fn describe(&self) -> String {
        match self {
            Self::Empty => "an empty array".to_owned(),
            Self::Mask { height, width, .. } => format!("an array of shape ({height}, {width})"),
            Self::Pairs { values, are_whole } => {
                let of = if *are_whole {
                    ""
                } else {
                    " of numbers that are not whole"
                };
                format!("an array of shape ({}, 2){of}", values.len() / 2)
            }
            Self::Other(what) => what.to_string(),
        }
    }
}

/// Runs along the rows of a dense mask.
fn mask(
    dense: &[u8],
    [height, width]: [u64; 2],
    memory: MemoryOrder,
    scratch: &mut Scratch,
) -> std::result::Result<(Size, Box<[u8]>), String> {
    let size = Size::new(height, width).map_err(|cause| cause.to_string())?;
    let mut rle = Vec::new();
    encode_mask::<RowMajor>(dense, size, memory, scratch, &mut rle).map_err(|cause| cause.to_string())?;
    Ok((size, rle.into()))
}
