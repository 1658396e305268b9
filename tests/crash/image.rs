//! A file system of its own, small and real: ext4 in a file, on a loop device, whose power can be cut.
//!
//! It needs root, a loop device, and the tools `mkfs.ext4`, `mount` and `umount`. Where one is missing, making it
//! fails and says so.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::Outcome;

/// `EXT4_IOC_SHUTDOWN`, which is `_IOR('X', 125, __u32)`.
const SHUTDOWN: libc::c_ulong = 0x8004_587d;

/// Nothing that is in memory reaches the disk any more, the file system's own journal included.
static NO_LOG_FLUSH: u32 = 2;

/// How often it is tried to unmount what somebody may still be leaving.
const UNMOUNT_ATTEMPTS: u32 = 50;

/// Something that fills the disk, until it is dropped by [`Image::empty`].
const FILLER: &str = "filler";

/// A file system in a file.
#[derive(Debug)]
pub(crate) struct Image {
    file: PathBuf,
    mounted_at: PathBuf,
    is_mounted: bool,
}

impl Image {
    /// Makes one in a folder, and mounts it.
    pub(crate) fn new(folder: &Path, megabytes: u64, options: &str) -> Outcome<Self> {
        let (file, mounted_at) = (folder.join("image"), folder.join("mounted"));
        fs::create_dir_all(&mounted_at)?;
        // Without the bytes of one that was there.
        drop(fs::remove_file(&file));
        File::create_new(&file)?.set_len(megabytes << 20)?;
        let mut mkfs = Command::new("mkfs.ext4");
        // No blocks that are root's alone: the disk is full for all at the same time.
        run(mkfs
            .args(["-q", "-F", "-b", "4096", "-m", "0", "-E", "lazy_itable_init=0,lazy_journal_init=0"])
            .arg(&file))?;
        let mut image = Self { file, mounted_at, is_mounted: false };
        image.mount(options)?;
        Ok(image)
    }

    /// The folder in it.
    pub(crate) fn root(&self) -> &Path {
        &self.mounted_at
    }

    pub(crate) fn mount(&mut self, options: &str) -> Outcome<()> {
        let mut mount = Command::new("mount");
        run(mount.arg("-o").arg(format!("loop,{options}")).arg(&self.file).arg(&self.mounted_at)).map_err(
            |error| {
                format!("no file system on a loop device, which needs root and /dev/loop-control: {error}")
            },
        )?;
        self.is_mounted = true;
        Ok(())
    }

    /// Cuts the power: what was not synced is gone, and nothing works there any more.
    pub(crate) fn cut(&self) -> Outcome<()> {
        let root = File::open(&self.mounted_at)?;
        // SAFETY: a system call on a descriptor that `root` keeps open; it reads the number that it is given.
        #[expect(unsafe_code, reason = "nobody wraps this call")]
        let result = unsafe { libc::ioctl(root.as_raw_fd(), SHUTDOWN, &raw const NO_LOG_FLUSH) };
        match result {
            0 => Ok(()),
            _ => Err(format!("the power cannot be cut: {}", io::Error::last_os_error()).into()),
        }
    }

    /// Takes it away; nobody may use it any more.
    pub(crate) fn unmount(&mut self) -> Outcome<()> {
        let mut attempts = 0;
        while let Err(error) = run(Command::new("umount").arg(&self.mounted_at)) {
            attempts += 1;
            if attempts == UNMOUNT_ATTEMPTS {
                return Err(error);
            }
            thread::sleep(Duration::from_millis(20));
        }
        self.is_mounted = false;
        Ok(())
    }

    /// Cuts the power and brings it back.
    pub(crate) fn cut_and_mount(&mut self, options: &str) -> Outcome<()> {
        self.cut()?;
        self.unmount()?;
        self.mount(options)
    }

    /// Lets somebody else take all the room that is left.
    pub(crate) fn fill(&self) -> Outcome<()> {
        let file = OpenOptions::new().create(true).append(true).open(self.mounted_at.join(FILLER))?;
        let mut piece: i64 = 16 << 20;
        let mut length = i64::try_from(file.metadata()?.len())?;
        while piece >= 4 << 10 {
            // SAFETY: a system call on a descriptor that `file` keeps open; it takes no pointer.
            #[expect(unsafe_code, reason = "the standard library cannot allocate blocks")]
            let result = unsafe { libc::fallocate(file.as_raw_fd(), 0, length, piece) };
            match result {
                0 => length += piece,
                _ => piece /= 2,
            }
        }
        Ok(file.sync_all()?)
    }

    /// Gives that room back.
    pub(crate) fn empty(&self) -> Outcome<()> {
        Ok(fs::remove_file(self.mounted_at.join(FILLER))?)
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        if self.is_mounted {
            // Whoever still has it open loses it when they are gone.
            let _ = run(Command::new("umount").arg("--lazy").arg(&self.mounted_at));
        }
    }
}

fn run(command: &mut Command) -> Outcome<()> {
    let output = command.output().map_err(|error| format!("cannot run {command:?}: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim()).into()),
    }
}
