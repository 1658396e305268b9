//! Panics of this thread: tokio catches those of its tasks, and nobody would notice.

use std::cell::Cell;
use std::panic;
use std::sync::Once;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

/// How many there were on this thread, since this was first asked.
pub(crate) fn count() -> u64 {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            COUNT.set(COUNT.get() + 1);
            before(info);
        }));
    });
    COUNT.get()
}
