//! What a broker does without descriptors: a process of its own, since its limit is lowered.

// Marked as test code in so many words, for the lints that let only test code unwrap.
#[cfg(test)]
mod exhausted;
#[cfg(test)]
mod limit;
#[cfg(test)]
mod starved;
