//! The opcodes that make instances and arrays: of names that are known, from values that fit them.

use super::arrays::{Array, Element, ElementType};
use super::machine::Machine;
use super::names::{Class, Global};
use super::values::{Instance, Thing, Value};
use crate::error::Result;
use crate::rle::MemoryOrder;

impl Machine {
    /// What calling a name with a tuple would make.
    pub(super) fn reduce(&mut self) -> Result<()> {
        let (given, callee) = (self.pop()?, self.pop()?);
        let (Value::Global(global), Some(given)) = (callee, self.heap.tuple(given)) else {
            return Err(self.error("the pickle calls what is not a name; it is damaged"));
        };
        let given = given.to_vec();
        match (global, &*given) {
            // A member of an enum of texts is its text.
            (Global::Format, &[text]) if self.heap.text(text).is_some() => self.push(text),
            (Global::Set, [_] | []) => self.push(Value::Set),
            (
                Global::Reconstructor,
                &[Value::Global(Global::Class(class)), Value::Global(Global::Object), Value::None],
            ) => self.push_instance(class),
            (Global::Encode, &[text, coding]) if self.heap.text(coding) == Some("latin1") => {
                match self.heap.latin_1(text) {
                    Some(bytes) => self.push(bytes),
                    None => Err(self.misused("_codecs.encode")),
                }
            }
            (Global::Dtype, &[name, ..]) => match self.heap.text(name).map(ElementType::named) {
                Some(of) => self.push_thing(Thing::Type(of)),
                None => Err(self.misused("numpy.dtype")),
            },
            (Global::Reconstruct, [Value::Global(Global::Ndarray), ..]) => self.push_thing(Thing::Array(Array::Empty)),
            (Global::Scalar, &[of, bytes]) => self.scalar(of, bytes),
            (Global::FromBuffer, &[bytes, of, shape, order, ..]) => {
                let memory = match self.heap.text(order) {
                    Some("C") => Some(MemoryOrder::C),
                    Some("F") => Some(MemoryOrder::F),
                    _ => None,
                };
                let array = self.array(bytes, of, shape, memory)?;
                self.push_thing(Thing::Array(array))
            }
            _ => Err(self.error(format!(
                "the pickle uses {} otherwise than predictions of Encord Active do; nothing of it was run",
                called(global)
            ))),
        }
    }

    fn misused(&self, name: &str) -> crate::error::Error {
        self.error(format!(
            "the pickle gives `{name}` values that it does not take, or long ones twice; it is damaged"
        ))
    }

    fn push_instance(&mut self, class: Class) -> Result<()> {
        let at = self.at;
        self.push_thing(Thing::Instance(Instance {
            class,
            at,
            fields: Box::default(),
        }))
    }

    /// An instance of a class, without fields so far.
    pub(super) fn new_instance(&mut self) -> Result<()> {
        let (given, class) = (self.pop()?, self.pop()?);
        match (class, self.heap.tuple(given)) {
            (Value::Global(Global::Class(class)), Some([])) => self.push_instance(class),
            _ => Err(self.error("the pickle makes an instance otherwise than predictions of Encord Active do")),
        }
    }

    /// Gives what is on top of the stack its state.
    pub(super) fn build(&mut self) -> Result<()> {
        let state = self.pop()?;
        let target = self.top()?;
        match self.heap.thing(target) {
            Some(Thing::Instance(_)) => {
                let Some(given) = self.heap.take_fields(state) else {
                    return Err(self.error(
                        "the pickle gives an instance a state without `__dict__`; expected what pydantic's models write",
                    ));
                };
                if let Some(Thing::Instance(instance)) = self.heap.thing_mut(target) {
                    instance.fields = given;
                }
                Ok(())
            }
            Some(Thing::Type(of)) => {
                let of = *of;
                let order = self.heap.tuple(state).and_then(|state| state.get(1).copied());
                let Some(order) = order.and_then(|order| self.heap.text(order)) else {
                    return Err(self.misused("numpy.dtype"));
                };
                let of = of.in_order(order);
                if let Some(known) = self.heap.thing_mut(target) {
                    *known = Thing::Type(of);
                }
                Ok(())
            }
            Some(Thing::Array(Array::Empty)) => {
                let Some(&[_, shape, of, is_fortran, bytes]) = self.heap.tuple(state) else {
                    return Err(self.misused("numpy.ndarray"));
                };
                let memory = match is_fortran {
                    Value::Bool(false) | Value::Int(0) => Some(MemoryOrder::C),
                    Value::Bool(true) | Value::Int(1) => Some(MemoryOrder::F),
                    _ => None,
                };
                let array = self.array(bytes, of, shape, memory)?;
                if let Some(known) = self.heap.thing_mut(target) {
                    *known = Thing::Array(array);
                }
                Ok(())
            }
            _ => Err(self.error("the pickle gives a state to what has none; it is damaged")),
        }
    }

    fn scalar(&mut self, of: Value, bytes: Value) -> Result<()> {
        let of = self.heap.element_type(of);
        let element = of
            .zip(self.heap.take_bytes(bytes))
            .and_then(|(of, bytes)| of.element(&bytes));
        match element {
            Some(Element::Bool(bit)) => self.push(Value::Bool(bit)),
            Some(Element::Int(number)) => self.push(Value::Int(number)),
            Some(Element::BigInt) => self.push(Value::BigInt),
            Some(Element::Float(number)) => self.push(Value::Float(number)),
            None => Err(self.misused("numpy.core.multiarray.scalar")),
        }
    }

    fn array(&mut self, bytes: Value, of: Value, shape: Value, memory: Option<MemoryOrder>) -> Result<Array> {
        let axis = |value: &Value| match value {
            Value::Int(axis) => u64::try_from(*axis).ok(),
            _ => None,
        };
        let shape: Option<Vec<u64>> = self.heap.tuple(shape).and_then(|axes| axes.iter().map(axis).collect());
        let of = self.heap.element_type(of);
        // The elements of arrays of objects are a list.
        if let (Some(_), Some(Thing::List(_))) = (of, self.heap.thing(bytes)) {
            return Ok(Array::Other("an array of objects".into()));
        }
        match (shape, of, memory, self.heap.take_bytes(bytes)) {
            (Some(shape), Some(of), Some(memory), Some(bytes)) => {
                let array = Array::new(of, &shape, memory, &bytes, &mut self.scratch);
                self.scratch.release_above(bytes.len());
                Ok(array)
            }
            _ => Err(self.misused("numpy.ndarray")),
        }
    }
}

/// What a name is called, for messages.
fn called(global: Global) -> &'static str {
    match global {
        Global::Class(class) => class.name(),
        Global::Format => "Format",
        Global::Ndarray => "numpy.ndarray",
        Global::Dtype => "numpy.dtype",
        Global::Reconstruct => "NumPy's _reconstruct",
        Global::Scalar => "NumPy's scalar",
        Global::FromBuffer => "NumPy's _frombuffer",
        Global::Set => "set",
        Global::Reconstructor => "copyreg._reconstructor",
        Global::Object => "object",
        Global::Encode => "_codecs.encode",
    }
}
