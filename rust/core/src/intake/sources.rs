//! The sources that were taken in. Their text is read again for a reject that shows only after staging.

use std::collections::HashMap;
use std::sync::Mutex;

use crate::formats::Texts;
use crate::reject::{Origin, Reason, Reject, WithoutText, MAX_TEXT_BYTES};
use crate::source::{Excerpts, SourceFile, Stamp, TextSpan};
use crate::stage::record::Key;

/// The sources that were taken in, by number.
#[derive(Debug, Default)]
pub struct Sources(Vec<Known>);

/// A file as it was when it was opened.
#[derive(Debug, Clone)]
pub(super) struct AsRead {
    file: SourceFile,
    stamp: Option<Stamp>,
}

impl AsRead {
    pub fn new(file: &SourceFile) -> Self {
        Self {
            file: file.clone(),
            stamp: file.stamp(),
        }
    }

    /// The file, as long as it is the one that was read.
    pub fn unchanged(&self) -> Option<&SourceFile> {
        (self.stamp.is_some() && self.file.stamp() == self.stamp).then_some(&self.file)
    }
}

#[derive(Debug)]
struct Known {
    /// None where rows have no text that can be read again.
    file: Option<AsRead>,
    without_text: WithoutText,
    origin: Origin,
    excerpts: Mutex<Excerpts>,
}

impl Known {
    /// An annotation's own text, as long as the file is the one that was read.
    fn text(&self, span: TextSpan) -> Option<Vec<u8>> {
        let len = (span.len as usize).min(MAX_TEXT_BYTES);
        let read = self.file.as_ref()?;
        let text = self.excerpts.lock().ok()?.read(&read.file, span.at, len).ok()?;
        // Only now, so that a change while it was read is seen as well.
        read.unchanged().filter(|_| text.len() == len).map(|_| text)
    }
}

impl Sources {
    /// Numbers a source, whose rows have these texts; `file` is where they can be read again.
    pub(super) fn add(&mut self, file: Option<AsRead>, texts: &Texts, origin: Origin) -> u32 {
        let without_text = match texts {
            Texts::None => WithoutText::Record,
            Texts::Foreign => WithoutText::Line,
            Texts::Spans(_) | Texts::Held { .. } => WithoutText::Changed,
        };
        self.0.push(Known {
            file,
            without_text,
            origin,
            excerpts: Mutex::default(),
        });
        self.0.len() as u32 - 1
    }

    /// Where the rows of a source came from.
    pub(crate) fn origin(&self, number: u32) -> &Origin {
        &self.0[number as usize].origin
    }

    /// The label of a source.
    pub(crate) fn label(&self, number: u32) -> &str {
        &self.origin(number).source
    }

    /// Of each source, the number of the first one with its label: the files of a document are sources of their own.
    pub(super) fn by_label(&self) -> Vec<u32> {
        let mut first = HashMap::new();
        let numbered = (0..).zip(&self.0);
        numbered
            .map(|(number, known)| *first.entry(&*known.origin.source).or_insert(number))
            .collect()
    }

    /// Makes the reject of a staged annotation, with its own text unless its file was changed or removed meanwhile.
    pub fn reject(&self, reason: Reason, key: &Key, annotation_id: Option<&str>, text: TextSpan) -> Reject {
        let source = &self.0[key.source as usize];
        let text = source.text(text);
        Reject {
            without_text: source.without_text,
            ..Reject::new(reason, &source.origin, key.offset, annotation_id, text.as_deref())
        }
    }
}
