//! A boundary around readers that are not ours: where one panics on a damaged file, there is an error.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    /// Whether this thread is inside the boundary.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// A reader that panicked, and what it said.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the file is damaged ({message})")]
pub struct Panicked {
    /// First line of the panic's message.
    pub message: String,
}

/// Calls a reader that may panic. What it had in hand is dropped if it does, and nothing is printed.
///
/// The first call puts a hook before the program's panic hook, which passes on every panic outside of the boundary.
///
/// # Errors
/// It panicked.
pub fn guarded<T>(read: impl FnOnce() -> T) -> Result<T, Panicked> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let program = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !INSIDE.get() {
                program(panic);
            }
        }));
    });
    let outside = INSIDE.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(read));
    INSIDE.set(outside);
    result.map_err(|payload| Panicked { message: first_line(&*payload) })
}

fn first_line(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("no message");
    text.lines().next().unwrap_or_default().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::panic)]
    fn panic_inside_the_boundary_is_an_error_with_its_first_line() {
        assert_eq!(guarded(|| 7), Ok(7));
        let error = guarded(|| panic!("length {} is negative\nsecond line", -1)).unwrap_err();
        assert_eq!(error.to_string(), "the file is damaged (length -1 is negative)");
    }
}
