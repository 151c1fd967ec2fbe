//! The sources that were taken in. Their text is read again for a reject that shows only after staging.

use std::sync::Mutex;

use crate::reject::{Origin, Reason, Reject, MAX_TEXT_BYTES};
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
    /// Numbers a source.
    pub(super) fn add(&mut self, file: Option<&AsRead>, origin: Origin) -> u32 {
        self.0.push(Known {
            file: file.cloned(),
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
            of_table: source.file.is_none(),
            ..Reject::new(reason, &source.origin, key.offset, annotation_id, text.as_deref())
        }
    }
}
