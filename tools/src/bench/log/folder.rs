//! The folder that everything is measured in: made anew, and gone in the end, also where somebody ends the measurement.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::signal::unix::{SignalKind, signal};

/// How long it is tried to remove what somebody is still writing to.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long it waits in between: who is writing needs the processor too.
const PAUSE: Duration = Duration::from_millis(20);

/// What a program says that a signal has ended, where it can say so itself.
const EXIT_CODE: i32 = 1;

/// The folder, as long as it is needed.
pub(super) struct Folder {
    path: PathBuf,
    // Held by whoever removes it, so that nobody else ends the program meanwhile.
    removing: Arc<Mutex<()>>,
}

impl Folder {
    /// Makes the folder below another, and sees to it that it goes when the program is told to end.
    pub(super) fn make(below: &Path) -> io::Result<Self> {
        let path = below.join("strandline-bench-log");
        std::fs::create_dir(&path).map_err(|error| not_made(&path, &error))?;
        let removing = Arc::new(Mutex::new(()));
        remove_when_told_to_end(path.clone(), Arc::clone(&removing))?;
        Ok(Self { path, removing })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it with all that is in it.
    pub(super) fn remove(self) -> io::Result<()> {
        let _removing = self.removing.lock().unwrap_or_else(PoisonError::into_inner);
        std::fs::remove_dir_all(&self.path)
    }
}

fn not_made(path: &Path, error: &io::Error) -> io::Error {
    let path = path.display();
    let text = match error.kind() {
        ErrorKind::AlreadyExists => format!(
            "{path} is there already: another measurement uses it, or one was killed and left it. If none runs, remove \
             it (rm -r {path}), or name another --folder"
        ),
        _ => format!("{path} cannot be made: {error}"),
    };
    io::Error::new(error.kind(), text)
}

/// A thread that waits for signals. The parts of the measurement that are processes of their own get the signal of a
/// terminal, too, and end by it.
fn remove_when_told_to_end(path: PathBuf, removing: Arc<Mutex<()>>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let (mut interrupt, mut terminate) = {
        let _entered = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    let wait = move || {
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        });
        let _removing = removing.lock().unwrap_or_else(PoisonError::into_inner);
        remove_while_written_to(&path);
        std::process::exit(EXIT_CODE);
    };
    thread::Builder::new().name("signals".to_owned()).spawn(wait).map(drop)
}

/// What measures does not know that it is over, and may still make files.
fn remove_while_written_to(path: &Path) {
    let deadline = Instant::now() + PATIENCE;
    while let Err(error) = std::fs::remove_dir_all(path) {
        if error.kind() == ErrorKind::NotFound || Instant::now() > deadline {
            return;
        }
        thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_another_run_is_told_with_what_to_do() {
        let below = std::env::temp_dir().join(format!("strandline-bench-folder-{}", std::process::id()));
        std::fs::create_dir_all(&below).unwrap();
        let folder = Folder::make(&below).unwrap();
        let path = folder.path().to_owned();
        std::fs::write(path.join("something"), "measured").unwrap();
        let error = Folder::make(&below).err().unwrap().to_string();
        assert!(error.contains("is there already") && error.contains("rm -r"), "{error}");
        assert!(path.join("something").exists(), "and nothing is taken away");
        folder.remove().unwrap();
        assert!(!path.exists());
        let nowhere = Folder::make(&below.join("nowhere")).err().unwrap().to_string();
        assert!(nowhere.contains("cannot be made"), "{nowhere}");
        std::fs::remove_dir_all(below).unwrap();
    }
}
