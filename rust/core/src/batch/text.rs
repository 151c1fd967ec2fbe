//! Columns of text and bytes in the making.
//!
//! A column that says the same on each row, as most do, is only counted: its array is made once and shared by batches.

use std::sync::Arc;

use arrow_array::builder::make_view;
use arrow_array::{new_null_array, ArrayRef, BinaryViewArray, StringViewArray, UInt32Array};
use arrow_buffer::{Buffer, NullBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType};
use arrow_select::take::take;

/// Bytes after which a column starts a new buffer: views address 2^31 bytes of each.
const BLOCK_BYTES: usize = 1 << 24;

/// Values like the first one that room is made for, up to so many bytes.
const EXPECTED_VALUES: usize = 256;
const EXPECTED_BYTES: usize = 1 << 20;

pub(super) type Made<T> = Result<T, ArrowError>;

/// Strings or bytes as Arrow views. A value equal to the one before it shares its bytes, so that a file name
/// repeated on each row is stored once.
#[derive(Default)]
pub(super) struct Views {
    views: Vec<u128>,
    /// Which values are there, once one is missing.
    valid: Option<Vec<bool>>,
    block: Vec<u8>,
    blocks: Vec<Buffer>,
    last: Option<(u32, usize, usize)>,
}

impl Views {
    pub fn push(&mut self, value: Option<&[u8]>) {
        if value.is_none() || self.valid.is_some() {
            let rows = self.views.len();
            self.valid.get_or_insert_with(|| vec![true; rows]).push(value.is_some());
        }
        let view = value.map_or(0, |value| self.view(value));
        self.views.push(view);
    }

    #[inline]
    fn view(&mut self, value: &[u8]) -> u128 {
        if value.len() <= 12 {
            return make_view(value, 0, 0);
        }
        if let (Some((index, start, len)), Some(&view)) = (self.last, self.views.last()) {
            let same_block = index as usize == self.blocks.len();
            if same_block && view as u32 as usize == len && &self.block[start..start + len] == value {
                return view;
            }
        }
        if self.block.len() + value.len() > BLOCK_BYTES && !self.block.is_empty() {
            self.blocks.push(Buffer::from(std::mem::take(&mut self.block)));
        }
        if self.block.capacity() == 0 {
            self.block.reserve((EXPECTED_VALUES * value.len()).min(EXPECTED_BYTES));
        }
        let (index, start) = (self.blocks.len() as u32, self.block.len());
        self.block.extend_from_slice(value);
        self.last = Some((index, start, value.len()));
        make_view(value, index, start as u32)
    }

    /// Gives the column and begins anew, with room for as many rows.
    pub fn take(&mut self) -> (ScalarBuffer<u128>, Vec<Buffer>, Option<NullBuffer>) {
        let emptied = Self {
            views: Vec::with_capacity(self.views.len()),
            block: Vec::with_capacity(self.block.len()),
            ..Self::default()
        };
        let mut full = std::mem::replace(self, emptied);
        if !full.block.is_empty() {
            full.blocks.push(Buffer::from(full.block));
        }
        (full.views.into(), full.blocks, full.valid.map(NullBuffer::from))
    }

    pub fn is_empty(&self) -> bool {
        self.views.is_empty()
    }

    pub fn len(&self) -> usize {
        self.views.len()
    }
}

/// An array of one value that is as long as the longest batch so far; others take a part of it.
pub(super) struct Shared(pub Option<ArrayRef>);

impl Shared {
    pub fn rows(&mut self, rows: usize, make: impl FnOnce(usize) -> Made<ArrayRef>) -> Made<ArrayRef> {
        if let Some(array) = self.0.as_ref().filter(|array| array.len() >= rows) {
            return Ok(array.slice(0, rows));
        }
        let array = make(rows)?;
        self.0 = Some(Arc::clone(&array));
        Ok(array)
    }
}

/// A column of strings, or of bytes.
pub(super) struct TextColumn {
    /// Value of the first rows, and how many they are.
    value: Option<Vec<u8>>,
    same: usize,
    /// The array of that value.
    shared: Shared,
    /// All rows, once two differ.
    views: Views,
    binary: bool,
}

impl TextColumn {
    pub fn strings() -> Self {
        Self {
            value: None,
            same: 0,
            shared: Shared(None),
            views: Views::default(),
            binary: false,
        }
    }

    pub fn bytes() -> Self {
        Self {
            binary: true,
            ..Self::strings()
        }
    }

    #[inline]
    pub fn push(&mut self, value: Option<&[u8]>) {
        if !self.views.is_empty() {
            self.views.push(value);
        } else if self.same > 0 && self.value.as_deref() == value {
            self.same += 1;
        } else {
            self.push_other(value);
        }
    }

    /// Adds the first rows of a batch, none of which has a value.
    pub fn push_nones(&mut self, rows: usize) {
        if rows > 0 {
            self.push(None);
            self.same = rows;
        }
    }

