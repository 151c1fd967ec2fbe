//! Reading an annotation's segmentation: polygons, or an RLE with counts as text or as a list.

use super::draft::{Draft, Span};
use crate::formats::coco::counts::CountsWriter;
use crate::formats::coco::values::{size, wrong_count, Value, Wrong, COUNTS, SEGMENTATION};
use crate::json::{plain, starts_number, Scanner};
use crate::reject::Reason;

impl Draft {
    pub(super) fn segmentation(&mut self, scanner: &mut Scanner<'_>) -> Value<()> {
        self.coords.clear();
        self.rings.clear();
        self.parts.clear();
        (self.counts, self.size_hw) = (None, None);
        match scanner.peek()? {
            b'[' => self.polygons(scanner),
            b'{' => self.read_rle(scanner),
            _ if scanner.null()? => Ok(Ok(())),
            _ => Ok(Err(Wrong::Expected(SEGMENTATION))),
        }
    }

    /// Reads [[x, y, ...], ...]: each ring is a part of its own, since COCO has no holes in polygons.
    fn polygons(&mut self, scanner: &mut Scanner<'_>) -> Value<()> {
        scanner.at += 1;
        let (mut first_ring, mut finite) = (true, true);
        while scanner.next_item(&mut first_ring)? {
            if scanner.peek()? != b'[' {
                return Ok(Err(Wrong::Expected(SEGMENTATION)));
            }
            scanner.at += 1;
            if self.rings.is_empty() {
                self.rings.push(0);
                self.parts.push(0);
            }
            let start = self.coords.len();
            let mut first = true;
            while scanner.next_item(&mut first)? {
                let known = self.coords.len();
                scanner.plain_numbers(|value| self.coords.push(value));
                if self.coords.len() > known {
                    continue;
                }
                if !starts_number(scanner.peek()?) {
                    return Ok(Err(Wrong::Expected(SEGMENTATION)));
                }
                let value = scanner.number()?.as_f64();
                finite &= value.is_finite();
                self.coords.push(value);
            }
            let coordinates = self.coords.len() - start;
            if coordinates < 6 || coordinates % 2 == 1 {
                return Ok(Err(Reason::BadPolygon { coordinates }.into()));
            }
            self.parts.push(self.rings.len() as i32);
            self.rings.push(self.coords.len() as i32);
        }
        Ok(if finite { Ok(()) } else { Err(Wrong::NotFinite) })
    }

    fn read_rle(&mut self, scanner: &mut Scanner<'_>) -> Value<()> {
        scanner.at += 1;
        let mut first = true;
        while let Some(key) = scanner.next_key(&mut first)? {
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
                return Ok(Ok(Some(self.span(scanner, text))));
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
