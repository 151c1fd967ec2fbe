//! Where the images of a source lie, in 20 bytes an image: a file may list millions of them.

use std::collections::HashMap;

use super::slots::Slots;
use super::verdict::Verdict;
use crate::plan::Plan;
use crate::sizes::{SizePx, Sizes};

/// A frame of the project, and the size that the source gives its image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spot {
    /// Index of the medium.
    pub medium: u32,
    /// Encord frame, or index of the image in its group; none where all of the medium is meant.
    pub frame: Option<u32>,
    /// Number of the name that led here, by which it may be refused in the end; 0 where that cannot be.
    pub name: u32,
    /// The image's own size.
    pub size_px: SizePx,
}

/// Where the annotations of one image go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Index of the medium.
    pub medium: u32,
    /// Encord frame, or index of the image in its group; none where all of the medium is meant.
    pub frame: Option<u32>,
    /// Number of the name that led here, see [`Spot`].
    pub name: u32,
    /// Width of the medium, or of the image inside a group, where the project knows it.
    pub width_px: Option<u32>,
    /// Height likewise.
    pub height_px: Option<u32>,
    /// Width that the source's px coordinates refer to: the image's own, else the medium's.
    pub source_width_px: Option<u32>,
    /// Height likewise.
    pub source_height_px: Option<u32>,
}

enum Slot {
    Found {
        medium: u32,
        frame: u32,
        name: u32,
        /// Number of the size.
        size: u32,
    },
    /// All of a medium.
    Whole { medium: u32, name: u32, size: u32 },
    /// Index into the refusals.
    Refused(u32),
}

/// What was learnt about the images of a source.
pub(super) struct Places {
    slots: Slots<Slot>,
    sizes: Sizes,
    /// Why images lead nowhere; neighbours share what is the same.
    refusals: Vec<Verdict<Spot>>,
}

impl Places {
    /// Places for a file, or for one of many sources whose annotations stand in a reject file.
    pub fn new(sparse: bool) -> Self {
        Self {
            slots: if sparse {
                Slots::Sparse(HashMap::new())
            } else {
                Slots::Dense(Vec::new())
            },
            sizes: Sizes::default(),
            refusals: Vec::new(),
        }
    }

    /// Keeps where an image lies, which is asked for once.
    pub fn learn(&mut self, image: u32, spot: impl FnOnce() -> Verdict<Spot>) {
        let (sizes, refusals) = (&mut self.sizes, &mut self.refusals);
        self.slots.learn(image, || match spot() {
            Verdict::Found(Spot {
                medium,
                frame,
                name,
                size_px,
            }) => {
                let size = sizes.number(size_px);
                match frame {
                    Some(frame) => Slot::Found {
                        medium,
                        frame,
                        name,
                        size,
                    },
                    None => Slot::Whole { medium, name, size },
                }
            }
            refusal => {
                if refusals.last() != Some(&refusal) {
                    refusals.push(refusal);
                }
                Slot::Refused(refusals.len() as u32 - 1)
            }
        });
    }

    /// Whether it was learnt where an image lies.
    pub fn is_learnt(&self, image: u32) -> bool {
        self.slots.get(image).is_some()
    }

    /// Where an image's annotations go; none if that was not learnt.
    pub fn get(&self, plan: &Plan, image: u32) -> Option<Verdict<Place>> {
        Some(match *self.slots.get(image)? {
            Slot::Found {
                medium,
                frame,
                name,
                size,
            } => Verdict::Found(self.place(plan, medium, Some(frame), name, size)),
            Slot::Whole { medium, name, size } => Verdict::Found(self.place(plan, medium, None, name, size)),
            Slot::Refused(index) => match &self.refusals[index as usize] {
                Verdict::Filtered(why) => Verdict::Filtered(why),
                Verdict::Reject(reason) => Verdict::Reject(reason.clone()),
                Verdict::Found(_) => unreachable!("a refusal"),
            },
        })
    }

    #[inline]
    fn place(&self, plan: &Plan, medium: u32, frame: Option<u32>, name: u32, size: u32) -> Place {
        let known = &plan.media[medium as usize];
        let unit = frame.and_then(|frame| known.units.get(frame as usize));
        let (width_px, height_px) = unit.map_or((known.width, known.height), |unit| (unit.width, unit.height));
        let (own_width, own_height) = self.sizes.get(size);
        Place {
            medium,
            frame,
            name,
            width_px,
            height_px,
            source_width_px: own_width.or(width_px),
            source_height_px: own_height.or(height_px),
        }
    }
}
