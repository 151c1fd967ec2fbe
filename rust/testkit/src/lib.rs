//! Oracles written pixel by pixel, and generators.
