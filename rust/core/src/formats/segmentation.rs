//! An annotation's segmentation as COCO writes it: polygons, or an RLE with counts as text or as a list.

use super::counts::CountsWriter;
use super::json_values::{number, size, wrong_count, Span, Value, Wrong, COUNTS, SEGMENTATION};
use crate::batch::{Annotation, Points, RleOrder, Shape};
use crate::json::{plain, starts_number, Scanner};
use crate::reject::Reason;

/// A segmentation. One is used for many annotations, so that none of them allocates.
#[derive(Debug, Clone, Default)]
pub(super) struct Segmentation {
    counts: Option<Span>,
    size_hw: Option<[u32; 2]>,
    coords: Vec<f64>,
    rings: Vec<i32>,
    parts: Vec<i32>,
    /// Segmentations so far that lost a ring.
    rings_dropped: u64,
    own: Vec<u8>,
    key: Vec<u8>,
}

impl Segmentation {
    /// Forgets what it holds.
    pub fn clear(&mut self) {
        self.coords.clear();
        self.rings.clear();
        self.parts.clear();
        self.own.clear();
        (self.counts, self.size_hw) = (None, None);
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        !self.is_mask() && self.rings.is_empty()
    }

    /// Whether it is an RLE.
    pub fn is_mask(&self) -> bool {
        self.counts.is_some()
    }

