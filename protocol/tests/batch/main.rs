//! Record batches from outside: what is built is read again, what is damaged or lies is refused, and Kafka's
//! own bytes are understood.

// Each module is marked as test code in so many words, for the lints that let only test code unwrap.
#[cfg(test)]
mod agreement;
#[cfg(test)]
mod allocation;
#[cfg(test)]
#[path = "../compression/allocations.rs"]
mod allocations;
#[cfg(test)]
mod control;
#[cfg(test)]
mod damage;
#[cfg(test)]
mod generate;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod kafka_samples;
#[cfg(test)]
mod lying_records;
#[cfg(test)]
mod make;
#[cfg(test)]
mod model;
#[cfg(test)]
mod patching;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod round_trip;

#[cfg(test)]
#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;
