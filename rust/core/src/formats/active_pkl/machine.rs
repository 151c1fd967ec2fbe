//! Reads the opcodes of a pickle as data. Nothing is imported and nothing is called: a name is one of [`Global`], or ends the
//! reading.
//!
//! Opcodes are those that Python 3 writes for predictions, in protocols 0 to 5. No value is read by recursion.
//!
//! Source: CPython's `Lib/pickletools.py`.

use std::collections::VecDeque;

use super::heap::Heap;
use super::input::Input;
use super::names::Global;
use super::values::{Thing, Value};
use crate::error::{Error, Result};
use crate::rle::Scratch;

/// Most values on the stack: picklers write items in groups of 1,000.
const MOST_STACKED: usize = 1 << 13;

/// Most things and memo entries: their numbers have 32 bits.
const MOST_THINGS: usize = u32::MAX as usize;

/// Longest part of a name that a message shows.
const SHOWN_CHARS: usize = 100;

/// A pickle that is being read.
pub(super) struct Machine {
    pub input: Input,
    pub heap: Heap,
    pub scratch: Scratch,
    stack: Vec<Value>,
    marks: Vec<usize>,
    memo: Vec<Value>,
    /// Items of the list that the pickle is, each with the byte of the opcode that put it there.
    pub found: VecDeque<(u64, Value)>,
    pub is_done: bool,
    /// Byte of the opcode that is read.
    pub at: u64,
}

