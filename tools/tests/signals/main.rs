//! The binary, and the signals that end it.

// Marked as test code in so many words, for the lints that let only test code unwrap.
#[cfg(test)]
mod ending;
#[cfg(test)]
mod running;
