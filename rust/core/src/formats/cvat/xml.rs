//! A pull reader of XML, of what is needed: elements with attributes and text. No DTD is read and no entity is expanded but
//! those that XML itself has; depth, text and single tags are bounded.

use std::io::{BufReader, Cursor, Read};

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::error::{Error, Result};
use crate::source::{SourceFile, BYTE_ORDER_MARK};

/// Deepest nesting: CVAT's own files have nine elements inside each other.
const MOST_DEPTH: usize = 32;

/// Most bytes of one tag: a polygon of millions of points.
const MOST_TAG_BYTES: u64 = 1 << 26;

/// Most bytes of text in an element.
const MOST_TEXT_BYTES: usize = 1 << 20;

/// Most attributes of a tag.
const MOST_ATTRIBUTES: usize = 64;

/// Bytes read at a time.
const CHUNK_BYTES: usize = 1 << 16;

/// Least of them, so that what begins a file is seen at once.
const LEAST_CHUNK_BYTES: usize = 16;

/// What comes next.
pub(super) enum Token {
    Start(Element),
    /// The end of the innermost element, with its name and text.
    End(String, String),
    Eof,
}

/// A start tag.
#[derive(Debug, Default, Clone)]
pub(super) struct Element {
    pub name: String,
    attributes: Vec<(String, String)>,
    /// Byte at which it begins.
    pub byte: u64,
}

impl Element {
    /// The value of an attribute.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Whether an attribute is 1.
    pub fn is_set(&self, name: &str) -> bool {
        self.get(name) == Some("1")
    }
}

/// Reads one file.
pub(super) struct Xml {
    reader: Reader<BufReader<Bounded>>,
    input: SourceFile,
    /// Bytes of the mark in front of the text.
    mark: u64,
    buffer: Vec<u8>,
    /// Names of the elements that are open, and their texts.
    open: Vec<(String, String)>,
    /// An element without content, whose end is to be told.
    is_empty: bool,
    has_root: bool,
}

/// What is left of a file, as far as the next tag may go.
struct Bounded {
    inner: Box<dyn Read + Send>,
    left: u64,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.left == 0 {
            return Err(std::io::Error::new(
                std::io::ErrorKind::InvalidData,
                "one tag or text is longer than 64 MiB; split it",
            ));
        }
        let most = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let read = self.inner.read(&mut buffer[..most])?;
        self.left -= read as u64;
        Ok(read)
    }
}

impl Xml {
    /// Reads a file from its beginning.
    ///
    /// # Errors
    /// What reading it returns.
    pub fn open(input: &SourceFile, chunk_bytes: Option<usize>) -> Result<Self> {
        let mut stream = input.stream_from(0)?;
        let mut head = Vec::new();
        stream.read_into(&mut head, BYTE_ORDER_MARK.len())?;
        let mark = if head == BYTE_ORDER_MARK { head.len() } else { 0 };
        let inner = Box::new(Cursor::new(head.split_off(mark)).chain(stream));
        let chunk_bytes = chunk_bytes.unwrap_or(CHUNK_BYTES).max(LEAST_CHUNK_BYTES);
        let bounded = Bounded { inner, left: 0 };
        Ok(Self {
            reader: Reader::from_reader(BufReader::with_capacity(chunk_bytes, bounded)),
            input: input.clone(),
            mark: mark as u64,
            buffer: Vec::new(),
            open: Vec::new(),
            is_empty: false,
            has_root: false,
        })
    }

    /// Bytes of the text so far.
    pub fn position(&self) -> u64 {
        self.mark + self.reader.buffer_position()
    }

    /// An error at a byte.
    pub fn error(&self, byte: u64, message: impl Into<String>) -> Error {
        self.input.error(byte, message)
    }

