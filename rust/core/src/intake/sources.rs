//! The sources that were taken in. Their text is read again for a reject that shows only after staging.

use std::collections::HashMap;
use std::sync::Mutex;

use crate::error::{Error, Result};
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
        let AsRead { file, stamp } = self.file.as_ref()?;
        let text = self.excerpts.lock().ok()?.read(file, span.at, len).ok()?;
        // Only now, so that a change while it was read is seen as well.
        let unchanged = stamp.is_some() && file.stamp() == *stamp;
        (unchanged && text.len() == len).then_some(text)
    }
}

impl Sources {
    /// Numbers a source, whose rows have these texts.
    pub(super) fn add(&mut self, file: Option<&AsRead>, texts: &Texts, origin: Origin) -> u32 {
        let (file, without_text) = match texts {
            Texts::None => (None, WithoutText::Record),
            Texts::Foreign => (None, WithoutText::Line),
            Texts::Spans(_) | Texts::Held { .. } => (file.cloned(), WithoutText::Changed),
        };
        self.0.push(Known {
            file,
            without_text,
            origin,
            excerpts: Mutex::default(),
        });
        self.0.len() as u32 - 1
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

/// The labels of the documents so far. Tracked objects are recognised by them, so that two documents must not share one.
#[derive(Debug, Default)]
pub(super) struct Labels(HashMap<String, String>);

impl Labels {
    /// Notes the label of a source that was given by name.
    pub fn given(&mut self, label: &str, name: &str) {
        self.0.insert(label.to_owned(), name.to_owned());
    }

    /// Takes a label for the file of a folder that errors call `name`; false where this very file was a document before.
    ///
    /// # Errors
    /// [`Error::Plan`] where another document has it.
    pub fn claim(&mut self, label: &str, name: &str) -> Result<bool> {
        let file = |name: &str| std::fs::canonicalize(name).ok();
        match self.0.insert(label.to_owned(), name.to_owned()) {
            None => Ok(true),
            Some(other) if file(&other).is_some_and(|other| Some(other) == file(name)) => Ok(false),
            Some(other) => Err(Error::Plan(format!(
                "{other} and {name} are both named {label:?}, and tracks are recognised by that name; rename one of \
                 them, or import them one after the other with a --source-label each"
            ))),
        }
    }
}
