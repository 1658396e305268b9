//! A writing process, as seen by the one that kills it.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::briefing::Briefing;
use crate::disk::Way;
use crate::report::{Line, Reason};
use crate::writer::Until;

/// Nothing that is waited for takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A writing process. It is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Writing {
    notes: PathBuf,
    child: Child,
    progress: Arc<Progress>,
    report: Option<JoinHandle<Outcome<Vec<Line>>>>,
    errors: Option<JoinHandle<String>>,
}

/// How often a process has told what, so far.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    opened: AtomicU64,
    /// Batches that were acknowledged.
    pub(crate) appended: AtomicU64,
    /// Other things that were.
    pub(crate) changed: AtomicU64,
    /// What the full disk kept from being done.
    pub(crate) full: AtomicU64,
    /// What was read back.
    pub(crate) looked: AtomicU64,
}

impl Progress {
    fn count(&self, line: &Line) {
        let counter = match line {
            Line::Opened => &self.opened,
            Line::Done { placed: Some(_), .. } => &self.appended,
            Line::Done { placed: None, .. } => &self.changed,
            Line::Refused { reason: Reason::DiskFull, .. } => &self.full,
            Line::Looked => &self.looked,
            _ => return,
        };
        counter.fetch_add(1, Ordering::Release);
    }
}

/// How a process is started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Birth<'a> {
    /// The program that starts it, if another one does.
    pub(crate) wrapper: &'a [&'a str],
    pub(crate) root: &'a Path,
    /// Where the last life's briefing and report are left.
    pub(crate) notes: &'a Path,
    pub(crate) seed: u64,
    pub(crate) until: Until,
    pub(crate) way: Way,
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
    /// Leaves it in a folder, for whoever looks for what went wrong.
    fn keep(&self, notes: &Path) -> io::Result<()> {
        let lines = self.lines.iter().map(|line| format!("{line}\n"));
        fs::write(notes.join("report"), lines.collect::<String>())
    }

    pub(crate) fn was_opened(&self) -> bool {
        matches!(self.lines.first(), Some(Line::Opened))
    }

    /// Fails if anything was refused.
    pub(crate) fn expect_no_refusals(&self) -> Outcome<()> {
        let refused = self.lines.iter().find(|line| matches!(line, Line::Refused { .. }));
        refused.map_or(Ok(()), |line| Err(format!("it was told: {line}").into()))
    }

    /// Fails if the process said that something is wrong but that it has lost its disk.
    pub(crate) fn expect_disk_errors_only(&self) -> Outcome<()> {
        let is_lost = |line: &str| {
            ["Input/output error", "Read-only file system"].iter().any(|what| line.contains(what))
        };
        if self.errors.lines().all(is_lost) { Ok(()) } else { self.expect_no_errors() }
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
    pub(crate) fn start(birth: &Birth<'_>, briefing: &Briefing) -> Outcome<Self> {
        let Birth { wrapper, root, notes, seed, until, way } = birth;
        let itself = std::env::current_exe()?;
        let mut command = match wrapper {
            [program, arguments @ ..] => {
                let mut command = Command::new(program);
                command.args(arguments).arg(itself);
                command
            }
            [] => Command::new(itself),
        };
        command.arg("write").arg(root).args([seed.to_string(), until.to_string(), way.word().to_owned()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("cannot start {command:?}: {error}"))?;
        let progress = Arc::new(Progress::default());
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let (stdout, mut stderr) = stdout.zip(stderr).ok_or("the process has no pipes")?;
        let shared = Arc::clone(&progress);
        let report = thread::spawn(move || collect(stdout, &shared));
        let errors = thread::spawn(move || {
            let mut text = String::new();
            // What is no text is as good as nothing here.
            let _ = stderr.read_to_string(&mut text);
            text
        });
        let stdin = child.stdin.take();
        let writing =
            Self { notes: notes.to_path_buf(), child, progress, report: Some(report), errors: Some(errors) };
        let text = briefing.to_text()?;
        fs::write(notes.join("briefing"), &text)?;
        match stdin.ok_or("the process has no standard input")?.write_all(text.as_bytes()) {
            // It has ended already, and says why.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(writing),
            result => result.map(|()| writing).map_err(Into::into),
        }
    }

    /// Whether it has a file of the journal open for writes past the page cache.
    pub(crate) fn writes_directly(&self) -> Outcome<bool> {
        let process = Path::new("/proc").join(self.child.id().to_string());
        for entry in fs::read_dir(process.join("fd"))? {
            let name = entry?.file_name();
            // It may have been closed since.
            let Ok(path) = fs::read_link(process.join("fd").join(&name)) else { continue };
            let Ok(facts) = fs::read_to_string(process.join("fdinfo").join(&name)) else { continue };
            let flags = facts.lines().find_map(|line| line.strip_prefix("flags:"));
            let flags = libc::c_int::from_str_radix(flags.unwrap_or_default().trim(), 8)?;
            if path.extension().is_some_and(|extension| extension == "journal") && flags & libc::O_DIRECT != 0
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(crate) fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }

    /// Waits until the directory is open.
    pub(crate) fn wait_until_open(&mut self) -> Outcome<()> {
        let progress = Arc::clone(&self.progress);
        self.wait_until("open the directory", || progress.opened.load(Ordering::Acquire) > 0)
    }

    /// Waits until something is so.
    pub(crate) fn wait_until(&mut self, what: &str, is_so: impl Fn() -> bool) -> Outcome<()> {
        let start = Instant::now();
        while !is_so() {
            if start.elapsed() > PATIENCE {
                return Err(format!("the writing process does not {what}").into());
            }
            if let Some(status) = self.child.try_wait()? {
                let errors = self.end()?.errors;
                return Err(
                    format!("it does not {what}: the writing process ended ({status}) {errors}").into()
                );
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
        let report = Report { lines, errors, is_success };
        report.keep(&self.notes)?;
        Ok(report)
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

fn collect(stdout: impl Read, progress: &Progress) -> Outcome<Vec<Line>> {
    let mut lines = Vec::new();
    let mut reader = BufReader::new(stdout);
    let mut text = String::new();
    // A last line without an end was not said.
    while reader.read_line(&mut text)? > 0 && text.ends_with('\n') {
        let line: Line = text.parse()?;
        progress.count(&line);
        lines.push(line);
        text.clear();
    }
    Ok(lines)
}
