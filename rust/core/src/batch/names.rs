//! Columns of names that rows give by number: a name is looked up, stored and checked once, not once a row.

use arrow_array::{ArrayRef, UInt32Array};
use arrow_select::take::take;

use super::text::{array, same, Made, Shared, Views};

/// Numbers that are remembered, by their lowest bits. One that was forgotten has its name stored again.
const RECENT: usize = 256;

/// A column of names, each of which stands on many rows.
pub(super) struct NameColumn {
    names: Views,
    /// The last of them.
    last: String,
    /// Place among the names of each row's, once a row has not the first.
    places: Vec<u32>,
    /// Rows that have the first name, before one that has not.
    first: usize,
    /// Number and place of names.
    recent: Vec<Option<(u32, u32)>>,
    /// The array of a single name, and which it is.
    shared: Shared,
    shared_name: String,
}

impl NameColumn {
    pub fn new() -> Self {
        Self {
            names: Views::default(),
            last: String::new(),
            places: Vec::new(),
            first: 0,
            recent: vec![None; RECENT],
            shared: Shared(None),
            shared_name: String::new(),
        }
    }

    /// Adds the name with a number; `name` is asked where the number is not remembered.
    #[inline]
    pub fn push<'a>(&mut self, number: u32, name: impl FnOnce() -> &'a str) {
        let slot = number as usize % RECENT;
        let place = match self.recent[slot] {
            Some((known, place)) if known == number => place,
            _ => {
                let place = self.place(name());
                self.recent[slot] = Some((number, place));
                place
            }
        };
        self.push_place(place);
    }

    /// Adds a name without a number.
    pub fn push_name(&mut self, name: &str) {
        let place = self.place(name);
        self.push_place(place);
    }

    #[inline]
    fn push_place(&mut self, place: u32) {
        if !self.places.is_empty() {
            self.places.push(place);
        } else if place == 0 {
            self.first += 1;
        } else {
            self.places.resize(self.first, 0);
            self.places.push(place);
        }
    }

    /// The place of a name: the last one if it is the same, else a new one.
    fn place(&mut self, name: &str) -> u32 {
        if self.names.is_empty() || self.last != name {
            self.last.clear();
            self.last.push_str(name);
            self.names.push(Some(name.as_bytes()));
        }
        self.names.len() as u32 - 1
    }

    /// Gives the column and begins anew.
    pub fn take(&mut self) -> Made<ArrayRef> {
        let names = self.names.take();
        let rows = std::mem::take(&mut self.first);
        self.recent.fill(None);
        if !self.places.is_empty() {
            let room = Vec::with_capacity(self.places.len());
            let places = std::mem::replace(&mut self.places, room);
            return take(&array(names, false)?, &UInt32Array::from(places), None);
        }
        if self.shared_name != self.last {
            (self.shared, self.shared_name) = (Shared(None), self.last.clone());
        }
        self.shared
            .rows(rows, |rows| same(Some(self.last.as_bytes()), rows, false))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use arrow_array::cast::AsArray;

    use super::*;

    /// The column of names that say their number, of these numbers.
    fn column(column: &mut NameColumn, numbers: &[u32]) -> Vec<String> {
        let names: Vec<String> = numbers.iter().map(|n| format!("a name, number {n}")).collect();
        for (&number, name) in numbers.iter().zip(&names) {
            column.push(number, || name);
        }
        let made = column.take().unwrap();
        made.as_string_view()
            .iter()
            .map(|name| name.unwrap().to_owned())
            .collect()
    }

    #[test]
    fn gives_each_row_its_name() {
        let mut names = NameColumn::new();
        let apart = RECENT as u32;
        for numbers in [
            &[7, 7, 7][..],
            &[7],
            &[3, 3],
            &[],
            &[3, 3, 5, 3, 5, 5],
            // These forget each other.
            &[1, 1 + apart, 1, 1 + 2 * apart, 1 + apart],
            &[1],
        ] {
            let expected: Vec<String> = numbers.iter().map(|n| format!("a name, number {n}")).collect();
            assert_eq!(column(&mut names, numbers), expected);
        }
    }

    #[test]
    fn one_name_of_many_numbers_is_one_shared_array() {
        let mut names = NameColumn::new();
        let mut made = || {
            (0..1000).for_each(|number| names.push(number, || "a video of many images"));
            names.take().unwrap()
        };
        let (one, other) = (made(), made());
        assert!(one.as_string_view().views().ptr_eq(other.as_string_view().views()));
        assert_eq!(one.as_string_view().value(999), "a video of many images");
    }
}
