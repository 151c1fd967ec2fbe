//! A JSON object's members in the order of the text, each name once.

use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

/// Members of a JSON object. Reading refuses a name that appears twice: which of the two counts differs between readers.
#[derive(Debug)]
pub(crate) struct Entries<T>(pub Vec<(String, T)>);

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Entries<T> {
    /// The value of the member `name`.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }
}

struct EntriesVisitor<T>(PhantomData<T>);

/// A name that appears twice. Objects of a label have a dozen members, for which a set costs more than looking back.
fn repeated<T>(members: &[(String, T)]) -> Option<&str> {
    let names = || members.iter().map(|(name, _)| name.as_str());
    if members.len() < 32 {
        return names()
            .enumerate()
            .find(|&(at, name)| names().take(at).any(|other| other == name))
            .map(|(_, name)| name);
    }
    let mut seen = HashSet::with_capacity(members.len());
    names().find(|name| !seen.insert(*name))
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for EntriesVisitor<T> {
    type Value = Entries<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members: Vec<(String, T)> = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        if let Some(name) = repeated(&members) {
            return Err(A::Error::custom(format_args!(
                "the name {name:?} appears twice in one object"
            )));
        }
        Ok(Entries(members))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn keeps_the_order_and_refuses_repeated_names_in_small_and_large_objects() {
        for size in [0, 2, 31, 32, 500] {
            let names: Vec<String> = (0..size).rev().map(|n| format!("name {n}")).collect();
            let json = |names: &[String]| {
                let members: Vec<String> = names.iter().map(|name| format!("{name:?}:1")).collect();
                format!("{{{}}}", members.join(","))
            };
            let read: Entries<u8> = serde_json::from_str(&json(&names)).unwrap();
            assert_eq!(
                read.0.iter().map(|(name, _)| name).collect::<Vec<_>>(),
                names.iter().collect::<Vec<_>>()
            );
            if let Some(first) = names.first() {
                let repeated = [names.as_slice(), std::slice::from_ref(first)].concat();
                let error = serde_json::from_str::<Entries<u8>>(&json(&repeated)).unwrap_err();
                assert!(
                    error.to_string().contains(&format!("{first:?} appears twice")),
                    "{error}"
                );
            }
        }
    }
}
