//! Keeps panics of other crates from going further: a damaged file is an error, not a panic.

use std::any::Any;
use std::cell::Cell;
use std::panic::{catch_unwind, set_hook, take_hook, AssertUnwindSafe, PanicHookInfo};
use std::sync::Once;

thread_local! {
    /// Whether this thread runs what may panic.
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`; gives the message of a panic in its place, and prints nothing of it.
///
/// What prints a panic is one hook for all threads of a program. The first call puts a hook before the one that is there
/// then: it passes on every panic except those of a thread that is in here. After a panic, what `work` changed must not
/// be used again.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static HOOKED: Once = Once::new();
    HOOKED.call_once(|| set_hook(unless_guarded(take_hook())));
    let outer = GUARDED.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(outer);
    outcome.map_err(|panic| message(panic.as_ref()))
}

type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Send + Sync>;

fn unless_guarded(hook: Hook) -> Hook {
    Box::new(move |panic| {
        if !GUARDED.get() {
            hook(panic);
        }
    })
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("its reader failed").to_owned()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_panic_is_its_message_and_prints_nothing_while_others_do() {
        let printed = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&printed);
        let before = take_hook();
        set_hook(unless_guarded(Box::new(move |_| {
            count.fetch_add(1, Ordering::Relaxed);
        })));
        assert_eq!(caught(|| 3), Ok(3));
        let nested = caught(|| {
            let inner = caught(|| -> usize { [1, 2][std::hint::black_box(2)] });
            assert!(inner.is_err_and(|message| message.contains("out of bounds")));
            std::panic::panic_any("a text");
        });
        assert_eq!(nested, Err("a text".to_owned()));
        assert_eq!(caught(|| std::panic::panic_any(7)), Err("its reader failed".to_owned()));
        let none = printed.load(Ordering::Relaxed);
        let other = std::thread::spawn(|| std::panic::panic_any("of another thread")).join();
        let after = catch_unwind(|| std::panic::panic_any("outside"));
        let all = printed.load(Ordering::Relaxed);
        drop(take_hook());
        set_hook(before);
        assert!(other.is_err() && after.is_err());
        assert_eq!((none, all), (0, 2));
    }
}
