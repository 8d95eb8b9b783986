//! What is said of a panic.
//!
//! SECURITY: a message that was put together at run time may quote what was being worked on: the
//! standard library names the text that it could not cut. So only texts of the program are said,
//! with the place, which is what mending it needs.

use std::io::Write as _;
use std::panic::PanicHookInfo;

/// Says of every panic from now on where it was, and no more than the program's own text.
pub(crate) fn speak_of_places_only() {
    std::panic::set_hook(Box::new(|info| {
        let thread = std::thread::current();
        let thread = thread.name().unwrap_or("unnamed");
        // Nobody may be reading.
        let _ = writeln!(std::io::stderr(), "{}", told(info, thread));
    }));
}

fn told(info: &PanicHookInfo<'_>, thread: &str) -> String {
    let place = info.location().map_or_else(
        || "an unknown place".to_owned(),
        |place| format!("{}:{}", place.file(), place.line()),
    );
    let said = info.payload().downcast_ref::<&'static str>();
    let said = said.unwrap_or(&"what it says is not shown, it may quote content");
    format!("postern: a fault in thread {thread} at {place}: {said}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn a_panic_quotes_nothing() {
        // Goal: a value that makes a stage panic is in no log. Method: the standard library's own
        // message, which quotes the text; and a text of the program.
        static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(|info| {
            TOLD.lock().unwrap().push(told(info, "test"));
        }));
        let secret = std::hint::black_box("passwörd");
        let cut = std::panic::catch_unwind(|| secret[..6].len());
        let own = std::panic::catch_unwind(|| panic!("an own text"));
        std::panic::set_hook(before);
        assert!(cut.is_err() && own.is_err());
        let told = TOLD.lock().unwrap().join("\n");
        assert!(!told.contains("passw"), "{told}");
        assert!(
            told.contains("panics.rs:") && told.contains("an own text"),
            "{told}"
        );
    }
}
