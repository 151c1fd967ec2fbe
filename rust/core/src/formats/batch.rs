//! What readers give: rows of the IR, and beside them what resolving and rejecting need.

use std::sync::Arc;

use arrow_array::BooleanArray;
use serde_json::Value;

use super::{check_row, Fault, GoodRings};
use crate::batch::{row_members, Annotation, AnnotationBatch, AnnotationBatchBuilder, AttributeValue};
use crate::error::Result;
use crate::reject::{Counts, Origin, Reason, Reject, RowReject};
use crate::source::TextSpan;

/// Rows of a source, and what in it is no row.
#[derive(Debug)]
pub struct Batch {
    /// The rows. Their `source` is the label that they go by.
    pub rows: AnnotationBatch,
    /// How the rows name their media and classes.
    pub names: Names,
    /// Whether the reader checks its rows itself, as [`super::check_row`] does.
    pub is_checked: bool,
    /// Where the rows of one file of a folder begin, in order; empty for a source that is not a folder.
    pub members: Vec<MemberRows>,
    /// File whose images and categories the ids of all rows are, where rows name them by ids.
    pub ids_from: Option<Arc<str>>,
    /// Name of the format. Set by [`super::open`], for all readers.
    pub format: Option<Arc<str>>,
    /// Where each row came from, of rows that are lines of a reject file: what a line says stands in for what the batch
    /// says. Empty where no row is one.
    pub origins: Vec<Option<Arc<Origin>>>,
    /// Records that are no rows.
    pub rejects: Vec<Reject>,
    /// Label rows among the lines of a reject file: they are rejected again.
    pub row_rejects: Vec<RowReject>,
    /// Records that were left out, by reason.
    pub filtered: Counts,
    /// Things worth a look, by name.
    pub warnings: Counts,
    /// The rows' own texts.
    pub texts: Texts,
    /// Whether a row does not say on which frame it stands, one entry a row; empty where all do.
    pub frameless: Vec<bool>,
    /// What some rows lack since it cannot be used, in the order of the rows.
    pub faults: Vec<Fault>,
}

/// Rows of a batch that come from one file of a folder. Members go into rejects, and never into identity.
#[derive(Debug, Clone)]
pub struct MemberRows {
    /// Number of its first row in the batch.
    pub first_row: usize,
    /// Where the file is in the folder, with `/`.
    pub name: Arc<str>,
}

/// How rows name their media and classes.
#[derive(Debug)]
pub enum Names {
    /// By the texts in the rows alone.
    ByText,
    /// By numbers, one a row, which [`super::Reader::lists`] explains: each name is resolved once a source.
    Numbered {
        /// Numbers of media.
        media: Vec<u32>,
        /// Numbers of classes.
        classes: Vec<u32>,
    },
}

/// The rows' own texts: what stands in the source for each.
#[derive(Debug)]
pub enum Texts {
    /// They cannot be read again, as those of tables.
    None,
    /// They are not rows of the table. Rejects show the row as it was read; those that show only after staging name the byte.
    Foreign,
    /// Where in the file each lies. Rejects show the row as it was read; only those that show after staging read the text
    /// again.
    Spans(Vec<TextSpan>),
    /// They are held: rejects show them as they are.
    Held {
        /// A stretch of the file.
        text: Vec<u8>,
        /// Byte in the file where it starts.
        byte: u64,
        /// Where in the file the text of each row lies.
        spans: Vec<TextSpan>,
    },
}

impl Texts {
    /// Where in the file the text of row `row` lies; empty where that is not known.
    pub fn span_of(&self, row: usize) -> TextSpan {
        match self {
            Self::None | Self::Foreign => TextSpan::default(),
            Self::Spans(spans) | Self::Held { spans, .. } => spans.get(row).copied().unwrap_or_default(),
        }
    }

