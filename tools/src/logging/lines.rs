//! Lines of the log on their way out: nobody who has something to say waits for who reads it.
//!
//! A reader that stands still, such as a terminal that is paged or a pipe that is full, would otherwise stop the log's
//! writer with it, and with that every producer. Beyond a bound, lines are left out, and it is said how many.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// So many lines wait at most.
const LINES_MAX: usize = 4_096;

/// A longer line is cut: nothing that is logged is so long but by a mistake.
const LINE_BYTES_MAX: usize = 16 << 10;

/// So long it is waited for lines to be written when the process ends.
const FLUSH_MAX: Duration = Duration::from_secs(1);

/// What goes to the thread that writes.
#[derive(Debug)]
enum Message {
    Line(Vec<u8>),
    /// Everything before this is written: say so.
    Flush(SyncSender<()>),
}

/// Where lines are left.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    lines: SyncSender<Message>,
    left_out: Arc<AtomicU64>,
}

impl Lines {
    /// Lines that a thread of their own writes out.
    pub(super) fn start(out: impl Write + Send + 'static) -> io::Result<Self> {
        let (lines, arriving) = sync_channel(LINES_MAX);
        let left_out = Arc::<AtomicU64>::default();
        let untold = Arc::clone(&left_out);
        thread::Builder::new()
            .name("log-lines".to_owned())
            .spawn(move || write_all(out, &arriving, &untold))?;
        Ok(Self { lines, left_out })
    }

    /// Waits until everything is written, but not for long.
    pub(super) fn flush(&self) {
        let (done, written) = sync_channel(1);
        if self.lines.try_send(Message::Flush(done)).is_ok() {
            // Who does not read by now never will.
            let _ = written.recv_timeout(FLUSH_MAX);
        }
    }
}

fn write_all(mut out: impl Write, arriving: &Receiver<Message>, left_out: &AtomicU64) {
    for message in arriving {
        let line = match message {
            Message::Line(line) => line,
            Message::Flush(done) => {
                let _ = done.send(());
                continue;
            }
        };
        // Where nobody reads any more, there is nobody to tell.
        let _ = out.write_all(&line);
        let count = left_out.swap(0, Ordering::Relaxed);
        if count > 0 {
            let _ =
                writeln!(out, "{count} lines of the log were left out: they came faster than they were read");
        }
        let _ = out.flush();
    }
}

/// One line.
#[derive(Debug)]
pub(super) struct Line<'a> {
    lines: &'a Lines,
    bytes: Vec<u8>,
}

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = LINE_BYTES_MAX.saturating_sub(self.bytes.len());
        self.bytes.extend(bytes.iter().take(room));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        if self.bytes.is_empty() {
            return;
        }
        let bytes = one_line(&self.bytes);
        if self.lines.lines.try_send(Message::Line(bytes)).is_err() {
            self.lines.left_out.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// What was said as one line, whatever a client put into it: nobody forges a line of this log, or moves a cursor.
fn one_line(said: &[u8]) -> Vec<u8> {
    let said = said.strip_suffix(b"\n").unwrap_or(said);
    let mut line = Vec::with_capacity(said.len() + 1);
    for byte in said {
        match byte {
            0..=0x1F | 0x7F => line.extend(byte.escape_ascii()),
            _ => line.push(*byte),
        }
    }
    line.push(b'\n');
    line
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Self::Writer {
        Line { lines: self, bytes: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Takes nothing until it is let, and then tells what it took.
    struct Gated {
        gate: Receiver<()>,
        taken: mpsc::Sender<Vec<u8>>,
        is_open: bool,
    }

    impl Write for Gated {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if !self.is_open {
                let _ = self.gate.recv();
                self.is_open = true;
            }
            let _ = self.taken.send(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn who_does_not_read_holds_nobody_up_and_learns_what_is_missing() {
        let (open, gate) = mpsc::channel();
        let (taken, found) = mpsc::channel();
        let lines = Lines::start(Gated { gate, taken, is_open: false }).unwrap();
        for number in 0..LINES_MAX + 100 {
            write!(lines.make_writer(), "line {number}").unwrap();
        }
        open.send(()).unwrap();
        drop(lines);
        let text = String::from_utf8(found.iter().flatten().collect()).unwrap();
        assert!(text.starts_with("line 0\n"), "{}", text.lines().next().unwrap_or_default());
        let told = text.lines().find(|line| line.contains("were left out")).unwrap();
        let count: usize = told.split(' ').next().unwrap().parse().unwrap();
        let written = text.lines().filter(|line| line.starts_with("line ")).count();
        assert_eq!(written + count, LINES_MAX + 100);
    }

    #[test]
    fn what_a_client_sends_forges_no_line() {
        let line = one_line("topic=a\nERROR \u{1b}[2J ü\t\n".as_bytes());
        assert_eq!(String::from_utf8(line).unwrap(), "topic=a\\nERROR \\x1b[2J ü\\t\n");
    }

    #[test]
    fn a_line_that_is_too_long_is_cut() {
        let (taken, found) = mpsc::channel();
        let (open, gate) = mpsc::channel();
        open.send(()).unwrap();
        let lines = Lines::start(Gated { gate, taken, is_open: false }).unwrap();
        lines.make_writer().write_all(&vec![b'x'; 2 * LINE_BYTES_MAX]).unwrap();
        drop(lines);
        assert_eq!(found.iter().flatten().count(), LINE_BYTES_MAX + 1);
    }
}
