//! A whole node, asked byte by byte.

// Marked as test code in so many words, for the lints that let only test code unwrap.
#[cfg(test)]
mod requests;
