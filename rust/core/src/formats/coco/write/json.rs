//! JSON objects and lists, spaced as Python's `json.dumps` spaces them.

use crate::label_row::number::{push_f64, push_u64};
use crate::label_row::push_string;

/// An object that is being written. It ends with [`Object::close`].
pub(super) struct Object<'a> {
    text: &'a mut Vec<u8>,
    is_empty: bool,
}

impl<'a> Object<'a> {
    /// Begins an object.
    pub fn open(text: &'a mut Vec<u8>) -> Self {
        text.push(b'{');
        Self { text, is_empty: true }
    }

    /// Begins a member; the caller appends its value.
    pub fn member(&mut self, name: &str) -> &mut Vec<u8> {
        if !self.is_empty {
            self.text.extend_from_slice(b", ");
        }
        self.is_empty = false;
        push_string(self.text, name);
        self.text.extend_from_slice(b": ");
        self.text
    }

    /// Adds a whole number.
    pub fn whole(&mut self, name: &str, value: impl Into<u64>) {
        push_u64(self.member(name), value.into());
    }

    /// Adds a finite number.
    pub fn number(&mut self, name: &str, value: f64) {
        push_f64(self.member(name), value);
    }

    /// Adds a text.
    pub fn string(&mut self, name: &str, value: &str) {
        push_string(self.member(name), value);
    }

    /// Ends the object.
    pub fn close(self) {
        self.text.push(b'}');
    }
}

/// Appends a list, each item as `push` writes it.
pub(super) fn push_list<T>(
    text: &mut Vec<u8>,
    items: impl IntoIterator<Item = T>,
    mut push: impl FnMut(&mut Vec<u8>, T),
) {
    text.push(b'[');
    for (number, item) in items.into_iter().enumerate() {
        if number > 0 {
            text.extend_from_slice(b", ");
        }
        push(text, item);
    }
    text.push(b']');
}

/// Appends a list of finite numbers.
pub(super) fn push_numbers(text: &mut Vec<u8>, values: &[f64]) {
    push_list(text, values, |text, &value| push_f64(text, value));
}

/// Appends a text, or null.
pub(super) fn push_text(text: &mut Vec<u8>, value: Option<&str>) {
    match value {
        Some(value) => push_string(text, value),
        None => text.extend_from_slice(b"null"),
    }
}
