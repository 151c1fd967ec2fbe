//! Rings as text. A number is made once and copied to each place where it stands.

use super::coordinate::{damaged, push_coordinate};
use super::number::{push_start, push_u64, TEXT_BYTES};
use crate::error::Result;

/// Longest text before a point's x that is kept.
const KEY_BYTES: usize = 16;

/// Points whose keys are kept; those of longer rings are made each time.
const MOST_KEYS: usize = 1 << 16;

/// One ring as text `x,y,x,y`, and what stands before each point in the numbered form.
#[derive(Debug, Default)]
pub(super) struct RingText {
    text: Vec<u8>,
    len: usize,
    /// Where x and y of each point end in it.
    ends: Vec<[usize; 2]>,
    /// `,"7":{"x":` of point 7, and its length.
    keys: Vec<([u8; KEY_BYTES], usize)>,
}

impl RingText {
    /// The ring that was rendered last, as `x,y,x,y`.
    pub fn flat(&self) -> &[u8] {
        &self.text[..self.len]
    }

    /// Renders a ring.
    pub fn render(&mut self, ring: &[f64], (width, height): (f64, f64), decimals: Option<u8>) -> Result<()> {
        if !ring.len().is_multiple_of(2) {
            return Err(damaged("an odd number of coordinates".to_owned()));
        }
        self.text.clear();
        self.ends.clear();
        for point in ring.chunks_exact(2) {
            push_coordinate(&mut self.text, point[0] / width, decimals)?;
            let x_end = self.text.len();
            self.text.push(b',');
            push_coordinate(&mut self.text, point[1] / height, decimals)?;
            self.ends.push([x_end, self.text.len()]);
            self.text.push(b',');
        }
        self.len = self.text.len().saturating_sub(1);
        // Numbers are copied by their longest length.
        self.text.extend_from_slice(&[0; TEXT_BYTES]);
        Ok(())
    }

    /// Appends the ring that was rendered last as `{"0":{"x":..,"y":..},...}`.
    pub fn push_numbered(&mut self, out: &mut Vec<u8>) {
        self.know_keys(self.ends.len());
        out.push(b'{');
        let mut start = 0;
        for (at, &[x_end, y_end]) in self.ends.iter().enumerate() {
            match self.keys.get(at) {
                _ if at == 0 => out.extend_from_slice(br#""0":{"x":"#),
                Some((key, len)) => push_start(out, key, *len),
                None => push_key(out, at),
            }
            self.push_number(out, start, x_end);
            out.extend_from_slice(br#","y":"#);
            self.push_number(out, x_end + 1, y_end);
            out.push(b'}');
            start = y_end + 1;
        }
        out.push(b'}');
    }

    #[inline]
    fn push_number(&self, out: &mut Vec<u8>, start: usize, end: usize) {
        if let Some(text) = self.text[start..].first_chunk::<TEXT_BYTES>() {
            push_start(out, text, end - start);
        }
    }

    fn know_keys(&mut self, points: usize) {
        for at in self.keys.len()..points.min(MOST_KEYS) {
            let mut text = Vec::with_capacity(KEY_BYTES);
            push_key(&mut text, at);
            let mut key = [0; KEY_BYTES];
            key[..text.len()].copy_from_slice(&text);
            self.keys.push((key, text.len()));
        }
    }
}

fn push_key(out: &mut Vec<u8>, point: usize) {
    out.extend_from_slice(b",\"");
    push_u64(out, point as u64);
    out.extend_from_slice(br#"":{"x":"#);
}
