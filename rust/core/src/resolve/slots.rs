//! What was learnt about the names of a source, by the names' index.

use std::collections::HashMap;

/// What was learnt about names so far.
pub(super) enum Slots<T> {
    /// For a file, whose rows use most of its names: a look-up is one array access.
    Dense(Vec<Option<T>>),
    /// For one of the sources that share the names of a reject file: memory for the names that it uses alone.
    Sparse(HashMap<u32, T>),
}

impl<T> Slots<T> {
    pub fn get(&self, name: u32) -> Option<&T> {
        match self {
            Self::Dense(slots) => slots.get(name as usize)?.as_ref(),
            Self::Sparse(slots) => slots.get(&name),
        }
    }

    /// Keeps what is learnt about a name, which is asked for once.
    pub fn learn(&mut self, name: u32, value: impl FnOnce() -> T) {
        if self.get(name).is_some() {
            return;
        }
        match self {
            Self::Dense(slots) => {
                let index = name as usize;
                if slots.len() <= index {
                    slots.resize_with(index + 1, || None);
                }
                slots[index] = Some(value());
            }
            Self::Sparse(slots) => {
                slots.insert(name, value());
            }
        }
    }
}
