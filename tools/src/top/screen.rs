//! The terminal: taken over while the view is drawn, and given back as it was, whatever happens.

use std::io::{self, IsTerminal, Read};
use std::sync::{Mutex, Once, PoisonError};
use std::thread;

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use tokio::sync::mpsc;

use super::frame::Size;

/// Another screen, without a cursor, on which long lines do not wrap.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l\x1b[?7l";
const LEAVE: &[u8] = b"\x1b[?7h\x1b[?25h\x1b[?1049l";

/// What a terminal has where it does not say.
const SIZE: Size = Size { columns: 80, rows: 24 };

/// How the terminal was, as long as it is not so.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// Whether there is somebody to draw for.
pub(super) fn is_terminal() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// A terminal that has been taken over. Dropping it gives it back.
pub(super) struct Screen(());

impl Screen {
    pub(super) fn enter() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut raw = before.clone();
        raw.make_raw();
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
        give_back_on_panic();
        tcsetattr(io::stdin(), OptionalActions::Flush, &raw)?;
        let screen = Self(());
        write(ENTER)?;
        Ok(screen)
    }

    pub(super) fn size(&self) -> Size {
        match tcgetwinsize(io::stdout()) {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => {
                Size { columns: usize::from(size.ws_col), rows: usize::from(size.ws_row) }
            }
            _ => SIZE,
        }
    }

    /// Draws all lines from the top, in one write, so that nothing flickers.
    pub(super) fn draw(&mut self, lines: &[String]) -> io::Result<()> {
        let mut picture = b"\x1b[H".to_vec();
        for (index, line) in lines.iter().enumerate() {
            if index > 0 {
                picture.extend(b"\r\n");
            }
            picture.extend(line.as_bytes());
            picture.extend(b"\x1b[K");
        }
        picture.extend(b"\x1b[J");
        write(&picture)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

// The standard output is locked by whoever called.
fn write(bytes: &[u8]) -> io::Result<()> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let written = rustix::io::write(rustix::stdio::stdout(), rest)?;
        rest = rest.get(written..).unwrap_or_default();
    }
    Ok(())
}

/// Does nothing where it has been given back already.
fn give_back() {
    if let Some(before) = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take() {
        // There is nobody left to be told.
        let _ = write(LEAVE);
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &before);
    }
}

/// What a panic says is to be read on an ordinary screen.
fn give_back_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            give_back();
            hook(panic);
        }));
    });
}

/// What is typed, byte by byte.
pub(super) struct Keys(mpsc::Receiver<u8>);

impl Keys {
    /// Reads in a thread of its own, which ends with the process: nothing else ends a read of a terminal.
    pub(super) fn listen() -> Self {
        let (sender, receiver) = mpsc::channel(16);
        thread::spawn(move || {
            let mut byte = [0];
            while let Ok(1) = io::stdin().lock().read(&mut byte) {
                let [key] = byte;
                if sender.blocking_send(key).is_err() {
                    break;
                }
            }
        });
        Self(receiver)
    }

    /// The next key; none when nobody types any more.
    pub(super) async fn next(&mut self) -> Option<u8> {
        self.0.recv().await
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::OwnedFd;
    use std::process::Command;

    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    use super::*;

    /// Tells this test that it is the one who panics.
    const PANICS: &str = "STRANDLINE_TEST_PANICS_IN_A_TERMINAL";

    fn terminal() -> (OwnedFd, File) {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap().into_string().unwrap();
        (ours, File::options().read(true).write(true).open(name).unwrap())
    }

    /// What has been written to a terminal by now.
    fn seen(ours: &OwnedFd) -> String {
        rustix::io::ioctl_fionbio(ours, true).unwrap();
        let mut seen = Vec::new();
        let mut piece = [0; 4_096];
        while let Ok(count @ 1..) = rustix::io::read(ours, &mut piece) {
            seen.extend_from_slice(&piece[..count]);
        }
        String::from_utf8_lossy(&seen).into_owned()
    }

    #[test]
    fn a_panic_is_told_on_the_terminal_as_it_was_before() {
        if std::env::var_os(PANICS).is_some() {
            let mut screen = Screen::enter().unwrap();
            screen.draw(&["a view".to_owned()]).unwrap();
            panic!("something that nobody thought of");
        }
        let (ours, theirs) = terminal();
        let before = tcgetattr(&theirs).unwrap();
        let itself = "top::screen::tests::a_panic_is_told_on_the_terminal_as_it_was_before";
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", itself, "--nocapture"])
            .env(PANICS, "1")
            .env("RUST_BACKTRACE", "0")
            .stdin(theirs.try_clone().unwrap())
            .stdout(theirs.try_clone().unwrap())
            .stderr(theirs.try_clone().unwrap())
            .status()
            .unwrap();
        assert!(!status.success());
        let seen = seen(&ours);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let place =
            |what: &str| seen.find(what).unwrap_or_else(|| panic!("there is no {what:?} in {seen:?}"));
        assert!(place(&text(ENTER)) < place("a view") && place("a view") < place(&text(LEAVE)), "{seen:?}");
        assert!(place(&text(LEAVE)) < place("something that nobody thought of"), "{seen:?}");
        assert_eq!(seen.matches(&text(LEAVE)).count(), 1, "it is given back once: {seen:?}");
        let after = tcgetattr(&theirs).unwrap();
        let modes = |terminal: &Termios| (terminal.local_modes, terminal.input_modes, terminal.output_modes);
        assert_eq!(modes(&after), modes(&before));
    }
}
