//! The folders of the simulated disk: which names are there, and which of them a power cut leaves.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Component, Path};

use crate::disk::Entry;
use crate::random::Random;

/// A file or folder, whatever its name.
pub(super) type Node = u64;

/// The folder that all others are in.
pub(super) const ROOT: Node = 0;

#[derive(Clone, Debug, Default)]
struct Folder {
    written: BTreeMap<String, Node>,
    durable: BTreeMap<String, Node>,
}

/// A change of names that is not durable yet. What it takes away goes with it or stays with it.
#[derive(Clone, Debug)]
struct Change {
    removed: Option<(Node, String)>,
    added: Option<(Node, String, Node)>,
}

impl Change {
    fn folders(&self) -> impl Iterator<Item = Node> {
        let removed = self.removed.as_ref().map(|(folder, _)| *folder);
        removed.into_iter().chain(self.added.as_ref().map(|(folder, ..)| *folder))
    }
}

/// All folders.
#[derive(Debug)]
pub(super) struct Names {
    folders: BTreeMap<Node, Folder>,
    /// In the order in which they happened.
    pending: Vec<Change>,
    last_node: Node,
}

impl Names {
    pub(super) fn new() -> Self {
        Self { folders: BTreeMap::from([(ROOT, Folder::default())]), pending: Vec::new(), last_node: ROOT }
    }

    /// What a path leads to.
    pub(super) fn find(&self, path: &Path) -> io::Result<Node> {
        path.components().try_fold(ROOT, |node, component| match component {
            Component::RootDir | Component::CurDir => Ok(node),
            Component::Normal(name) => {
                let name = name.to_str().ok_or(io::ErrorKind::InvalidFilename)?;
                let names = &self.folder(node)?.written;
                names.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
            }
            Component::ParentDir | Component::Prefix(_) => Err(io::ErrorKind::InvalidFilename.into()),
        })
    }

    fn place(&self, path: &Path) -> io::Result<(Node, String)> {
        let name = path.file_name().and_then(|name| name.to_str()).ok_or(io::ErrorKind::InvalidFilename)?;
        let folder = self.find_folder(path.parent().unwrap_or(Path::new("")))?;
        Ok((folder, name.to_owned()))
    }

    fn folder(&self, node: Node) -> io::Result<&Folder> {
        self.folders.get(&node).ok_or_else(|| io::ErrorKind::NotADirectory.into())
    }

    pub(super) fn find_folder(&self, path: &Path) -> io::Result<Node> {
        let node = self.find(path)?;
        self.folder(node)?;
        Ok(node)
    }

    pub(super) fn is_folder(&self, node: Node) -> bool {
        self.folders.contains_key(&node)
    }

    pub(super) fn add(&mut self, path: &Path, is_folder: bool) -> io::Result<Node> {
        if self.find(path).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let (folder, name) = self.place(path)?;
        self.last_node += 1;
        let node = self.last_node;
        if is_folder {
            self.folders.insert(node, Folder::default());
        }
        self.change(Change { removed: None, added: Some((folder, name, node)) });
        Ok(node)
    }

    pub(super) fn remove(&mut self, path: &Path, is_folder: bool) -> io::Result<()> {
        match (self.folders.get(&self.find(path)?), is_folder) {
            (None, true) => return Err(io::ErrorKind::NotADirectory.into()),
            (Some(_), false) => return Err(io::ErrorKind::IsADirectory.into()),
            (Some(folder), true) if !folder.written.is_empty() => {
                return Err(io::ErrorKind::DirectoryNotEmpty.into());
            }
            (Some(_), true) | (None, false) => {}
        }
        let place = self.place(path)?;
        self.change(Change { removed: Some(place), added: None });
        Ok(())
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let node = self.find(from)?;
        if let Ok(replaced) = self.find(to)
            && let Some(folder) = self.folders.get(&replaced)
        {
            return Err(if !self.is_folder(node) {
                io::ErrorKind::IsADirectory.into()
            } else if folder.written.is_empty() {
                // The engine has no use for it, and a simulation that guessed would hide a mistake.
                io::ErrorKind::Unsupported.into()
            } else {
                io::ErrorKind::DirectoryNotEmpty.into()
            });
        }
        let (removed, (folder, name)) = (self.place(from)?, self.place(to)?);
        self.change(Change { removed: Some(removed), added: Some((folder, name, node)) });
        Ok(())
    }