impl Machine {
    pub fn new(input: Input) -> Self {
        Self {
            input,
            heap: Heap::default(),
            scratch: Scratch::default(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: Vec::new(),
            found: VecDeque::new(),
            is_done: false,
            at: 0,
        }
    }

    /// Reads an opcode.
    ///
    /// # Errors
    /// What predictions do not hold: another opcode, another name, a pickle that is cut or is not a list.
    pub fn step(&mut self) -> Result<()> {
        self.at = self.input.position();
        if self.at == 0 && self.input.at_end()? {
            // An empty file holds no predictions.
            self.is_done = true;
            return Ok(());
        }
        let opcode = self.input.byte()?;
        match opcode {
            0x80 => self.protocol(),
            0x95 => self.input.take(8).map(drop), // FRAME
            b'.' => self.stop(),
            b'(' => self.mark(),
            b'0' => self.pop().map(drop), // POP
            b'N' => self.push(Value::None),
            0x88 | 0x89 => self.push(Value::Bool(opcode == 0x88)), // NEWTRUE, NEWFALSE
            b'I' | b'L' => self.decimal(),
            b'K' => self.byte_number::<1>(),
            b'M' => self.byte_number::<2>(),
            b'J' => {
                let bytes = self.input.array()?;
                self.push(Value::Int(i32::from_le_bytes(bytes).into()))
            }
            0x8A | 0x8B => self.long(opcode == 0x8A), // LONG1, LONG4
            b'F' => self.float_line(),
            b'G' => {
                let bytes = self.input.array()?;
                self.push(Value::Float(f64::from_be_bytes(bytes)))
            }
            b'V' => self.escaped_text(),
            0x8C => self.text::<1>(), // SHORT_BINUNICODE
            b'X' => self.text::<4>(), // BINUNICODE
            0x8D => self.text::<8>(), // BINUNICODE8
            b'C' => self.bytes::<1>(), // SHORT_BINBYTES
            b'B' => self.bytes::<4>(), // BINBYTES
            0x8E | 0x96 => self.bytes::<8>(), // BINBYTES8, BYTEARRAY8
            b')' => self.push_thing(Thing::Tuple(Box::default())),
            0x85..=0x87 => self.tuple(usize::from(opcode) - 0x84), // TUPLE1, TUPLE2, TUPLE3
            b't' => {
                let items = self.pop_to_mark()?;
                self.push_thing(Thing::Tuple(items.into()))
            }
            b']' => self.push_thing(Thing::List(Vec::new())),
            b'l' => {
                let items = self.pop_to_mark()?;
                self.push_thing(Thing::List(items))
            }
            b'}' => self.push_thing(Thing::Dict(Vec::new())),
            b'd' => {
                let items = self.pop_to_mark()?;
                self.push_thing(Thing::Dict(Vec::new()))?;
                self.set_items(items)
            }
            0x8F => self.push(Value::Set), // EMPTY_SET
            0x90 => self.pop_to_mark().map(drop), // ADDITEMS
            b'a' => {
                let item = self.pop()?;
                self.append(vec![item])
            }
            b'e' => {
                let items = self.pop_to_mark()?;
                self.append(items)
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.set_items(vec![key, value])
            }
            b'u' => {
                let items = self.pop_to_mark()?;
                self.set_items(items)
            }
            b'p' | b'q' | b'r' | 0x94 => self.remember(opcode),
            b'g' | b'h' | b'j' => self.recall(opcode),
            b'c' | 0x93 => self.global(opcode == b'c'), // GLOBAL, STACK_GLOBAL
            b'R' => self.reduce(),
            0x81 => self.new_instance(), // NEWOBJ
            b'b' => self.build(),
            other => Err(self.error(format!(
                "the pickle has the opcode 0x{other:02X}, which predictions of Encord Active do not need; nothing of it was run"
            ))),
        }
    }

    /// An error at the current opcode.
    pub fn error(&self, message: impl Into<String>) -> Error {
        self.input.error(self.at, message)
    }

    pub fn push(&mut self, value: Value) -> Result<()> {
        if self.stack.len() == MOST_STACKED {
            return Err(self.error("the pickle stacks more values than one of predictions does"));
        }
        self.stack.push(value);
        Ok(())
    }

    pub fn push_thing(&mut self, thing: Thing) -> Result<()> {
        if self.heap.len() == MOST_THINGS {
            return Err(self.error("the pickle holds more than 4 billion things; split it"));
        }
        let value = self.heap.add(thing);
        self.push(value)
    }

    /// Takes the value on top of the stack, but none from below a mark.
    pub fn pop(&mut self) -> Result<Value> {
        let least = self.marks.last().copied().unwrap_or(0);
        let value = (self.stack.len() > least).then(|| self.stack.pop()).flatten();
        value.ok_or_else(|| self.error("the pickle takes a value where there is none; it is damaged"))
    }

    pub fn top(&self) -> Result<Value> {
        let value = self.stack.last().copied();
        value.ok_or_else(|| self.error("the pickle needs a value where there is none; it is damaged"))
    }

    fn mark(&mut self) -> Result<()> {
        if self.marks.len() == MOST_STACKED {
            return Err(self.error("the pickle is nested more deeply than one of predictions"));
        }
        self.marks.push(self.stack.len());
        Ok(())
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Value>> {
        let Some(mark) = self.marks.pop() else {
            return Err(self.error("the pickle ends a group that has no beginning; it is damaged"));
        };
        Ok(self.stack.split_off(mark))
    }

    fn protocol(&mut self) -> Result<()> {
        match self.input.byte()? {
            0..=5 => Ok(()),
            other => Err(self.error(format!("the pickle has protocol {other}; expected 0 to 5"))),
        }
    }

    fn stop(&mut self) -> Result<()> {
        let last = self.pop()?;
        let Some(Thing::List(items)) = self.heap.thing_mut(last) else {
            let found = self.heap.describe(last);
            return Err(self.error(format!("the pickle is {found}; expected a list of predictions")));
        };
        let items = std::mem::take(items);
        self.found.extend(items.into_iter().map(|item| (self.at, item)));
        if !self.stack.is_empty() || !self.marks.is_empty() {
            return Err(self.error("the pickle ends with values besides its list; it is damaged"));
        }
        if !self.input.at_end()? {
            let byte = self.input.position();
            return Err(self.input.error(
                byte,
                "something follows the end of the pickle; expected one list of predictions",
            ));
        }
        self.is_done = true;
        Ok(())
    }

    fn decimal(&mut self) -> Result<()> {
        let line = self.input.short_line()?;
        let value = match line {
            b"00" => Some(Value::Bool(false)),
            b"01" => Some(Value::Bool(true)),
            line => std::str::from_utf8(line).ok().and_then(whole),
        };
        let value = value.ok_or_else(|| self.error("the pickle has a number that is not one; it is damaged"))?;
        self.push(value)
    }

    fn float_line(&mut self) -> Result<()> {
        let line = std::str::from_utf8(self.input.short_line()?).ok();
        let value = line.and_then(|line| line.trim().parse().ok());
        let value = value.ok_or_else(|| self.error("the pickle has a number that is not one; it is damaged"))?;
        self.push(Value::Float(value))
    }

    /// Reads a number of at most 8 bytes, without a sign.
    fn unsigned<const N: usize>(&mut self) -> Result<u64> {
        let mut bytes = [0; 8];
        bytes[..N].copy_from_slice(&self.input.array::<N>()?);
        Ok(u64::from_le_bytes(bytes))
    }

    fn byte_number<const N: usize>(&mut self) -> Result<()> {
        let number = self.unsigned::<N>()?;
        self.push(Value::Int(number as i64))
    }

    fn long(&mut self, is_short: bool) -> Result<()> {
        let len = if is_short {
            self.unsigned::<1>()?
        } else {
            self.unsigned::<4>()?
        };
        let bytes = self.input.take(len)?;
        let mut low_first = [if bytes.last().is_some_and(|&byte| byte >= 0x80) {
            0xFF
        } else {
            0
        }; 8];
        let value = if bytes.len() > low_first.len() {
            Value::BigInt
        } else {
            low_first[..bytes.len()].copy_from_slice(bytes);
            Value::Int(i64::from_le_bytes(low_first))
        };
        self.push(value)
    }

    fn text<const N: usize>(&mut self) -> Result<()> {
        let len = self.unsigned::<N>()?;
        let start = self.input.position();
        let value = match std::str::from_utf8(self.input.take(len)?) {
            Ok(text) => self.heap.add_text(text),
            Err(cause) => {
                let byte = start + cause.valid_up_to() as u64;
                return Err(self
                    .input
                    .error(byte, "a text of the pickle is not UTF-8; it is damaged"));
            }
        };
        self.push(value)
    }

    /// Reads a text of protocol 0: characters below 256 are bytes, others and the ends of lines are escapes.
    fn escaped_text(&mut self) -> Result<()> {
        let text = unescaped(self.input.text_line()?);
        let text = text.ok_or_else(|| self.error("a text of the pickle has a wrong escape; it is damaged"))?;
        let value = self.heap.add_text(&text);
        self.push(value)
    }

    fn bytes<const N: usize>(&mut self) -> Result<()> {
        let len = self.unsigned::<N>()?;
        let value = self.heap.add_bytes(self.input.take(len)?);
        self.push(value)
    }

    fn tuple(&mut self, len: usize) -> Result<()> {
        let mut items = vec![Value::None; len];
        for item in items.iter_mut().rev() {
            *item = self.pop()?;
        }
        self.push_thing(Thing::Tuple(items.into()))
    }

    /// Adds items to the list on top of the stack. Those of the lowest one are predictions, which are not held.
    fn append(&mut self, items: Vec<Value>) -> Result<()> {
        let list = self.top()?;
        let is_lowest = self.stack.len() == 1 && self.marks.is_empty();
        match self.heap.thing_mut(list) {
            Some(Thing::List(_)) if is_lowest => {
                self.found.extend(items.into_iter().map(|item| (self.at, item)));
                Ok(())
            }
            Some(Thing::List(known)) => {
                known.extend(items);
                Ok(())
            }
            _ => Err(self.error("the pickle adds items to what is not a list; it is damaged")),
        }
    }

    fn set_items(&mut self, items: Vec<Value>) -> Result<()> {
        let dict = self.top()?;
        let Some(Thing::Dict(known)) = self.heap.thing_mut(dict) else {
            return Err(self.error("the pickle adds members to what is not a dict; it is damaged"));
        };
        known.extend(items.chunks_exact(2).map(|pair| (pair[0], pair[1])));
        Ok(())
    }

    /// Number of a memo entry.
    fn memo_number(&mut self, opcode: u8) -> Result<u64> {
        match opcode {
            b'q' | b'h' => self.unsigned::<1>(),
            b'r' | b'j' => self.unsigned::<4>(),
            0x94 => Ok(self.memo.len() as u64),
            _ => {
                let line = std::str::from_utf8(self.input.short_line()?).ok();
                let number = line.and_then(|line| line.trim().parse().ok());
                number.ok_or_else(|| self.error("the pickle numbers a value by what is not a number; it is damaged"))
            }
        }
    }

    fn remember(&mut self, opcode: u8) -> Result<()> {
        let number = self.memo_number(opcode)?;
        let value = self.top()?;
        let next = self.memo.len() as u64;
        if number > next || self.memo.len() == MOST_THINGS {
            return Err(self.error("the pickle does not number its values one after the other; it is damaged"));
        }
        if number == next {
            self.memo.push(value);
        } else {
            self.memo[number as usize] = value;
        }
        Ok(())
    }

    fn recall(&mut self, opcode: u8) -> Result<()> {
        let number = self.memo_number(opcode)?;
        match self.memo.get(number as usize).copied() {
            Some(value) => self.push(value),
            None => Err(self.error(format!(
                "the pickle asks for value {number}, which it did not number; it is damaged"
            ))),
        }
    }

    fn global(&mut self, is_in_lines: bool) -> Result<()> {
        let (module, name) = if is_in_lines {
            let module = String::from_utf8_lossy(self.input.short_line()?).into_owned();
            (module, String::from_utf8_lossy(self.input.short_line()?).into_owned())
        } else {
            let (name, module) = (self.pop()?, self.pop()?);
            let (Some(module), Some(name)) = (self.heap.text(module), self.heap.text(name)) else {
                return Err(self.error("the pickle names a class by what is not a text; it is damaged"));
            };
            (module.to_owned(), name.to_owned())
        };
        let Some(global) = Global::named(&module, &name) else {
            let shown = |text: &str| {
                text.chars()
                    .take(SHOWN_CHARS)
                    .flat_map(char::escape_debug)
                    .collect::<String>()
            };
            return Err(self.error(format!(
                "the pickle names `{}` of the module `{}`, which predictions of Encord Active do not need; nothing of it was \
                 run; expected Encord Active's classes of predictions, and NumPy's arrays",
                shown(&name),
                shown(&module)
            )));
        };
        self.push(Value::Global(global))
    }
}

/// The whole number that a line is, with Python 2's `L` or without.
fn whole(line: &str) -> Option<Value> {
    let digits = line.trim();
    let digits = digits.strip_suffix('L').unwrap_or(digits);
    let unsigned = digits.strip_prefix(['-', '+']).unwrap_or(digits);
    let are_digits = !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit());
    are_digits.then(|| digits.parse().map_or(Value::BigInt, Value::Int))
}

/// The text that a line in Python's `raw-unicode-escape` is.
fn unescaped(line: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((&byte, behind)) = rest.split_first() {
        let digits = match (byte, behind.first()) {
            (b'\\', Some(b'u')) => 4,
            (b'\\', Some(b'U')) => 8,
            _ => {
                text.push(char::from(byte));
                rest = behind;
                continue;
            }
        };
        let code = std::str::from_utf8(behind.get(1..=digits)?).ok()?;
        text.push(char::from_u32(u32::from_str_radix(code, 16).ok()?)?);
        rest = &behind[1 + digits..];
    }
    Some(text)
}
