//! Maps that the user gives: by the letter, else by the same letters in another Unicode form.

use std::collections::HashMap;

use super::readings::Reading;

/// A map by name.
pub(super) struct Mapped<T> {
    exact: HashMap<String, T>,
    /// Keys by their composed form, where that is another.
    composed: HashMap<String, String>,
}

impl<T: Clone> Mapped<T> {
    pub fn new(map: &HashMap<String, T>) -> Self {
        let composed = map
            .keys()
            .map(|key| (Reading::Composed.of(key).into_owned(), key.clone()));
        Self {
            composed: composed.filter(|(composed, key)| composed != key).collect(),
            exact: map.clone(),
        }
    }

    pub fn get(&self, name: &str) -> Option<&T> {
        self.exact.get(name).or_else(|| {
            let composed = Reading::Composed.of(name);
            let key = self.composed.get(&*composed).map_or(&*composed, String::as_str);
            self.exact.get(key)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_knows_names_in_either_form() {
        let (composed, decomposed) = ("Caf\u{e9}", "Cafe\u{301}");
        for key in [composed, decomposed] {
            let map = Mapped::new(&HashMap::from([(key.to_owned(), 7)]));
            assert_eq!(
                [composed, decomposed, "Cafe"].map(|name| map.get(name)),
                [Some(&7), Some(&7), None]
            );
        }
    }
}