    fn change(&mut self, change: Change) {
        apply(&mut self.folders, &change, |folder| &mut folder.written);
        self.pending.push(change);
    }

    pub(super) fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        let names = &self.folder(self.find(path)?)?.written;
        let entry = |(name, node): (&String, &Node)| Entry {
            name: name.clone(),
            is_directory: self.folders.contains_key(node),
        };
        Ok(names.iter().map(entry).collect())
    }

    /// Makes the names of a folder durable, and what has to have happened before them.
    pub(super) fn sync(&mut self, folder: Node) {
        let mut folders = BTreeSet::from([folder]);
        let mut kept = Vec::new();
        let mut durable = Vec::new();
        for change in std::mem::take(&mut self.pending).into_iter().rev() {
            if change.folders().any(|folder| folders.contains(&folder)) {
                folders.extend(change.folders());
                durable.push(change);
            } else {
                kept.push(change);
            }
        }
        kept.reverse();
        self.pending = kept;
        for change in durable.iter().rev() {
            apply(&mut self.folders, change, |folder| &mut folder.durable);
        }
    }

    pub(super) fn sync_all(&mut self) {
        for change in std::mem::take(&mut self.pending) {
            apply(&mut self.folders, &change, |folder| &mut folder.durable);
        }
    }

    /// A sync that reports an error: a part from the front may have happened. The rest stays pending: unlike
    /// bytes, names are journaled by the file system, which forgets none of them while it goes on.
    pub(super) fn fail_sync(&mut self, folder: Node, random: &mut Random) {
        let touches = |change: &Change| change.folders().any(|one| one == folder);
        let leading = self.pending.iter().take_while(|change| touches(change)).count();
        let happened = random.index(leading + 1);
        for change in self.pending.drain(..happened) {
            apply(&mut self.folders, &change, |folder| &mut folder.durable);
        }
    }

    /// The power fails: of each folder's pending changes those before some moment happened.
    pub(super) fn crash(&mut self, random: &mut Random) {
        let mut stopped = BTreeSet::new();
        for change in std::mem::take(&mut self.pending) {
            if change.folders().any(|folder| stopped.contains(&folder)) || random.one_in(3) {
                stopped.extend(change.folders());
            } else {
                apply(&mut self.folders, &change, |folder| &mut folder.durable);
            }
        }
        for folder in self.folders.values_mut() {
            folder.written.clone_from(&folder.durable);
        }
        let reachable = self.reachable();
        self.folders.retain(|node, _| reachable.contains(node));
    }

    /// All files and folders that have a name.
    pub(super) fn reachable(&self) -> BTreeSet<Node> {
        let mut reached = BTreeSet::from([ROOT]);
        let mut open = vec![ROOT];
        while let Some(folder) = open.pop().and_then(|node| self.folders.get(&node)) {
            let nodes = folder.written.values().copied().filter(|node| reached.insert(*node));
            open.extend(nodes.filter(|node| self.folders.contains_key(node)));
        }
        reached
    }
}

fn apply(
    folders: &mut BTreeMap<Node, Folder>,
    change: &Change,
    names: impl Fn(&mut Folder) -> &mut BTreeMap<String, Node>,
) {
    if let Some((folder, name)) = &change.removed
        && let Some(folder) = folders.get_mut(folder)
    {
        names(folder).remove(name);
    }
    if let Some((folder, name, node)) = &change.added
        && let Some(folder) = folders.get_mut(folder)
    {
        names(folder).insert(name.clone(), *node);
    }
}
