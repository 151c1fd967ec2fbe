//! Which member of an annotation comes next. A writer puts the same members in the same order again and again, so that
//! all between two values - comma, key, colon and spaces - is compared with that of the annotation before, at once.

use crate::json::{Scan, Scanner};

/// Longest text between two values that is remembered.
const TEXT_BYTES: usize = 32;

/// Most members that are remembered.
const MOST: usize = 32;

/// The members of the annotations so far, by their place.
#[derive(Debug)]
pub(super) struct Layout<M>(Vec<Option<Step<M>>>);

#[derive(Debug, Clone, Copy)]
struct Step<M> {
    /// What stands before the value, and which of its bytes count.
    text: [u128; 2],
    mask: [u128; 2],
    len: usize,
    member: M,
}

impl<M> Default for Layout<M> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<M: Copy> Layout<M> {
    /// Moves to the value of member number `at` of an object whose `{` is consumed, and says which member it is; none at
    /// the object's `}`. `name` reads a key that was not foreseen.
    #[inline]
    pub fn next(
        &mut self,
        at: usize,
        scanner: &mut Scanner<'_>,
        name: impl FnOnce(&Scanner<'_>, crate::json::Text) -> M,
    ) -> Scan<Option<M>> {
        if let (Some(Some(step)), Some(ahead)) = (self.0.get(at), scanner.ahead::<TEXT_BYTES>()) {
            let [first, second] = halves(ahead);
            let differs = ((first ^ step.text[0]) & step.mask[0]) | ((second ^ step.text[1]) & step.mask[1]);
            if differs == 0 {
                scanner.at += step.len;
                return Ok(Some(step.member));
            }
        }
        let start = scanner.at;
        let Some(key) = scanner.next_key(&mut (at == 0))? else {
            return Ok(None);
        };
        let member = name(scanner, key);
        scanner.peek()?;
        self.learn(at, scanner.since(start), member);
        Ok(Some(member))
    }

    #[cold]
    fn learn(&mut self, at: usize, text: &[u8], member: M) {
        if at >= MOST {
            return;
        }
        if self.0.len() <= at {
            self.0.resize(at + 1, None);
        }
        self.0[at] = (text.len() <= TEXT_BYTES).then(|| {
            let (mut bytes, mut mask) = ([0; TEXT_BYTES], [0; TEXT_BYTES]);
            bytes[..text.len()].copy_from_slice(text);
            mask[..text.len()].fill(u8::MAX);
            Step {
                text: halves(&bytes),
                mask: halves(&mask),
                len: text.len(),
                member,
            }
        });
    }
}

#[inline]
fn halves(bytes: &[u8; TEXT_BYTES]) -> [u128; 2] {
    let half = |bytes: &[u8]| bytes.first_chunk().copied().map_or(0, u128::from_le_bytes);
    let (first, second) = bytes.split_at(TEXT_BYTES / 2);
    [half(first), half(second)]
}
