//! The values of a text one by one: the items of a list, or values one after another.

use super::{only_space, Window};
use crate::error::Result;

/// How far the values of a text are read.
#[derive(Debug, Default)]
pub(crate) struct Values {
    /// Whether they are in a list; none before the first byte was seen.
    in_list: Option<bool>,
}

impl Values {
    /// Finds where the next value begins and ends in the window, which lets go of what is before it; none at the end.
    ///
    /// # Errors
    /// Text that is neither JSON values nor a list, which is `expected`, and what reading the file returns.
    pub fn next(&mut self, window: &mut Window, expected: &'static str) -> Result<Option<(usize, usize)>> {
        window.release();
        let is_first = self.in_list.is_none();
        let in_list = match self.in_list {
            Some(in_list) => in_list,
            None => window.item(|scanner| {
                scanner.skip_mark()?;
                let in_list = !scanner.at_end()? && scanner.peek()? == b'[';
                if in_list {
                    scanner.expect(b'[', expected)?;
                }
                Ok(in_list)
            })?,
        };
        self.in_list = Some(in_list);
        window.item(|scanner| {
            // Scanned anew where the window ends too early, it is the first item again.
            let mut first = is_first;
            let more = if in_list {
                scanner.next_item(&mut first)?
            } else {
                !scanner.at_end()?
            };
            if !more {
                return only_space(scanner).map(|()| None);
            }
            scanner.peek()?;
            let start = scanner.at;
            scanner.skip()?;
            Ok(Some((start, scanner.at)))
        })
    }
}
