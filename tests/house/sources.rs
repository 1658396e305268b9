//! Finds the Rust sources of the workspace, and tells their tests apart from the rest.

use std::fs;
use std::path::{Path, PathBuf};

/// A source file, by its path from the root of the workspace.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Source {
    /// Whether all of it is a test.
    fn is_test(&self) -> bool {
        self.path.starts_with("tests/") || self.path.contains("/tests/") || self.path.ends_with("/tests.rs")
    }

    /// The lines that are not inside of a test module, with their numbers.
    ///
    /// A test module is the last thing in a file (that is checked too): everything from its attribute on.
    pub(crate) fn production_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().take_while(|line| *line != "#[cfg(test)]");
        lines
            .take(if self.is_test() { 0 } else { usize::MAX })
            .enumerate()
            .map(|(index, line)| (index + 1, line))
    }
}

pub(crate) fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Every Rust source below the root, targets apart.
pub(crate) fn all() -> Vec<Source> {
    let root = workspace_root();
    let mut paths = Vec::new();
    collect(&root, &mut paths);
    paths.sort();
    let sources: Vec<_> = paths
        .into_iter()
        .map(|path| Source {
            text: fs::read_to_string(&path).unwrap(),
            path: path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned(),
        })
        .collect();
    assert!(sources.len() > 100, "only {} sources found: the search is broken", sources.len());
    sources
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            if !name.starts_with('.') && name != "target" && name != "node_modules" {
                collect(&path, paths);
            }
        } else if name.ends_with(".rs") {
            paths.push(path);
        }
    }
}

#[test]
fn a_test_module_is_the_last_thing_in_its_file() {
    for source in all().into_iter().filter(|source| !source.is_test()) {
        let mut lines = source.text.lines().skip_while(|line| *line != "#[cfg(test)]").skip(1);
        let Some(module) = lines.next() else { continue };
        let rest: Vec<_> = lines.skip_while(|line| module.ends_with('{') && *line != "}").skip(1).collect();
        let after = if module.ends_with(';') {
            rest.iter().filter(|line| !line.is_empty()).count()
        } else {
            rest.len()
        };
        assert!(module.starts_with("mod tests") && after == 0, "{}: code behind its tests", source.path);
    }
}
