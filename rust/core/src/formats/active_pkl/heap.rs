//! The things that a pickle has made so far. None of them is larger than what the file spends on it.

use super::arrays::{Array, ElementType};
use super::names::Class;
use super::values::{Field, Instance, Shared, Thing, Value};

/// Longest text, in bytes, that is kept for as long as the pickle is read: names and hashes are shorter.
const MOST_TEXT_BYTES: usize = 1 << 12;

/// Most bytes that are kept: those of numbers, and those that Python shares since they are one byte.
const MOST_BYTES: usize = 1 << 6;

/// A text or bytes that are too long to be kept.
enum Long {
    Text(String),
    Bytes(Vec<u8>),
}

/// Everything that values share. Of texts and bytes that are long, those of arrays, only the last is held, and only until it
/// is used: an array is made into runs as soon as its bytes are known.
#[derive(Default)]
pub(super) struct Heap {
    things: Vec<Thing>,
    long: Option<Long>,
    /// How many long ones there were.
    longs: u32,
}

impl Heap {
    /// Adds a thing.
    pub fn add(&mut self, thing: Thing) -> Value {
        self.things.push(thing);
        Value::Shared(Shared(self.things.len() as u32 - 1))
    }

    /// How many things there are.
    pub fn len(&self) -> usize {
        self.things.len()
    }

    pub fn add_text(&mut self, text: &str) -> Value {
        if text.len() <= MOST_TEXT_BYTES {
            self.add(Thing::Text(text.into()))
        } else {
            self.add_long(Long::Text(text.to_owned()))
        }
    }

    pub fn add_bytes(&mut self, bytes: &[u8]) -> Value {
        if bytes.len() <= MOST_BYTES {
            self.add(Thing::Bytes(bytes.into()))
        } else {
            self.add_long(Long::Bytes(bytes.to_vec()))
        }
    }

    fn add_long(&mut self, long: Long) -> Value {
        self.long = Some(long);
        self.longs += 1;
        Value::Long(self.longs)
    }

    /// Takes the bytes of a value, which can be taken once where they are long; none for other values.
    pub fn take_bytes(&mut self, value: Value) -> Option<Vec<u8>> {
        match (value, self.thing(value)) {
            (_, Some(Thing::Bytes(bytes))) => Some(bytes.to_vec()),
            (Value::Long(number), _) if number == self.longs => match self.long.take() {
                Some(Long::Bytes(bytes)) => Some(bytes),
                other => {
                    self.long = other;
                    None
                }
            },
            _ => None,
        }
    }

    /// The bytes that a text is in Latin-1; none for other values and other texts.
    pub fn latin_1(&mut self, value: Value) -> Option<Value> {
        let bytes = match (value, self.thing(value)) {
            (_, Some(Thing::Text(text))) => in_latin_1(text),
            (Value::Long(number), _) if number == self.longs => match self.long.take() {
                // As that of masks is: nothing is to be done.
                Some(Long::Text(text)) if text.is_ascii() => {
                    return Some(self.add_long(Long::Bytes(text.into_bytes())));
                }
                Some(Long::Text(text)) => in_latin_1(&text),
                other => {
                    self.long = other;
                    None
                }
            },
            _ => None,
        };
        bytes.map(|bytes| self.add_bytes(&bytes))
    }

    pub fn thing(&self, value: Value) -> Option<&Thing> {
        let Value::Shared(Shared(at)) = value else {
            return None;
        };
        self.things.get(at as usize)
    }

    pub fn thing_mut(&mut self, value: Value) -> Option<&mut Thing> {
        let Value::Shared(Shared(at)) = value else {
            return None;
        };
        self.things.get_mut(at as usize)
    }

    pub fn text(&self, value: Value) -> Option<&str> {
        match self.thing(value)? {
            Thing::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn tuple(&self, value: Value) -> Option<&[Value]> {
        match self.thing(value)? {
            Thing::Tuple(items) => Some(items),
            _ => None,
        }
    }

    pub fn instance(&self, value: Value, class: Class) -> Option<&Instance> {
        match self.thing(value)? {
            Thing::Instance(instance) if instance.class == class => Some(instance),
            _ => None,
        }
    }

    pub fn array(&self, value: Value) -> Option<&Array> {
        match self.thing(value)? {
            Thing::Array(array) => Some(array),
            _ => None,
        }
    }

    pub fn element_type(&self, value: Value) -> Option<ElementType> {
        match self.thing(value)? {
            Thing::Type(of) => Some(*of),
            _ => None,
        }
    }

    /// Takes the fields of an instance out of its state, `{"__dict__": {...}, ...}`; none for other values. The state is used
    /// up: it belongs to that instance alone.
    pub fn take_fields(&mut self, state: Value) -> Option<Box<[(Field, Value)]>> {
        let Some(Thing::Dict(entries)) = self.thing(state) else {
            return None;
        };
        let found = entries.iter().find(|(key, _)| self.text(*key) == Some("__dict__"));
        let inner = found.map(|(_, value)| *value)?;
        let Some(Thing::Dict(given)) = self.thing(inner) else {
            return None;
        };
        let known = |(key, value): &(Value, Value)| Some((Field::named(self.text(*key)?)?, *value));
        // A field that is None is as one that was not given.
        let fields = given
            .iter()
            .filter(|(_, value)| !matches!(value, Value::None))
            .filter_map(known);
        let fields = fields.collect();
        for used in [state, inner] {
            if let Some(thing) = self.thing_mut(used) {
                *thing = Thing::Dict(Vec::new());
            }
        }
        Some(fields)
    }

    /// What a value is, for messages.
    pub fn describe(&self, value: Value) -> String {
        let word = match value {
            Value::None => "None",
            Value::Bool(true) => "True",
            Value::Bool(false) => "False",
            Value::Int(number) => return number.to_string(),
            Value::BigInt => "a number of more than 64 bits",
            Value::Float(number) => return number.to_string(),
            Value::Set => "a set",
            Value::Global(_) => "a class or function",
            Value::Long(_) => "a long text or bytes",
            Value::Shared(_) => match self.thing(value) {
                Some(Thing::Text(text)) => return format!("{:?}", text.chars().take(40).collect::<String>()),
                Some(Thing::Bytes(_)) => "bytes",
                Some(Thing::Tuple(_)) => "a tuple",
                Some(Thing::List(_)) => "a list",
                Some(Thing::Dict(_)) => "a dict",
                Some(Thing::Instance(instance)) => return format!("a {}", instance.class.name()),
                Some(Thing::Type(_)) => "a type of NumPy",
                Some(Thing::Array(array)) => return array.describe(),
                None => "nothing",
            },
        };
        word.to_owned()
    }
}

/// A text in Latin-1; none where it has other characters.
fn in_latin_1(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    for of in text.chars() {
        bytes.push(u8::try_from(u32::from(of)).ok()?);
    }
    Some(bytes)
}
