//! A whole node, over a socket: what it is, and what becomes of topics across restarts.

// Each module is marked as test code in so many words, for the lints that let only test code unwrap.
#[cfg(test)]
mod acting;
#[cfg(test)]
mod administration;
#[cfg(test)]
mod background;
#[cfg(test)]
mod identity;
#[cfg(test)]
mod listeners;
#[cfg(test)]
mod measured;
#[cfg(test)]
mod settings;
#[cfg(test)]
mod settings_of_groups;
#[cfg(test)]
mod silence;
#[cfg(test)]
mod support;
#[cfg(test)]
mod topics;
#[cfg(test)]
mod validating;
#[cfg(test)]
mod wire;
