//! What becomes of an annotation that was read: a row of the batch, or a reject.

use std::collections::HashSet;

use super::{CocoKind, CocoReader};
use crate::batch::{Annotation, RleOrder, Shape};
use crate::error::Result;
use crate::formats::coco::annotation::Verdict;
use crate::formats::coco::names::TooMany;
use crate::formats::coco::rows::Rows;
use crate::formats::coco::tables::CocoTables;
use crate::formats::rejects::Held;
use crate::formats::Fault;
use crate::reject::{Reason, Reject};
use crate::source::TextSpan;

impl CocoReader {
    /// Judges the draft, and adds it as a row or as a reject.
    pub(super) fn add(&mut self, rows: &mut Rows) -> Result<()> {
        if let Some(row) = self.line.row.take() {
            self.summary.annotations_read += row.annotations;
            self.summary.rejected += row.annotations;
            rows.row_rejects.push(row);
            return Ok(());
        }
        let (start, end) = (self.line.start, self.line.end);
        let byte = self.window.byte(start);
        let offset = self.line.offset.unwrap_or(byte);
        if self.kind == CocoKind::Rejects {
            self.line_origin = self.line.origin(self.origin.ids_from.as_ref());
        }
        // Positions of the draft refer to the text that it was read from.
        let text = if self.line.annotation == Held::Quoted {
            self.line.text.as_slice()
        } else {
            self.window.text()
        };
        self.summary.annotations_read += 1;
        if let Some(id) = self.draft.annotation_key(text) {
            self.duplicates.add(id);
        }
        let wants_keypoints = self.draft.has_extras() && self.wants_keypoints(text);
        let shape = match self.draft.verdict(self.crowds, wants_keypoints) {
            Verdict::Row(shape) => shape,
            Verdict::Crowd => {
                self.summary.filtered_crowd += 1;
                return Ok(());
            }
            Verdict::Reject(reason) => {
                self.reject(reason, (start, end), offset, rows);
                return Ok(());
            }
        };
        let (Some(image), Some(category)) = (self.draft.image(text), self.draft.category(text)) else {
            return Ok(());
        };
        let full = |_: TooMany| {
            self.window
                .error(start, "the file names more than 2^32 images or categories; split it")
        };
        let media = self
            .tables
            .media_of(image, self.draft.file_name(text), &mut self.last_media)
            .map_err(full)?;
        let class = self.tables.class_of(category).map_err(full)?;
        if self.has_odd {
            if let Some(reason) = odd_reason(&self.tables, &mut self.odd_used, (media, class)) {
                self.reject(reason, (start, end), offset, rows);
                return Ok(());
            }
        }
        let image = match self.last_image {
            Some((last, image)) if last == media => image,
            _ => {
                let image = self.tables.media_row(media);
                self.last_image = Some((media, image));
                image
            }
        };
        // The line of a reject does not tell whether its image is of a video.
        let in_video = image.in_video || self.kind == CocoKind::Rejects;
        let track = match self.draft.track(text, in_video) {
            Ok(track) => track,
            Err(reason) => {
                self.reject(reason, (start, end), offset, rows);
                return Ok(());
            }
        };
        let origin = self.line_origin.as_deref().unwrap_or(&self.origin);
        // The names of its media and class are given by number.
        let mut row = Annotation::object(&origin.source, offset, "", image.frame, "");
        row.track = track;
        row.score = self.draft.score();
        row.shape = Some(shape);
        row.bbox = self.draft.bbox();
        (row.width_px, row.height_px) = (image.width, image.height);
        match shape {
            Shape::Bitmask => {
                if let Some((counts, [h, w])) = self.draft.rle(text) {
                    (row.rle, row.rle_order) = (Some(counts), Some(RleOrder::ColumnMajor));
                    (row.width_px, row.height_px) = (Some(w), Some(h));
                }
            }
            Shape::Skeleton => {
                if let Some((points, visibility)) = self.draft.keypoints() {
                    (row.points, row.visibility) = (Some(points), Some(visibility));
                }
                row.theta = self.draft.theta();
            }
            _ => {
                row.points = self.draft.points();
                if self.draft.has_extras() {
                    row.theta = self.draft.theta();
                }
            }
        }
        row.unit = self.unit;
        if let Some(fractions) = &mut self.fractions {
            fractions.see(&row);
        }
        for (piece, reason) in self.draft.faults() {
            rows.faults.push(Fault {
                row: rows.spans.len(),
                piece: *piece,
                reason: reason.clone(),
            });
        }
        let tables = &self.tables;
        self.builder.push_numbered(
            &row,
            self.draft.annotation_id_text(text),
            (media, || tables.media_label(media)),
            (class, || tables.class_label(class)),
        );
        rows.media.push(media);
        rows.classes.push(class);
        rows.spans.push(TextSpan {
            at: byte,
            len: (end - start) as u32,
        });
        if self.kind == CocoKind::Rejects {
            rows.origins.push(self.line_origin.clone());
        }
        self.summary.rows += 1;
        Ok(())
    }
}

impl CocoReader {
    /// Rejects the draft, whose text stands from `start` to `end` in the window.
    #[cold]
    fn reject(&mut self, reason: Reason, (start, end): (usize, usize), offset: u64, rows: &mut Rows) {
        self.summary.rejected += 1;
        let origin = self.line_origin.as_deref().unwrap_or(&self.origin);
        let id = self.draft.annotation_id(self.draft_text());
        let own = &self.window.text()[start..end];
        rows.rejects.push(Reject::new(reason, origin, offset, id, Some(own)));
    }

    /// The text that positions of the draft refer to.
    fn draft_text(&self) -> &[u8] {
        if self.line.annotation == Held::Quoted {
            &self.line.text
        } else {
            self.window.text()
        }
    }
}

/// Why an annotation on an image, of a category, cannot be written, if one of these is odd; which of them is kept in `used`.
#[cold]
fn odd_reason(tables: &CocoTables, used: &mut [HashSet<u32>; 2], (media, class): (u32, u32)) -> Option<Reason> {
    let [images, classes] = used;
    let (image, category) = (tables.odd_image(media as usize), tables.odd_class(class as usize));
    if image.is_some() {
        images.insert(media);
    }
    if category.is_some() {
        classes.insert(class);
    }
    image.or(category).cloned()
}
