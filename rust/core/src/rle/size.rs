//! The size of a mask.

use super::{RleError, MAX_PIXELS, MAX_SIDE};

/// Height and width of a mask, in px; both may be 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Size {
    h: u32,
    w: u32,
}

impl Size {
    /// Checks a declared size against [`MAX_SIDE`] and [`MAX_PIXELS`]; allocates nothing.
    pub fn new(h: u64, w: u64) -> Result<Self, RleError> {
        if h > MAX_SIDE || w > MAX_SIDE || h * w > MAX_PIXELS {
            return Err(RleError::Size { h, w });
        }
        Ok(Self {
            h: h as u32,
            w: w as u32,
        })
    }

    /// Height, in px.
    pub fn h(self) -> u32 {
        self.h
    }

    /// Width, in px.
    pub fn w(self) -> u32 {
        self.w
    }

    /// Number of pixels.
    pub fn pixels(self) -> u32 {
        self.h * self.w
    }
}
