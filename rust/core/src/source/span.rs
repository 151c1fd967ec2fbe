//! Where in its file an annotation stands.

/// Where the annotation's own text lies in the file that was read, for a reject that shows only after staging.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TextSpan {
    /// First byte.
    pub at: u64,
    /// Length in bytes.
    pub len: u32,
}
