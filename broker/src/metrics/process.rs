//! What the kernel says of this process, by the names that Prometheus has for it.

use std::fs;

use super::text::{Kind, Text};

/// So long is a tick in which the kernel counts, in seconds: on Linux always the same.
const TICK_SECONDS: f64 = 0.01;

/// Where the fields lie in what the kernel says, counted behind the name in brackets.
const USER_TICKS: usize = 11;
const SYSTEM_TICKS: usize = 12;
const THREADS: usize = 17;
const START_TICKS: usize = 19;
const RESIDENT_PAGES: usize = 21;

fn page_bytes() -> u64 {
    rustix::param::page_size().try_into().unwrap_or(0)
}

/// The moment when the machine started, in seconds since 1970.
fn boot_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    stat.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok())
}

/// What there is; nothing where the kernel says nothing.
pub(super) fn write(text: &mut Text) {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let whole = |place: usize| fields.get(place).and_then(|field| field.parse::<u64>().ok());
    let ticks = |place: usize| fields.get(place).and_then(|field| field.parse::<f64>().ok());
    if let (Some(user), Some(system)) = (ticks(USER_TICKS), ticks(SYSTEM_TICKS)) {
        text.family("process_cpu_seconds_total", Kind::Counter, "Processor time that was used.");
        text.fraction("process_cpu_seconds_total", "", (user + system) * TICK_SECONDS);
    }
    if let Some(pages) = whole(RESIDENT_PAGES) {
        let help = "Memory that is resident.";
        text.level("process_resident_memory_bytes", help, pages.saturating_mul(page_bytes()));
    }
    if let Some(threads) = whole(THREADS) {
        text.level("process_threads", "Threads that there are.", threads);
    }
    if let (Some(start), Some(boot)) = (ticks(START_TICKS), boot_seconds()) {
        text.family("process_start_time_seconds", Kind::Gauge, "When it began, in seconds since 1970.");
        text.fraction("process_start_time_seconds", "", boot + start * TICK_SECONDS);
    }
    if let Ok(files) = fs::read_dir("/proc/self/fd") {
        text.level("process_open_fds", "Descriptors that are open.", files.count().try_into().unwrap_or(0));
    }
    if let Some(limit) = rustix::process::getrlimit(rustix::process::Resource::Nofile).current {
        text.level("process_max_fds", "So many may be.", limit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_says_something_of_this_process() {
        let mut text = Text::default();
        write(&mut text);
        let text = text.into_string();
        for name in [
            "process_cpu_seconds_total",
            "process_resident_memory_bytes",
            "process_threads",
            "process_start_time_seconds",
            "process_open_fds",
            "process_max_fds",
        ] {
            let value = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok());
            assert!(value.is_some_and(|value| value >= 0.0), "{name} in:\n{text}");
        }
    }
}
