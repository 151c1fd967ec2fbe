//! A look at what a Parquet file says of itself, before the `parquet` crate takes memory for it.
//!
//! The crate takes memory for as many row groups, children or values as a number in the file claims, and calls itself for
//! each level of the schema: a few damaged bytes could end the process. Here the same bytes are walked without either.
//! Source: the compact protocol of Apache Thrift, and `parquet.thrift` of parquet-format 2.11.

/// Deepest nesting of a schema and of Thrift's structs: a table of ours needs 8.
const MOST_LEVELS: usize = 64;

/// Types of the compact protocol.
mod of {
    pub const TRUE: u8 = 1;
    pub const FALSE: u8 = 2;
    pub const BYTE: u8 = 3;
    pub const I16: u8 = 4;
    pub const I32: u8 = 5;
    pub const I64: u8 = 6;
    pub const DOUBLE: u8 = 7;
    pub const BINARY: u8 = 8;
    pub const LIST: u8 = 9;
    pub const SET: u8 = 10;
    pub const MAP: u8 = 11;
    pub const STRUCT: u8 = 12;
    pub const UUID: u8 = 13;
}

/// What a page says of itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct PageSizes {
    /// Bytes that it decodes to.
    pub decoded_bytes: u64,
    /// Bytes that it takes in the file.
    pub stored_bytes: u64,
    /// Of a dictionary, its values.
    pub dictionary_values: Option<u64>,
}

/// Whether a footer can be read in memory and depth that its own length bounds.
pub(super) fn is_bounded_footer(footer: &[u8]) -> bool {
    Walk::new(footer).footer().is_some()
}

/// The sizes in a page's header, of which `head` are the first bytes; none if they do not follow one another as they should.
pub(super) fn page_sizes(head: &[u8]) -> Option<PageSizes> {
    Walk::new(head).page()
}

