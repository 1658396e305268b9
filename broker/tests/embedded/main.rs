//! Brokers inside this very process, as the tests of other programs have them.

#[cfg(test)]
mod life;
#[cfg(test)]
mod talk;
