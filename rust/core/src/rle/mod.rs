//! rle
