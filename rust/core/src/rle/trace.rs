//! Masks to polygons along pixel edges, with holes, in time of the runs.
//!
//! The mask is swept from top to bottom in bands: rows that hold no change of colour share one band, so
//! a long run costs the same however many rows it fills. Where two bands meet, the ends of their
//! foreground intervals give the corners; each corner has one horizontal and one vertical edge, and
//! following the edges in turn gives the rings.
//!
//! Parts are 4-connected. Where two foreground pixels of one part touch only at a corner, the rings
//! are led around the background there, and of two different parts around each part's pixel. So no ring
//! visits a point twice, and a part is a valid polygon whose rings meet in points at most.

use super::runs::intervals;
use super::{Rle, RowMajor};

/// No corner, no interval.
const NONE: u32 = u32::MAX;

/// The rings of a mask in the order of their first corners; see [`super::Part`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outlines {
    /// Whole numbers, as Python is going to have them.
    corners: Vec<[f64; 2]>,
    /// Which part each ring is of, and where its corners end.
    rings: Vec<(u32, usize)>,
    pub(super) parts: usize,
}

impl Outlines {
    /// Number of parts.
    pub fn parts(&self) -> usize {
        self.parts
    }

    /// Each ring, corners `[x, y]` in px, with the number of its part; the first one of a part is its outer one.
    pub fn rings(&self) -> impl Iterator<Item = (usize, &[[f64; 2]])> {
        let mut begin = 0;
        self.rings.iter().map(move |&(part, end)| {
            let ring = &self.corners[begin..end];
            begin = end;
            (part as usize, ring)
        })
    }
}

/// A corner of a ring; both links lead to other corners.
#[derive(Clone, Copy, Debug)]
struct Corner {
    x: u32,
    y: u32,
    /// The other end of the horizontal edge.
    across: u32,
    /// The other end of the vertical edge.
    along: u32,
    /// The end (2 * interval + side) of the interval whose edge goes down from here, or [`NONE`].
    down: u32,
}

/// A point with foreground at two opposite pixels only, seen as two corners.
#[derive(Clone, Copy, Debug)]
struct Touch {
    left: u32,
    right: u32,
    above: u32,
    below: u32,
}

/// A side of an interval in the current band: where it is and the corner its edge comes from.
#[derive(Clone, Copy, Debug)]
struct Side {
    x: u32,
    /// 2 * interval, plus 1 for the right side.
    end: u32,
    top: u32,
}

/// Buffers of a trace, kept between masks.
#[derive(Debug, Default)]
pub(super) struct Tracer {
    corners: Vec<Corner>,
    touches: Vec<Touch>,
    /// Union-find over intervals: parts.
    parent: Vec<u32>,
    /// The part that each set of intervals is, by its first one.
    part_of: Vec<u32>,
}

impl Tracer {
    /// Memory held.
    pub(super) fn len_bytes(&self) -> usize {
        size_of::<Corner>() * self.corners.capacity()
            + size_of::<Touch>() * self.touches.capacity()
            + size_of::<u32>() * (self.parent.capacity() + self.part_of.capacity())
    }

    pub(super) fn clear(&mut self) {
        self.corners.clear();
        self.touches.clear();
        self.parent.clear();
        self.part_of.clear();
    }

    /// Finds all corners and links them.
    pub(super) fn sweep(&mut self, mask: &Rle<RowMajor>) {
        let w = mask.size().w();
        let mut above: Vec<Side> = Vec::new();
        let mut below: Vec<Side> = Vec::new();
        // The row that the band in `below` is to begin at, and the first row after it.
        let (mut y, mut bottom) = (0, 0);
        for (mut from, to) in intervals(mask.runs()) {
            while from < to {
                let row = from / w;
                let x = from - row * w;
                if row >= bottom {
                    self.meet(y, &above, &mut below);
                    above.clear();
                    std::mem::swap(&mut above, &mut below);
                    if row > bottom && bottom > 0 {
                        self.meet(bottom, &above, &mut below);
                        above.clear();
                    }
                    y = row;
                    bottom = row + 1;
                }
                let row_end = (row + 1) * w;
                let full_rows = if x == 0 { (to - from) / w } else { 0 };
                let right = if full_rows > 0 {
                    // Nothing else lies in these rows: one band.
                    bottom = row + full_rows;
                    from += full_rows * w;
                    w
                } else {
                    let stop = to.min(row_end);
                    from = stop;
                    stop - row * w
                };
                self.open_interval(x, right, &mut below);
            }
        }
        if bottom > 0 {
            self.meet(y, &above, &mut below);
            above.clear();
            self.meet(bottom, &below, &mut above);
        }
    }

    fn open_interval(&mut self, left: u32, right: u32, band: &mut Vec<Side>) {
        let interval = self.parent.len() as u32;
        self.parent.push(interval);
        band.push(Side {
            x: left,
            end: 2 * interval,
            top: NONE,
        });
        band.push(Side {
            x: right,
            end: 2 * interval + 1,
            top: NONE,
        });
    }