/// A place in Thrift's compact encoding. Each step gives nothing where the bytes end or are not what they should be.
struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Walk<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn rest(&self) -> usize {
        self.bytes.len() - self.at
    }

    fn hop(&mut self, len: u64) -> Option<()> {
        let len = usize::try_from(len).ok().filter(|&len| len <= self.rest())?;
        self.at += len;
        Some(())
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn zigzag(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// A number that is not negative.
    fn count(&mut self) -> Option<u64> {
        u64::try_from(self.zigzag()?).ok()
    }

    /// The next field of a struct as its number and type; type 0 ends the struct. `last` is the number of the field before.
    fn field(&mut self, last: &mut i64) -> Option<(i64, u8)> {
        let head = self.byte()?;
        let kind = head & 0x0f;
        if kind != 0 {
            let delta = i64::from(head >> 4);
            *last = if delta == 0 {
                self.zigzag()?
            } else {
                last.checked_add(delta)?
            };
        }
        Some((*last, kind))
    }

    /// The beginning of a list: the type and number of what it holds, each of which takes a byte at least.
    fn list(&mut self) -> Option<(u8, u64)> {
        let head = self.byte()?;
        let len = match head >> 4 {
            15 => self.varint()?,
            len => u64::from(len),
        };
        (len <= self.rest() as u64).then_some((head & 0x0f, len))
    }

    /// Passes over a value, `levels` deep at most. Booleans outside lists are part of their type.
    fn skip(&mut self, kind: u8, in_list: bool, levels: usize) -> Option<()> {
        let levels = levels.checked_sub(1)?;
        match kind {
            of::TRUE | of::FALSE if !in_list => Some(()),
            of::TRUE | of::FALSE | of::BYTE => self.hop(1),
            of::I16 | of::I32 | of::I64 => self.varint().map(drop),
            of::DOUBLE => self.hop(8),
            of::UUID => self.hop(16),
            of::BINARY => {
                let len = self.varint()?;
                self.hop(len)
            }
            of::LIST | of::SET => {
                let (kind, len) = self.list()?;
                (0..len).try_for_each(|_| self.skip(kind, true, levels))
            }
            of::MAP => {
                let len = self.varint().filter(|&len| len <= self.rest() as u64)?;
                if len == 0 {
                    return Some(());
                }
                let kinds = self.byte()?;
                (0..len).try_for_each(|_| {
                    self.skip(kinds >> 4, true, levels)?;
                    self.skip(kinds & 0x0f, true, levels)
                })
            }
            of::STRUCT => {
                let mut last = 0;
                loop {
                    match self.field(&mut last)? {
                        (_, 0) => return Some(()),
                        (_, kind) => self.skip(kind, false, levels)?,
                    }
                }
            }
            _ => None,
        }
    }

    /// `FileMetaData`, whose field 2 is the schema.
    fn footer(&mut self) -> Option<()> {
        let mut last = 0;
        loop {
            match self.field(&mut last)? {
                (_, 0) => return Some(()),
                (2, of::LIST) => self.schema()?,
                (_, kind) => self.skip(kind, false, MOST_LEVELS)?,
            }
        }
    }

    /// The elements of a schema in the order of its tree, each with the number of its children.
    fn schema(&mut self) -> Option<()> {
        let (kind, len) = self.list()?;
        // Of each open level, how many of its elements are still to come.
        let mut open = vec![1];
        for left in (0..len).rev() {
            if kind != of::STRUCT {
                return None;
            }
            let children = self.element()?;
            while open.last() == Some(&0) {
                open.pop();
            }
            *open.last_mut()? -= 1;
            if children > left || open.len() >= MOST_LEVELS {
                return None;
            }
            if children > 0 {
                open.push(children);
            }
        }
        Some(())
    }

    /// The number of children of a `SchemaElement`, its field 5.
    fn element(&mut self) -> Option<u64> {
        let (mut last, mut children) = (0, 0);
        loop {
            match self.field(&mut last)? {
                (_, 0) => return Some(children),
                (5, of::I32) => children = self.count()?,
                (_, kind) => self.skip(kind, false, MOST_LEVELS)?,
            }
        }
    }

    /// `PageHeader`: field 2 is the decoded size, 3 the stored one; one of 5, 7 and 8 describes what is in the page, its
    /// field 1 being the number of values. Statistics follow, and the head may end within them.
    fn page(&mut self) -> Option<PageSizes> {
        let mut sizes = PageSizes::default();
        let (mut last, mut seen) = (0, 0);
        loop {
            match self.field(&mut last)? {
                (2, of::I32) => sizes.decoded_bytes = self.count()?,
                (3, of::I32) => sizes.stored_bytes = self.count()?,
                (5 | 8, of::STRUCT) if seen == 2 => return Some(sizes),
                (7, of::STRUCT) if seen == 2 => {
                    let (1, of::I32) = self.field(&mut 0)? else { return None };
                    sizes.dictionary_values = Some(self.count()?);
                    return Some(sizes);
                }
                // Pages of an index hold no values.
                (_, 0) if seen == 2 => return Some(sizes),
                (2 | 3 | 5 | 7 | 8, _) | (_, 0) => return None,
                (_, kind) => self.skip(kind, false, MOST_LEVELS)?,
            }
            seen += usize::from(matches!(last, 2 | 3));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A struct of Thrift with fields that follow one another from `first` on.
    fn fields(first: u8, values: &[(u8, Vec<u8>)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (index, (kind, value)) in values.iter().enumerate() {
            bytes.push((if index == 0 { first } else { 1 }) << 4 | kind);
            bytes.extend(value);
        }
        bytes.push(0);
        bytes
    }

    fn number(mut value: u64) -> Vec<u8> {
        value <<= 1;
        let mut bytes = Vec::new();
        while value > 0x7f {
            bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        bytes.push(value as u8);
        bytes
    }

    fn list(kind: u8, items: &[Vec<u8>]) -> Vec<u8> {
        [vec![0xf0 | kind, items.len() as u8], items.concat()].concat()
    }

    /// A schema element with so many children.
    fn element(children: u64) -> Vec<u8> {
        fields(5, &[(of::I32, number(children))])
    }

    fn footer(schema: &[Vec<u8>]) -> Vec<u8> {
        fields(
            1,
            &[
                (of::I32, number(2)),
                (of::LIST, list(of::STRUCT, schema)),
                (of::I64, number(7)),
            ],
        )
    }

    #[test]
    fn a_footer_claims_no_more_than_it_holds() {
        let flat = footer(&[element(2), element(0), element(0)]);
        assert!(is_bounded_footer(&flat));
        for len in 0..flat.len() {
            assert!(!is_bounded_footer(&flat[..len]), "{len} bytes");
        }
        assert!(!is_bounded_footer(&footer(&[element(3), element(0), element(0)])));
        assert!(!is_bounded_footer(&footer(&[element(1), element(0), element(0)])));
        let groups = |len: u8| fields(4, &[(of::LIST, vec![0xf0 | of::STRUCT, len, 0, 0])]);
        assert!(is_bounded_footer(&groups(2)));
        assert!(!is_bounded_footer(&groups(4)));
        let text = |len: u8| fields(6, &[(of::BINARY, vec![len, b'a', b'b'])]);
        assert!(is_bounded_footer(&text(2)));
        assert!(!is_bounded_footer(&text(9)));
    }

    #[test]
    fn nesting_has_an_end() {
        let deep = |levels: usize| {
            let mut schema = vec![element(1); levels];
            schema.push(element(0));
            footer(&schema)
        };
        assert!(is_bounded_footer(&deep(20)));
        assert!(!is_bounded_footer(&deep(100)));
        let structs = |levels: usize| {
            let inner = (0..levels).fold(vec![0], |inner, _| fields(1, &[(of::STRUCT, inner)]));
            fields(9, &[(of::STRUCT, inner)])
        };
        assert!(is_bounded_footer(&structs(20)));
        assert!(!is_bounded_footer(&structs(100)));
    }

    #[test]
    fn the_sizes_of_pages() {
        let header = |kind: u8, values: u64| {
            let mut bytes = fields(
                1,
                &[(of::I32, number(0)), (of::I32, number(300)), (of::I32, number(70_000))],
            );
            bytes.pop();
            bytes.push((kind - 3) << 4 | of::STRUCT);
            bytes.extend(fields(1, &[(of::I32, number(values))]));
            bytes
        };
        let sizes = PageSizes {
            decoded_bytes: 300,
            stored_bytes: 70_000,
            dictionary_values: None,
        };
        assert_eq!(page_sizes(&header(5, 9)), Some(sizes));
        let of_dictionary = PageSizes {
            dictionary_values: Some(9),
            ..sizes
        };
        assert_eq!(page_sizes(&header(7, 9)), Some(of_dictionary));
        assert_eq!(page_sizes(&header(5, 9)[..6]), None);
        assert_eq!(page_sizes(&[0xff; 64]), None);
    }
}