    /// The next start or end.
    ///
    /// # Errors
    /// [`Error::Source`] for what is not well-formed, is too deep or too long, or has entities or a DTD.
    pub fn next(&mut self) -> Result<Token> {
        if std::mem::take(&mut self.is_empty) {
            return Ok(self.end());
        }
        loop {
            let byte = self.position();
            self.buffer.clear();
            self.reader.get_mut().get_mut().left = MOST_TAG_BYTES;
            let event = match self.reader.read_event_into(&mut self.buffer) {
                Ok(event) => event,
                Err(quick_xml::Error::Io(cause)) => {
                    let cause = std::io::Error::new(cause.kind(), cause.to_string());
                    return Err(self.input.failed(byte, cause));
                }
                Err(cause) => {
                    return Err(self
                        .input
                        .error(byte, format!("not valid XML: {cause}; write it again")))
                }
            };
            let text = match event {
                Event::Start(_) | Event::Empty(_) if self.open.len() >= MOST_DEPTH => {
                    let message = format!("elements are nested more than {MOST_DEPTH} deep; annotations are not");
                    return Err(self.input.error(byte, message));
                }
                Event::Start(_) | Event::Empty(_) if self.open.is_empty() && self.has_root => {
                    return Err(self
                        .input
                        .error(byte, "something follows the end of the XML; remove it"));
                }
                Event::Start(ref tag) | Event::Empty(ref tag) => {
                    let element = element(tag, byte).map_err(|message| self.input.error(byte, message))?;
                    self.is_empty = matches!(event, Event::Empty(_));
                    self.has_root = true;
                    self.open.push((element.name.clone(), String::new()));
                    return Ok(Token::Start(element));
                }
                Event::End(_) => return Ok(self.end()),
                Event::Eof if !self.open.is_empty() => {
                    let message = "the file ends inside the XML; it was cut, write it again";
                    return Err(self.input.error(byte, message));
                }
                Event::Eof => return Ok(Token::Eof),
                Event::DocType(_) => {
                    let message = "the file has a DTD, which is not read; remove `<!DOCTYPE ...>`";
                    return Err(self.input.error(byte, message));
                }
                Event::Text(text) => text.xml10_content().into_owned(),
                Event::CData(text) => text.xml10_content().into_owned(),
                Event::GeneralRef(reference) => {
                    let character = reference.resolve_char_ref().ok().flatten();
                    let name = reference.xml10_content();
                    let resolved = match character {
                        Some(character) => Some(character.to_string()),
                        None => resolve_predefined_entity(&name).map(str::to_owned),
                    };
                    resolved.ok_or_else(|| {
                        let message =
                            format!("the entity &{name}; is not one of XML's own, and others are not expanded");
                        self.input.error(byte, message)
                    })?
                }
                _ => continue,
            };
            match self.open.last_mut() {
                Some((_, known)) if known.len() + text.len() > MOST_TEXT_BYTES => {
                    return Err(self.input.error(byte, "the text of an element is longer than 1 MiB"));
                }
                Some((_, known)) => known.push_str(&text),
                None if text.trim().is_empty() => {}
                None => return Err(self.input.error(byte, "expected XML, and found text outside of it")),
            }
        }
    }

    fn end(&mut self) -> Token {
        let (name, text) = self.open.pop().unwrap_or_default();
        Token::End(name, text)
    }
}

fn element(tag: &BytesStart<'_>, byte: u64) -> std::result::Result<Element, String> {
    let mut attributes = Vec::new();
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|cause| format!("not valid XML: {cause}; write it again"))?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0);
        let value = value.map_err(|cause| format!("an attribute is not valid XML: {cause}"))?;
        if attributes.len() == MOST_ATTRIBUTES {
            return Err(format!("a tag has more than {MOST_ATTRIBUTES} attributes"));
        }
        attributes.push((attribute.key.as_ref().to_owned(), value.into_owned()));
    }
    Ok(Element {
        name: tag.name().as_ref().to_owned(),
        attributes,
        byte,
    })
}