    /// Polygons, one ring a part.
    pub fn points(&self) -> Option<Points<'_>> {
        (!self.rings.is_empty()).then_some(Points {
            coords: &self.coords,
            rings: &self.rings,
            parts: &self.parts,
        })
    }

    /// Compressed counts with (h, w), for the text that it was read from.
    pub fn rle<'a>(&'a self, text: &'a [u8]) -> Option<(&'a [u8], [u32; 2])> {
        Some((self.counts?.slice(text, &self.own), self.size_hw?))
    }

    /// The row with what it draws, for the text that it was read from; as it is where that is nothing.
    pub fn on<'a>(&'a self, row: Annotation<'a>, text: &'a [u8]) -> Annotation<'a> {
        match (self.rle(text), self.points()) {
            (Some((counts, [h, w])), _) => Annotation {
                shape: Some(Shape::Bitmask),
                rle: Some(counts),
                rle_order: Some(RleOrder::ColumnMajor),
                width_px: Some(w),
                height_px: Some(h),
                ..row
            },
            (None, Some(points)) => Annotation {
                shape: Some(Shape::Polygon),
                points: Some(points),
                ..row
            },
            (None, None) => row,
        }
    }

    /// Makes it one polygon.
    pub fn set_ring(&mut self, coords: &[f64]) {
        self.clear();
        self.coords.extend(coords);
        self.rings.extend([0, coords.len() as i32]);
        self.parts.extend([0, 1]);
    }

    /// Segmentations so far that lost a ring.
    pub fn rings_dropped(&self) -> u64 {
        self.rings_dropped
    }

    /// Reads the next value; whatever else it is, null and an empty text are nothing.
    pub fn read(&mut self, scanner: &mut Scanner<'_>) -> Value<()> {
        self.clear();
        match scanner.peek()? {
            b'[' => self.polygons(scanner),
            b'{' => self.read_rle(scanner),
            b'"' => {
                let text = scanner.string()?;
                // Some writers put an empty text where there is none.
                Ok(if text.start == text.end {
                    Ok(())
                } else {
                    Err(Wrong::Expected(SEGMENTATION))
                })
            }
            _ if scanner.null()? => Ok(Ok(())),
            _ => Ok(Err(Wrong::Expected(SEGMENTATION))),
        }
    }

    /// Reads [[x, y, ...], ...]: each ring is a part of its own, since COCO has no holes in polygons. A bad ring beside
    /// good ones is dropped; empty ones alone are none.
    fn polygons(&mut self, scanner: &mut Scanner<'_>) -> Value<()> {
        scanner.at += 1;
        let (mut first, mut dropped, mut wrong) = (true, false, None);
        while scanner.next_item(&mut first)? {
            let (start, known) = (scanner.at, self.coords.len());
            match self.ring(scanner)? {
                Ok(0) => dropped = true,
                Ok(_) => {
                    if self.rings.is_empty() {
                        self.rings.push(0);
                        self.parts.push(0);
                    }
                    self.parts.push(self.rings.len() as i32);
                    self.rings.push(self.coords.len() as i32);
                }
                Err(why) => {
                    scanner.at = start;
                    scanner.skip()?;
                    self.coords.truncate(known);
                    dropped = true;
                    wrong.get_or_insert(why);
                }
            }
        }
        if self.rings.is_empty() {
            return Ok(wrong.map_or(Ok(()), Err));
        }
        self.rings_dropped += u64::from(dropped);
        Ok(Ok(()))
    }

    /// Reads the coordinates of a ring, and says how many there are.
    #[inline]
    fn ring(&mut self, scanner: &mut Scanner<'_>) -> Value<usize> {
        if scanner.peek()? != b'[' {
            return Ok(Err(Wrong::Expected(SEGMENTATION)));
        }
        scanner.at += 1;
        let start = self.coords.len();
        let (mut first, mut finite) = (true, true);
        while scanner.next_item(&mut first)? {
            let known = self.coords.len();
            scanner.plain_numbers(|value| self.coords.push(value));
            if self.coords.len() > known {
                continue;
            }
            let Some(value) = number(scanner)? else {
                return Ok(Err(Wrong::Expected(SEGMENTATION)));
            };
            finite &= value.is_finite();
            self.coords.push(value);
        }
        let coordinates = self.coords.len() - start;
        Ok(match coordinates {
            0 => Ok(0),
            1..6 => Err(Reason::BadPolygon { coordinates }.into()),
            odd if odd % 2 == 1 => Err(Reason::BadPolygon { coordinates }.into()),
            _ if !finite => Err(Wrong::NotFinite),
            _ => Ok(coordinates),
        })
    }

    fn read_rle(&mut self, scanner: &mut Scanner<'_>) -> Value<()> {
        scanner.at += 1;
        let (mut first, mut is_empty) = (true, true);
        while let Some(key) = scanner.next_key(&mut first)? {
            is_empty = false;
            match plain(scanner, key, &mut self.key) {
                b"counts" => match self.read_counts(scanner)? {
                    Ok(counts) => self.counts = counts,
                    Err(wrong) => return Ok(Err(wrong)),
                },
                b"size" => match size(scanner)? {
                    Ok(size) => self.size_hw = size,
                    Err(wrong) => return Ok(Err(wrong)),
                },
                _ => scanner.skip()?,
            }
        }
        let missing = |field| Ok(Err(Reason::MissingField { field }.into()));
        match (self.counts, self.size_hw) {
            _ if is_empty => Ok(Ok(())),
            (None, _) => missing("segmentation.counts"),
            (_, None) => missing("segmentation.size"),
            _ => Ok(Ok(())),
        }
    }

    /// Reads compressed counts as they are, and a list of counts into the same form.
    fn read_counts(&mut self, scanner: &mut Scanner<'_>) -> Value<Option<Span>> {
        match scanner.peek()? {
            b'"' => {
                let text = scanner.string()?;
                return Ok(Ok(Some(Span::of(scanner, text, &mut self.own))));
            }
            b'[' => scanner.at += 1,
            _ if scanner.null()? => return Ok(Ok(None)),
            _ => return Ok(Err(Wrong::Expected(COUNTS))),
        }
        let start = self.own.len();
        let (mut writer, mut first) = (CountsWriter::default(), true);
        while scanner.next_item(&mut first)? {
            if !starts_number(scanner.peek()?) {
                return Ok(Err(Wrong::Expected(COUNTS)));
            }
            let number = scanner.number()?;
            match number.as_integer().map(u32::try_from) {
                Some(Ok(run)) => writer.push(run, &mut self.own),
                _ => return Ok(Err(wrong_count(number.as_f64()).into())),
            }
        }
        Ok(Ok(Some(Span {
            start,
            end: self.own.len(),
            own: true,
        })))
    }
}