    /// Joins two bands at the line `y`: corners where their sides differ, edges where they go on.
    fn meet(&mut self, y: u32, above: &[Side], below: &mut [Side]) {
        self.join_parts(above, below);
        let (mut i, mut j) = (0, 0);
        // A corner whose horizontal edge still needs its right end.
        let mut open = NONE;
        while i < above.len() || j < below.len() {
            let a = above.get(i).map_or(NONE, |side| side.x);
            let b = below.get(j).map_or(NONE, |side| side.x);
            if a < b {
                let corner = self.corner(a, y, &mut open);
                self.end_side(above[i], corner);
                i += 1;
            } else if b < a {
                let corner = self.corner(b, y, &mut open);
                self.begin_side(&mut below[j], corner);
                j += 1;
            } else {
                if above[i].end % 2 == below[j].end % 2 {
                    below[j].top = above[i].top;
                } else {
                    let left = self.corner(a, y, &mut open);
                    let right = self.corner(a, y, &mut open);
                    // As if around each foreground pixel: above left with the left edge, or above right.
                    let (upper, lower) = if above[i].end % 2 == 1 {
                        (left, right)
                    } else {
                        (right, left)
                    };
                    self.end_side(above[i], upper);
                    self.begin_side(&mut below[j], lower);
                    self.touches.push(Touch {
                        left,
                        right,
                        above: above[i].end / 2,
                        below: below[j].end / 2,
                    });
                }
                i += 1;
                j += 1;
            }
        }
    }

    /// Adds a corner and pairs it with the one before it along the line.
    fn corner(&mut self, x: u32, y: u32, open: &mut u32) -> u32 {
        let id = self.corners.len() as u32;
        self.corners.push(Corner {
            x,
            y,
            across: *open,
            along: NONE,
            down: NONE,
        });
        if *open == NONE {
            *open = id;
        } else {
            self.corners[*open as usize].across = id;
            *open = NONE;
        }
        id
    }

    fn begin_side(&mut self, side: &mut Side, corner: u32) {
        side.top = corner;
        self.corners[corner as usize].down = side.end;
    }

    fn end_side(&mut self, side: Side, corner: u32) {
        self.corners[side.top as usize].along = corner;
        self.corners[corner as usize].along = side.top;
    }

    /// Unites the intervals that share an edge.
    fn join_parts(&mut self, above: &[Side], below: &[Side]) {
        let (mut i, mut j) = (0, 0);
        while i < above.len() && j < below.len() {
            let (a, b) = (&above[i..i + 2], &below[j..j + 2]);
            if a[0].x < b[1].x && b[0].x < a[1].x {
                let (a, b) = (self.find(a[0].end / 2), self.find(b[0].end / 2));
                self.parent[a.max(b) as usize] = a.min(b);
            }
            if a[1].x <= b[1].x {
                i += 2;
            } else {
                j += 2;
            }
        }
    }

    /// The first interval of a part; halves the path on the way.
    fn find(&mut self, mut interval: u32) -> u32 {
        while self.parent[interval as usize] != interval {
            let next = self.parent[self.parent[interval as usize] as usize];
            self.parent[interval as usize] = next;
            interval = next;
        }
        interval
    }

    /// Leads the rings around the background where a part touches itself at a corner.
    pub(super) fn split_corner_touches(&mut self) {
        for touch in 0..self.touches.len() {
            let Touch {
                left,
                right,
                above,
                below,
            } = self.touches[touch];
            if self.find(above) != self.find(below) {
                continue;
            }
            let (l, r) = (self.corners[left as usize], self.corners[right as usize]);
            self.corners[left as usize].along = r.along;
            self.corners[left as usize].down = r.down;
            self.corners[right as usize].along = l.along;
            self.corners[right as usize].down = l.down;
            self.corners[l.along as usize].along = right;
            self.corners[r.along as usize].along = left;
        }
    }

    /// Walks every ring from its topmost, leftmost corner and sorts holes to their parts.
    pub(super) fn follow(&mut self) -> Outlines {
        let mut outlines = Outlines {
            corners: Vec::with_capacity(self.corners.len()),
            ..Outlines::default()
        };
        self.part_of.resize(self.parent.len(), NONE);
        for first in 0..self.corners.len() as u32 {
            // Corners come by line and from left to right, so the first of a ring has an edge down.
            let Corner { across, down, .. } = self.corners[first as usize];
            if across == NONE {
                continue;
            }
            let root = self.find(down / 2) as usize;
            // Foreground on the right of the edge that goes down: the ring is around it.
            let is_outer = down.is_multiple_of(2);
            if is_outer {
                self.part_of[root] = outlines.parts as u32;
                outlines.parts += 1;
            }
            self.ring(first, is_outer, &mut outlines.corners);
            outlines.rings.push((self.part_of[root], outlines.corners.len()));
        }
        outlines
    }

    /// Adds the ring through a corner, leaving it across or along; clears the links that [`Self::follow`] looks at.
    fn ring(&mut self, first: u32, across: bool, ring: &mut Vec<[f64; 2]>) {
        let mut at = first;
        loop {
            // Edges across and along take turns.
            for across in [across, !across] {
                let corner = &mut self.corners[at as usize];
                ring.push([f64::from(corner.x), f64::from(corner.y)]);
                at = if across { corner.across } else { corner.along };
                corner.across = NONE;
            }
            if at == first {
                return;
            }
        }
    }
}
