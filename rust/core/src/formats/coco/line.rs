//! One line of a reject file, whose annotation is one of COCO.

use super::annotation::Draft;
use crate::formats::json_values::shown;
use crate::formats::rejects::{Held, Line};
use crate::json::{only_space, Scan, Scanner};
use crate::reject::Reason;

/// Reads a line, with the annotation into the draft.
pub(super) fn read(line: &mut Line, scanner: &mut Scanner<'_>, draft: &mut Draft, confidence: &str) -> Scan<()> {
    draft.clear();
    line.read(scanner)?;
    let end = scanner.at;
    match line.annotation {
        Held::Missing => draft.refuse(Reason::MissingField { field: "annotation" }),
        Held::Quoted => quoted(line, draft, confidence),
        Held::Null | Held::Value => {
            // Its positions are those in the window.
            scanner.at = line.start;
            draft.read(scanner, confidence)?;
            scanner.at = end;
        }
    }
    Ok(())
}

fn quoted(line: &Line, draft: &mut Draft, confidence: &str) {
    let mut inner = Scanner::new(&line.text, 0, true);
    let read = draft.read(&mut inner, confidence);
    if read.and_then(|()| only_space(&mut inner)).is_err() {
        draft.clear();
        draft.refuse(Reason::BadField {
            field: "annotation",
            expected: "the whole JSON of an annotation",
            found: shown(&line.text),
        });
    }
}

/// Whether two values of `ids_from` mean the same lists: the same name (it may have been mended) or the same content.
pub(super) fn same_lists(one: &str, other: &str) -> bool {
    let parts = |value| str::rsplit_once(value, '#').unwrap_or((value, ""));
    let ((name, digest), (other_name, other_digest)) = (parts(one), parts(other));
    name == other_name || (digest == other_digest && !digest.is_empty())
}
