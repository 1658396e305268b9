//! What a shell and `man` know of the command line: made from the same description that reads it.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_complete::Shell;

use crate::cluster::Failure;
use crate::{EXIT_CODES, examples};

/// What a page says that it is of.
const SOURCE: &str = concat!("strandline ", env!("CARGO_PKG_VERSION"));

/// `strandline completions`.
#[derive(Args)]
pub(crate) struct Completions {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// `strandline man`.
#[derive(Args)]
pub(crate) struct Man {
    /// The folder that the pages are written to; it is made if it is not there.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Prints the script by which a shell completes commands and options.
pub(crate) fn completions(plan: &Completions, mut command: Command, out: &mut impl Write) -> io::Result<()> {
    let name = command.get_name().to_owned();
    // The generator takes a failing output for a defect of its own.
    let mut script = Vec::new();
    clap_complete::generate(plan.shell, &mut command, name, &mut script);
    out.write_all(&script)
}

/// Writes a page for each command.
pub(crate) fn man(plan: &Man, command: Command, out: &mut impl Write) -> Result<(), Failure> {
    fs::create_dir_all(&plan.out)
        .map_err(|error| Failure::Usage(format!("cannot make {}: {error}", plan.out.display())))?;
    let mut command = command.disable_help_subcommand(true);
    // What it says of itself by its whole name is only known then.
    command.build();
    let count = write_pages(&command, "", &plan.out)?;
    Ok(writeln!(out, "{}: {count} pages", plan.out.display())?)
}

/// The page of a command of these words, and of all below it.
fn write_pages(command: &Command, path: &str, folder: &Path) -> io::Result<u32> {
    let page = clap_mangen::Man::new(command.clone()).source(SOURCE).manual("Strandline");
    let mut text = Vec::new();
    page.render_title(&mut text)?;
    page.render_name_section(&mut text)?;
    page.render_synopsis_section(&mut text)?;
    page.render_description_section(&mut text)?;
    page.render_options_section(&mut text)?;
    if command.has_subcommands() {
        page.render_subcommands_section(&mut text)?;
    }
    write_ending(path, &mut text)?;
    fs::write(folder.join(page.get_filename()), text)?;
    let shown = command.get_subcommands().filter(|command| !command.is_hide_set());
    let below = shown.map(|it| write_pages(it, format!("{path} {}", it.get_name()).trim_start(), folder));
    below.sum::<io::Result<u32>>().map(|below| below + 1)
}

/// What readers of pages look for under names of their own, and the help has in one paragraph.
fn write_ending(path: &str, text: &mut Vec<u8>) -> io::Result<()> {
    let examples = examples::of(path);
    if !examples.is_empty() {
        writeln!(text, ".SH EXAMPLES\n.nf")?;
        for example in examples {
            writeln!(text, "{}", literal(example))?;
        }
        writeln!(text, ".fi")?;
    }
    writeln!(text, ".SH EXIT STATUS\n{}", literal(EXIT_CODES))
}

/// Text that `man` shows as it is.
fn literal(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command() -> Command {
        let list = Command::new("list").about("Lists them.").arg(clap::Arg::new("wide").long("wide"));
        Command::new("strandline").subcommand(Command::new("topic").subcommand(list))
    }

    #[test]
    fn every_shell_gets_a_script_with_every_command() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let mut out = Vec::new();
            completions(&Completions { shell }, command(), &mut out).unwrap();
            let script = String::from_utf8(out).unwrap();
            assert!(script.contains("topic") && script.contains("wide"), "{shell}: {script}");
        }
    }

    #[test]
    fn every_command_gets_a_page() {
        let out = std::env::temp_dir().join(format!("strandline-man-{}", std::process::id()));
        man(&Man { out: out.clone() }, command(), &mut Vec::new()).unwrap();
        let page = fs::read_to_string(out.join("strandline-topic-list.1")).unwrap();
        assert!(page.contains("Lists them.") && page.contains("wide"), "{page}");
        assert!(page.contains(".SH EXAMPLES\n.nf\nstrandline topic list \\-\\-wide\n"), "{page}");
        assert!(page.contains(".SH EXIT STATUS\nExit codes: 0 all was done"), "{page}");
        assert!(out.join("strandline.1").exists() && out.join("strandline-topic.1").exists());
        fs::remove_dir_all(out).unwrap();
    }
}
