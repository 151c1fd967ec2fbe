//! Answers as the stage carries them: resolved to numbers of questions and options, packed into bytes.

use crate::error::{Error, Result};

/// What was answered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// Numbers of the chosen options, ascending; of a radio one, of a checklist any number.
    Options(Options<'a>),
    /// Text.
    Text(&'a str),
    /// A number.
    Number(f64),
}

/// Numbers of options, four bytes each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options<'a>(&'a [u8]);

impl<'a> Options<'a> {
    /// The numbers.
    pub fn iter(&self) -> impl Iterator<Item = u32> + 'a {
        self.0.chunks_exact(4).map(|bytes| u32::from_le_bytes(part(bytes)))
    }
}

/// One answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answer<'a> {
    /// Number of the question among all of its object or classification (see `ontology::questions`).
    pub question: u32,
    /// Whether it holds on the frame of its row alone; else on all of the object.
    pub varies: bool,
    /// What was answered.
    pub value: Value<'a>,
    content: &'a [u8],
}

impl<'a> Answer<'a> {
    /// Takes [`Self::content`]; none where it is not that of an answer.
    pub fn from_content(content: &'a [u8]) -> Option<Self> {
        let (head, value) = content.split_at_checked(CONTENT_HEAD_BYTES)?;
        Some(Self {
            question: u32::from_le_bytes(part(head)),
            varies: head[4] & VARIES != 0,
            value: match head[4] & !VARIES {
                OPTIONS => Value::Options(Options(value)),
                TEXT => Value::Text(std::str::from_utf8(value).ok()?),
                NUMBER if value.len() == 8 => Value::Number(f64::from_le_bytes(part(value))),
                _ => return None,
            },
            content,
        })
    }

    /// The bytes of question and value: equal for equal answers.
    pub fn content(&self) -> &'a [u8] {
        self.content
    }
}

/// Answers to several questions, in the order of the questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Answers<'a>(&'a [u8]);

/// Bytes before the content: its length.
const HEAD_BYTES: usize = 4;

/// Bytes of the content before the value: question, kind.
const CONTENT_HEAD_BYTES: usize = 5;

const OPTIONS: u8 = 0;
const TEXT: u8 = 1;
const NUMBER: u8 = 2;

/// Beside the kind of an answer that holds on one frame.
const VARIES: u8 = 0x80;

impl<'a> Answers<'a> {
    /// Takes what [`Packer`] made.
    pub fn from_packed(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub fn packed(&self) -> &'a [u8] {
        self.0
    }

    /// Whether nothing was answered.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The answers; an error where the bytes were damaged, which ends them.
    pub fn iter(&self) -> impl Iterator<Item = Result<Answer<'a>>> + 'a {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let answer = read(&mut rest).ok_or_else(|| Error::Stage("an answer is cut short".into()));
            if answer.is_err() {
                rest = &[];
            }
            Some(answer)
        })
    }
}

fn part<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[..N]);
    out
}

fn read<'a>(rest: &mut &'a [u8]) -> Option<Answer<'a>> {
    let (head, tail) = rest.split_at_checked(HEAD_BYTES)?;
    let (content, tail) = tail.split_at_checked(u32::from_le_bytes(part(head)) as usize)?;
    *rest = tail;
    Answer::from_content(content)
}

/// What is being answered, before it is packed.
#[derive(Debug, Clone, PartialEq)]
pub enum Given<'a> {
    /// Numbers of the chosen options, in any order.
    Options(Vec<u32>),
    /// Text.
    Text(&'a str),
    /// A number.
    Number(f64),
}

/// Packs answers; its buffers are used again.
#[derive(Debug, Default)]
pub struct Packer(Vec<u8>);

impl Packer {
    /// Begins anew.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Adds an answer; they come in the order of their questions.
    pub fn push(&mut self, question: u32, varies: bool, value: &mut Given<'_>) {
        let varies = if varies { VARIES } else { 0 };
        let len_at = self.0.len();
        self.0.extend_from_slice(&[0; 4]);
        self.0.extend_from_slice(&question.to_le_bytes());
        match value {
            Given::Options(options) => {
                options.sort_unstable();
                options.dedup();
                self.0.push(OPTIONS | varies);
                self.0.extend(options.iter().flat_map(|option| option.to_le_bytes()));
            }
            Given::Text(text) => {
                self.0.push(TEXT | varies);
                self.0.extend_from_slice(text.as_bytes());
            }
            Given::Number(number) => {
                self.0.push(NUMBER | varies);
                self.0.extend_from_slice(&number.to_le_bytes());
            }
        }
        let len = (self.0.len() - len_at - 4) as u32;
        self.0[len_at..len_at + 4].copy_from_slice(&len.to_le_bytes());
    }

    /// The answers so far.
    pub fn answers(&self) -> Answers<'_> {
        Answers(&self.0)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_read_again() {
        let mut packer = Packer::default();
        packer.push(0, false, &mut Given::Options(vec![7, 2, 7]));
        packer.push(1, true, &mut Given::Text("a\nü"));
        packer.push(2, true, &mut Given::Number(-0.5));
        let answers: Vec<_> = packer.answers().iter().collect::<Result<_>>().unwrap();
        let Value::Options(options) = answers[0].value else {
            panic!("{:?}", answers[0]);
        };
        assert_eq!(options.iter().collect::<Vec<_>>(), [2, 7]);
        let varies: Vec<bool> = answers.iter().map(|answer| answer.varies).collect();
        assert_eq!(varies, [false, true, true]);
        assert_eq!((answers[1].question, answers[1].value), (1, Value::Text("a\nü")));
        assert_eq!((answers[2].question, answers[2].value), (2, Value::Number(-0.5)));
    }

    #[test]
    fn bytes_that_were_cut_are_an_error_and_end() {
        let mut packer = Packer::default();
        packer.push(0, false, &mut Given::Text("text"));
        packer.push(1, true, &mut Given::Number(1.5));
        let whole = packer.answers().packed();
        for len in 1..whole.len() {
            let read: Vec<_> = Answers::from_packed(&whole[..len]).iter().collect();
            let first = HEAD_BYTES + CONTENT_HEAD_BYTES + 4;
            assert_eq!(read.iter().all(Result::is_ok), len == first, "{len}");
        }
    }
}