    fn push_other(&mut self, value: Option<&[u8]>) {
        if self.same > 0 {
            let before = self.value.take();
            (0..self.same).for_each(|_| self.views.push(before.as_deref()));
            (self.same, self.shared) = (0, Shared(None));
            self.views.push(value);
            return;
        }
        if self.value.as_deref() != value {
            (self.value, self.shared) = (value.map(<[u8]>::to_vec), Shared(None));
        }
        self.same = 1;
    }

    /// Gives the column and begins anew.
    pub fn take(&mut self) -> Made<ArrayRef> {
        if !self.views.is_empty() {
            let column = self.views.take();
            return array(column, self.binary);
        }
        let (rows, binary) = (std::mem::take(&mut self.same), self.binary);
        let value = self.value.as_deref();
        self.shared.rows(rows, |rows| same(value, rows, binary))
    }
}

pub(super) fn array(
    (views, blocks, nulls): (ScalarBuffer<u128>, Vec<Buffer>, Option<NullBuffer>),
    binary: bool,
) -> Made<ArrayRef> {
    Ok(if binary {
        Arc::new(BinaryViewArray::try_new(views, blocks, nulls)?)
    } else {
        Arc::new(StringViewArray::try_new(views, blocks, nulls)?)
    })
}

/// A column of `rows` times one value.
pub(super) fn same(value: Option<&[u8]>, rows: usize, binary: bool) -> Made<ArrayRef> {
    let Some(value) = value else {
        let none = if binary {
            DataType::BinaryView
        } else {
            DataType::Utf8View
        };
        return Ok(new_null_array(&none, rows));
    };
    let block = (value.len() > 12).then(|| Buffer::from(value.to_vec()));
    let views = vec![make_view(value, 0, 0)];
    let one = array((views.into(), block.into_iter().collect(), None), binary)?;
    // Repeated, it need not be checked again.
    take(&one, &UInt32Array::from(vec![0; rows]), None)
}

/// A column of a few words, from an enum.
pub(super) struct WordColumn<T> {
    words: Words<T>,
    shared: Shared,
}

/// The words of a column's rows.
#[derive(Debug, Clone)]
pub(super) enum Words<T> {
    /// One for so many rows.
    Same(Option<T>, usize),
    /// One each.
    Each(Vec<Option<T>>),
}

impl<T: Copy + PartialEq> Words<T> {
    pub const NONE: Self = Self::Same(None, 0);

    #[inline]
    pub fn push(&mut self, word: Option<T>) {
        match self {
            Self::Same(same, rows) if *same == word || *rows == 0 => {
                *same = word;
                *rows += 1;
            }
            Self::Same(same, rows) => {
                let mut each = vec![*same; *rows];
                each.push(word);
                *self = Self::Each(each);
            }
            Self::Each(each) => each.push(word),
        }
    }

    /// The word of a row; none, too, beyond the last one.
    #[inline]
    pub fn get(&self, row: usize) -> Option<T> {
        match self {
            Self::Same(word, _) => *word,
            Self::Each(each) => each.get(row).copied().flatten(),
        }
    }
}

impl<T: Copy + PartialEq> WordColumn<T> {
    pub fn new() -> Self {
        Self {
            words: Words::NONE,
            shared: Shared(None),
        }
    }

    #[inline]
    pub fn push(&mut self, word: Option<T>) {
        if let (Words::Same(same, 0), true) = (&self.words, self.shared.0.is_some()) {
            if *same != word {
                self.shared = Shared(None);
            }
        }
        self.words.push(word);
    }

    /// Adds the first rows of a batch, none of which has a word.
    pub fn push_nones(&mut self, rows: usize) {
        if rows > 0 {
            self.push(None);
            self.words = Words::Same(None, rows);
        }
    }

    /// Gives the column, as words and as text, and begins anew.
    pub fn take(&mut self, text: impl Fn(T) -> &'static str) -> Made<(Words<T>, ArrayRef)> {
        let anew = match &self.words {
            Words::Same(word, _) => Words::Same(*word, 0),
            Words::Each(_) => Words::NONE,
        };
        let words = std::mem::replace(&mut self.words, anew);
        let array = match &words {
            Words::Same(word, rows) => {
                let word = word.map(|word| text(word).as_bytes());
                self.shared.rows(*rows, |rows| same(word, rows, false))?
            }
            Words::Each(each) => {
                self.shared = Shared(None);
                let texts = each.iter().map(|word| word.map(&text));
                Arc::new(texts.collect::<StringViewArray>())
            }
        };
        Ok((words, array))
    }
}

/// Arrays without any value, by their column's number.
#[derive(Default)]
pub(super) struct Nulls(Vec<Option<ArrayRef>>);

impl Nulls {
    pub fn of(&mut self, column: usize, of_type: &DataType, rows: usize) -> ArrayRef {
        if self.0.len() <= column {
            self.0.resize(column + 1, None);
        }
        let known = &mut self.0[column];
        match known.as_ref().filter(|array| array.len() >= rows) {
            Some(array) => array.slice(0, rows),
            None => Arc::clone(known.insert(new_null_array(of_type, rows))),
        }
    }
}