    /// The text of row `row`, where it is held.
    ///
    /// # Panics
    /// When `row` is not one of the batch's.
    pub fn text_of(&self, row: usize) -> Option<&[u8]> {
        let Self::Held { text, byte, spans } = self else {
            return None;
        };
        let span = spans[row];
        let start = (span.at - byte) as usize;
        Some(&text[start..start + span.len as usize])
    }

    fn retain(&mut self, keep: &[bool]) {
        if let Self::Spans(spans) | Self::Held { spans, .. } = self {
            retain(spans, keep);
        }
    }
}

impl Batch {
    /// Rows whose text cannot be read again, and nothing else.
    pub fn new(rows: AnnotationBatch) -> Self {
        Self {
            rows,
            names: Names::ByText,
            is_checked: false,
            members: Vec::new(),
            ids_from: None,
            format: None,
            origins: Vec::new(),
            rejects: Vec::new(),
            row_rejects: Vec::new(),
            filtered: Counts::new(),
            warnings: Counts::new(),
            texts: Texts::None,
            frameless: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// Counts records that were left out for a reason, if there are any.
    pub fn filter(&mut self, reason: &'static str, records: u64) {
        if records > 0 {
            *self.filtered.entry(reason).or_default() += records;
        }
    }

    /// Counts what is worth a look, if there is any.
    pub fn warn(&mut self, name: &'static str, records: u64) {
        if records > 0 {
            *self.warnings.entry(name).or_default() += records;
        }
    }

    /// Annotations that cannot be written, those of rejected label rows included.
    pub fn rejected(&self) -> u64 {
        let of_rows: u64 = self.row_rejects.iter().map(|row| row.annotations).sum();
        self.rejects.len() as u64 + of_rows
    }

    /// Annotations that the batch was made of: rows, rejects, and what was left out.
    pub fn read(&self) -> u64 {
        self.rows.len() as u64 + self.rejected() + self.filtered.values().sum::<u64>()
    }

    /// Where row `row` came from.
    ///
    /// # Panics
    /// When `row` is not one of the batch's.
    pub fn origin_of(&self, row: usize) -> Origin {
        match self.origins.get(row) {
            Some(Some(origin)) => (**origin).clone(),
            _ => Origin {
                source: self.rows.row(row).source.into(),
                ids_from: self.ids_from.clone(),
                format: self.format.clone(),
                member: self.member_of(row).cloned(),
            },
        }
    }

    /// The file of a folder that row `row` comes from.
    pub fn member_of(&self, row: usize) -> Option<&Arc<str>> {
        let behind = self.members.partition_point(|member| member.first_row <= row);
        self.members[..behind].last().map(|member| &member.name)
    }

    /// The reject of row `index`: with its own text where that is held, else as a row of the table.
    ///
    /// # Panics
    /// When `index` is not one of the batch's.
    pub fn reject(&self, index: usize, reason: Reason) -> Reject {
        let row = self.rows.row(index);
        let written;
        let text = match self.texts.text_of(index) {
            Some(text) => text,
            None => {
                let attributes: Vec<AttributeValue<'_>> = self.rows.attributes(index).collect();
                let mut members = row_members(&row, &attributes);
                if self.frameless.get(index).copied().unwrap_or(false) {
                    members.remove("frame");
                }
                written = Value::Object(members).to_string();
                written.as_bytes()
            }
        };
        Reject::new(
            reason,
            &self.origin_of(index),
            row.offset,
            row.annotation_id,
            Some(text),
        )
    }

    /// Says of its rejects which format they are of, where they do not say it themselves.
    pub(super) fn name_rejects(&mut self) {
        for reject in &mut self.rejects {
            let origin = &mut reject.origin;
            origin.format = origin.format.take().or_else(|| self.format.clone());
        }
    }

    /// What row `row` lacks since it cannot be used.
    #[inline]
    pub fn faults_of(&self, row: usize) -> &[Fault] {
        if self.faults.is_empty() {
            return &[];
        }
        let first = self.faults.partition_point(|fault| fault.row < row);
        let own = self.faults[first..].iter().take_while(|fault| fault.row == row).count();
        &self.faults[first..first + own]
    }

    /// Takes from a row, which is number `index`, what cannot be used of it, and gives that; see [`super::check_row`].
    ///
    /// # Errors
    /// As [`super::check_row`].
    #[inline]
    pub fn check<'a>(
        &self,
        index: usize,
        row: &mut Annotation<'a>,
        good_rings: &'a mut GoodRings,
    ) -> std::result::Result<Vec<Fault>, Reason> {
        if self.is_checked {
            return Ok(Vec::new());
        }
        let as_fault = |(piece, reason)| Fault {
            row: index,
            piece,
            reason,
        };
        Ok(check_row(row, good_rings)?.into_iter().map(as_fault).collect())
    }

    /// Checks the rows, and turns those that cannot be written into rejects: what resolving does along with its own work.
    /// Whether a class needs what rows lack is not known here, so that it counts as a warning.
    ///
    /// # Errors
    /// As [`AnnotationBatch::filtered`].
    pub fn checked(mut self) -> Result<Self> {
        if !self.is_checked {
            self = self.check_all()?;
        }
        let odd = std::mem::take(&mut self.faults);
        for fault in odd {
            fault.tell(|warning| self.warn(warning, 1));
        }
        Ok(self)
    }

    fn check_all(mut self) -> Result<Self> {
        let mut keep = Vec::with_capacity(self.rows.len());
        for index in 0..self.rows.len() {
            let mut good_rings = GoodRings::default();
            let checked = self.check(index, &mut self.rows.row(index), &mut good_rings);
            keep.push(checked.is_ok());
            match checked {
                Ok(faults) => self.faults.extend(faults),
                Err(reason) => {
                    let reject = self.reject(index, reason);
                    self.rejects.push(reject);
                }
            }
        }
        if !self.faults.is_empty() {
            self.rows = self.usable_rows()?;
        }
        self.is_checked = true;
        self.keep(keep)
    }

    /// The batch without the rows for which `keep` does not say so, one entry a row.
    ///
    /// # Errors
    /// As [`AnnotationBatch::filtered`].
    pub(crate) fn keep(mut self, keep: Vec<bool>) -> Result<Self> {
        if keep.contains(&false) {
            let mut kept = 0;
            let before = |&stays: &bool| {
                kept += usize::from(stays);
                kept - usize::from(stays)
            };
            // Of each row, and of the end, how many rows before it stay.
            let places: Vec<usize> = keep.iter().chain(&[true]).map(before).collect();
            for member in &mut self.members {
                member.first_row = places[member.first_row];
            }
            self.faults.retain(|fault| keep[fault.row]);
            for fault in &mut self.faults {
                fault.row = places[fault.row];
            }
            self.texts.retain(&keep);
            retain(&mut self.frameless, &keep);
            retain(&mut self.origins, &keep);
            if let Names::Numbered { media, classes } = &mut self.names {
                retain(media, &keep);
                retain(classes, &keep);
            }
            self.rows = self.rows.filtered(&BooleanArray::from(keep))?;
        }
        Ok(self)
    }

    /// The rows without what cannot be used of them.
    fn usable_rows(&self) -> Result<AnnotationBatch> {
        let mut builder = AnnotationBatchBuilder::new();
        let mut attributes: Vec<AttributeValue<'_>> = Vec::new();
        for index in 0..self.rows.len() {
            let mut row = self.rows.row(index);
            // A row that is rejected stays as it is: it is left out afterwards.
            let mut good_rings = GoodRings::default();
            let _ = check_row(&mut row, &mut good_rings);
            attributes.clear();
            attributes.extend(self.rows.attributes(index));
            builder.push_with_attributes(&row, &attributes);
        }
        builder.finish()
    }
}

/// Keeps the entries of the rows that are kept.
fn retain<T>(entries: &mut Vec<T>, keep: &[bool]) {
    let mut kept = keep.iter();
    entries.retain(|_| *kept.next().unwrap_or(&true));
}
