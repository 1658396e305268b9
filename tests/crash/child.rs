//! A writing process, as seen by the one that kills it.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::briefing::Briefing;
use crate::report::Line;

/// Nothing that is waited for takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A writing process. It is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Writing {
    child: Child,
    is_open: Arc<AtomicBool>,
    report: Option<JoinHandle<Outcome<Vec<Line>>>>,
    errors: Option<JoinHandle<String>>,
}

/// What a process told until its end.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) lines: Vec<Line>,
    /// What it wrote to its standard error.
    pub(crate) errors: String,
    /// It ended by itself, and as it should.
    pub(crate) is_success: bool,
}

impl Report {
    pub(crate) fn was_opened(&self) -> bool {
        matches!(self.lines.first(), Some(Line::Opened))
    }

    /// Fails if anything was refused.
    pub(crate) fn expect_no_refusals(&self) -> Outcome<()> {
        let refused = self.lines.iter().find(|line| matches!(line, Line::Refused { .. }));
        refused.map_or(Ok(()), |line| Err(format!("it was told: {line}").into()))
    }

    /// Fails if the process said that something is wrong.
    pub(crate) fn expect_no_errors(&self) -> Outcome<()> {
        match self.errors.trim() {
            "" => Ok(()),
            errors => Err(format!("the writing process says: {errors}").into()),
        }
    }
}

impl Writing {
    /// Starts one, under another program if `wrapper` names one.
    pub(crate) fn start(
        wrapper: &[&str],
        root: &Path,
        seed: u64,
        until: &str,
        briefing: &Briefing,
    ) -> Outcome<Self> {
        let itself = std::env::current_exe()?;
        let mut command = match wrapper {
            [program, arguments @ ..] => {
                let mut command = Command::new(program);
                command.args(arguments).arg(itself);
                command
            }
            [] => Command::new(itself),
        };
        command.arg("write").arg(root).arg(seed.to_string()).arg(until);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("cannot start {command:?}: {error}"))?;
        let is_open = Arc::new(AtomicBool::new(false));
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let (stdout, mut stderr) = stdout.zip(stderr).ok_or("the process has no pipes")?;
        let flag = Arc::clone(&is_open);
        let report = thread::spawn(move || collect(stdout, &flag));
        let errors = thread::spawn(move || {
            let mut text = String::new();
            // What is no text is as good as nothing here.
            let _ = stderr.read_to_string(&mut text);
            text
        });
        let stdin = child.stdin.take();
        let writing = Self { child, is_open, report: Some(report), errors: Some(errors) };
        let text = briefing.to_text()?;
        stdin.ok_or("the process has no standard input")?.write_all(text.as_bytes())?;
        Ok(writing)
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the directory is open.
    pub(crate) fn wait_until_open(&self) -> Outcome<()> {
        let start = Instant::now();
        while !self.is_open.load(Ordering::Acquire) {
            if start.elapsed() > PATIENCE {
                return Err("the writing process does not open the directory".into());
            }
            thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// Kills it, and waits until it is gone.
    pub(crate) fn kill(mut self) -> Outcome<Report> {
        // One that has ended already cannot be killed, which its report shows.
        let _ = self.child.kill();
        self.end()
    }

    /// Waits until it ends by itself.
    pub(crate) fn join(mut self) -> Outcome<Report> {
        let start = Instant::now();
        while self.child.try_wait()?.is_none() {
            if start.elapsed() > PATIENCE {
                return Err("the writing process does not come to its end".into());
            }
            thread::sleep(Duration::from_millis(5));
        }
        self.end()
    }

    fn end(&mut self) -> Outcome<Report> {
        let is_success = self.child.wait()?.success();
        let (report, errors) = self.report.take().zip(self.errors.take()).ok_or("it has ended before")?;
        let lines = report.join().map_err(|_| "the reading thread panicked")??;
        let errors = errors.join().map_err(|_| "the reading thread panicked")?;
        Ok(Report { lines, errors, is_success })
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if self.report.is_some() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn collect(stdout: impl Read, is_open: &AtomicBool) -> Outcome<Vec<Line>> {
    let mut lines = Vec::new();
    let mut reader = BufReader::new(stdout);
    let mut text = String::new();
    // A last line without an end was not said.
    while reader.read_line(&mut text)? > 0 && text.ends_with('\n') {
        let line: Line = text.parse()?;
        if matches!(line, Line::Opened) {
            is_open.store(true, Ordering::Release);
        }
        lines.push(line);
        text.clear();
    }
    Ok(lines)
}
