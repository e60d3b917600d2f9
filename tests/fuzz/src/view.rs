//! A view's file system as a sequence of operations, against a model in memory: what is read is
//! what was written, by whatever name and handle, also after it is mounted anew; and nothing but
//! envelopes is in the folder behind it.

use crate::world::World;
use arbitrary::{Arbitrary, Unstructured};
use bulla_view::drive::{Driven, ROOT};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::rc::Rc;

const POLICY: &str = r#"{"version":1,"name":"work","grants":[{"to":["anyone"],
"rights":["view","edit"],"when":{"software":{"mode":["bare"]}}}]}"#;

const NAMES: [&str; 10] =
    ["a", "b", "c", "d", "a.bulla", "plain", ".bulla", LONG, LINKS[0].0, LINKS[1].0];
/// Names and what they lead to: a sealed file, if there is one, and out of the folder.
const LINKS: [(&str, &str); 2] = [("link", "a.bulla"), ("out", "..")];
/// So long that `.bulla` does not fit behind it.
const LONG: &str = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
const PLAIN: &[u8] = b"not sealed";

/// Folders and handles that there are at most.
const MANY: usize = 8;
const STEPS: u8 = 60;

#[derive(Arbitrary, Clone, Copy, Debug)]
struct Place {
    folder: u8,
    name: u8,
}

#[derive(Arbitrary, Debug)]
enum Step {
    Create(Place),
    MakeFolder(Place),
    Open { at: Place, read: bool, write: bool },
    Read { handle: u8, at: u32, count: u16 },
    Write { handle: u8, at: u32, count: u16, fill: u8 },
    Cut { handle: u8, to: u32 },
    CutByName { at: Place, to: u32 },
    Allocate { handle: u8, at: u32, count: u16 },
    Flush { handle: u8 },
    Close { handle: u8 },
    Remove { at: Place, folder: bool },
    Rename { from: Place, to: Place, keep: bool },
    Look(Place),
    List { folder: u8 },
    Remount,
    LookOpen { handle: u8 },
    Within { at: Place, name: u8 },
}

/// A file or folder of the model. It stays when its name is gone.
enum Node {
    File(RefCell<Vec<u8>>, Forked),
    Plain,
    /// With what it leads to.
    Link(&'static str),
    Folder(RefCell<BTreeMap<&'static str, Rc<Node>>>),
}

/// Whether a save was made in another place: the file was moved away while nobody wrote it, and a
/// new one made by its name, which goes on as the same file. Then either may be the older one, which
/// does not open any more, and nothing is asked of it here.
type Forked = Cell<bool>;

struct Handle {
    number: u64,
    handle: u64,
    node: Rc<Node>,
    read: bool,
    write: bool,
}

struct Run<'a> {
    world: &'a World,
    folder: &'a Path,
    view: Driven,
    root: Rc<Node>,
    handles: Vec<Handle>,
    /// Files by the folders and names that they were moved from.
    moved: BTreeMap<(u64, &'static str), Rc<Node>>,
}

thread_local! {
    static WORLD: RefCell<Option<World>> = const { RefCell::new(None) };
}

pub fn run(data: &[u8]) -> bool {
    WORLD.with_borrow_mut(|world| {
        let world = World::current(world, POLICY);
        let folder = world.folder();
        std::fs::create_dir(folder.path().join(".bulla")).unwrap();
        std::fs::write(folder.path().join(".bulla/template"), world.template.to_file()).unwrap();
        std::fs::write(folder.path().join("plain"), PLAIN).unwrap();
        for (name, to) in LINKS {
            symlink(to, folder.path().join(name)).unwrap();
        }
        let mut run = Run::new(world, folder.path());
        let Ok(steps) = crate::some(&mut Unstructured::new(data), STEPS) else { return false };
        for step in &steps {
            if std::env::var_os("FUZZ_SHOW").is_some() {
                eprintln!("{step:?}");
            }
            run.step(step);
        }
        run.end();
        !steps.is_empty()
    })
}

impl Node {
    fn file(&self) -> Option<&RefCell<Vec<u8>>> {
        if let Node::File(content, _) = self { Some(content) } else { None }
    }

    fn folder(&self) -> &RefCell<BTreeMap<&'static str, Rc<Node>>> {
        let Node::Folder(names) = self else { panic!("not a folder") };
        names
    }

    fn is_forked(&self) -> bool {
        matches!(self, Node::File(_, forked) if forked.get())
    }

    fn fork(&self) {
        if let Node::File(_, forked) = self {
            forked.set(true);
        }
    }

    fn is_folder(&self) -> bool {
        matches!(self, Node::Folder(_))
    }
}

impl<'a> Run<'a> {
    fn new(world: &'a World, folder: &'a Path) -> Self {
        let links = LINKS.map(|(name, to)| (name, Rc::new(Node::Link(to))));
        let root: BTreeMap<_, _> =
            links.into_iter().chain([("plain", Rc::new(Node::Plain))]).collect();
        let root = Rc::new(Node::Folder(root.into()));
        let view = Driven::of(&world.home, world.session.clone(), folder).unwrap();
        Run { world, folder, view, root, handles: Vec::new(), moved: BTreeMap::new() }
    }

    /// All folders with their numbers: the view's own first, then by name.
    fn folders(&self) -> Vec<(u64, Rc<Node>)> {
        let mut all = vec![(ROOT, Rc::clone(&self.root))];
        let mut next = 0;
        while let Some((number, folder)) = all.get(next).cloned() {
            for (name, node) in folder.folder().borrow().iter().filter(|(_, n)| n.is_folder()) {
                let stat = self.view.lookup(number, name).expect("a folder that was made");
                assert!(stat.is_folder);
                all.push((stat.number, Rc::clone(node)));
            }
            next += 1;
        }
        all
    }

    /// The folder's number and node, and the name.
    fn place(&self, place: Place) -> (u64, Rc<Node>, &'static str) {
        let folders = self.folders();
        let (number, node) = folders[usize::from(place.folder) % folders.len()].clone();
        (number, node, NAMES[usize::from(place.name) % NAMES.len()])
    }

    fn handle(&self, handle: u8) -> Option<&Handle> {
        self.handles.get(usize::from(handle) % self.handles.len().max(1))
    }

    fn sound(&self, handle: u8) -> Option<&Handle> {
        self.handle(handle).filter(|h| !h.node.is_forked())
    }

    fn close(&self, h: &Handle) {
        let closed = self.view.close(h.handle);
        assert!(closed.is_ok() || h.node.is_forked(), "closing: {closed:?}");
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Create(at) => self.create(at),
            Step::MakeFolder(at) => {
                let many = self.folders().len() >= MANY;
                let (number, folder, name) = self.place(at);
                if many {
                    return;
                }
                let made = self.view.make_folder(number, name);
                if made.is_err() && hidden(&folder, name) {
                    return;
                }
                let free = name != ".bulla" && !folder.folder().borrow().contains_key(name);
                assert_eq!(made.is_ok(), free, "{made:?}");
                if free {
                    let new = Rc::new(Node::Folder(RefCell::default()));
                    folder.folder().borrow_mut().insert(name, new);
                }
            }
            Step::Open { at, read, write } => self.open(at, read || !write, write),
            Step::Read { handle, at, count } => {
                let Some(h) = self.handle(handle).filter(|h| h.read && !h.node.is_forked()) else {
                    return;
                };
                let mut out = vec![0xa5; count.into()];
                let at = at as usize % 200_000;
                let n = self.view.read(h.handle, &mut out, at as u64).expect("reading");
                let content = match &*h.node {
                    Node::File(content, _) => content.borrow().clone(),
                    _ => PLAIN.to_vec(),
                };
                let rest = content.get(at..).unwrap_or_default();
                assert_eq!(n, rest.len().min(out.len()));
                assert!(out[..n] == rest[..n], "other bytes than were written");
            }
            Step::Write { handle, at, count, fill } => {
                let Some(h) = self.sound(handle) else { return };
                let data: Vec<u8> = (0..count).map(|i| (i >> 8) as u8 ^ fill).collect();
                let at = at as usize % 200_000;
                if data.is_empty() {
                    return;
                }
                let written = self.view.write(h.handle, &data, at as u64);
                assert_eq!(written.is_ok(), h.write, "{written:?}");
                if let (true, Some(content)) = (h.write, h.node.file()) {
                    let mut content = content.borrow_mut();
                    let end = content.len().max(at + data.len());
                    content.resize(end, 0);
                    content[at..at + data.len()].copy_from_slice(&data);
                }
            }
            Step::Cut { handle, to } => {
                let Some(h) = self.sound(handle) else { return };
                let to = to as usize % 200_000;
                let cut = self.view.truncate(h.number, Some(h.handle), to as u64);
                if let (true, Some(content)) = (h.write, h.node.file()) {
                    assert_eq!(cut.expect("cutting").size, to as u64);
                    content.borrow_mut().resize(to, 0);
                } else {
                    cut.expect_err("cutting what is only read");
                }
            }
            Step::CutByName { at, to } => {
                let Some((number, node)) = self.find(at).filter(|(_, n)| !n.is_forked()) else {
                    return;
                };
                let to = to as usize % 200_000;
                let cut = self.view.truncate(number, None, to as u64);
                assert_eq!(cut.is_ok(), node.file().is_some(), "{cut:?}");
                if let Some(content) = node.file() {
                    content.borrow_mut().resize(to, 0);
                }
            }
            Step::Allocate { handle, at, count } => {
                let Some(h) = self.sound(handle) else { return };
                let (at, count) = (at as usize % 200_000, usize::from(count));
                let made = self.view.allocate(h.handle, at as u64, count as u64);
                assert_eq!(made.is_ok(), h.write, "{made:?}");
                if let (true, Some(content)) = (h.write, h.node.file()) {
                    let mut content = content.borrow_mut();
                    let end = content.len().max(at + count);
                    content.resize(end, 0);
                }
            }
            Step::Flush { handle } => {
                let Some(h) = self.sound(handle) else { return };
                self.view.flush(h.handle).expect("sealing");
            }
            Step::Close { handle } => {
                if self.handles.is_empty() {
                    return;
                }
                let h = self.handles.remove(usize::from(handle) % self.handles.len());
                self.close(&h);
                assert!(self.view.close(h.handle).is_err(), "closed twice");
            }
            Step::Remove { at, folder: as_folder } => self.remove(at, as_folder),
            Step::Rename { from, to, keep } => self.rename(from, to, keep),
            Step::Look(at) => {
                if let Some((number, node)) = self.find(at) {
                    let stat = self.view.stat(number).expect("what was found");
                    assert_eq!(stat.is_folder, node.is_folder());
                    if node.is_forked() {
                        return;
                    }
                    let content = node.file().map(|content| content.borrow().len() as u64);
                    assert!(content.is_none_or(|len| len == stat.size), "another size");
                }
            }
            Step::List { folder } => {
                let folders = self.folders();
                let (number, node) = &folders[usize::from(folder) % folders.len()];
                let mut names = self.view.list(*number).expect("a list");
                names.sort();
                assert_eq!(names, node.folder().borrow().keys().copied().collect::<Vec<_>>());
            }
            Step::Remount => {
                for h in std::mem::take(&mut self.handles) {
                    self.close(&h);
                }
                self.moved.clear();
                let session = self.world.session.clone();
                self.view = Driven::of(&self.world.home, session, self.folder).unwrap();
            }
            Step::LookOpen { handle } => self.look_open(handle),
            Step::Within { at, name } => self.within(at, name),
        }
    }

    /// What is open is known by its number, whether it still has a name or not.
    fn look_open(&self, handle: u8) {
        let Some(h) = self.sound(handle) else { return };
        let Some(content) = h.node.file() else { return };
        let stat = self.view.stat(h.number).expect("what is open");
        assert_eq!((stat.number, stat.is_folder), (h.number, false));
        assert_eq!(stat.size, content.borrow().len() as u64, "another size");
    }

    /// Nothing is in what is no folder: least of all where a link leads.
    fn within(&self, at: Place, name: u8) {
        let Some((number, node)) = self.find(at) else { return };
        if node.is_folder() {
            return;
        }
        let name = NAMES[usize::from(name) % NAMES.len()];
        self.view.list(number).expect_err("the names in what is no folder");
        self.view.lookup(number, name).expect_err("a name in what is no folder");
        self.view.create(number, name).expect_err("a file in what is no folder");
        self.view.make_folder(number, name).expect_err("a folder in what is no folder");
        self.view.remove(number, name, false).expect_err("removing from what is no folder");
        let away = self.view.rename((number, name), (ROOT, "d"), false);
        away.expect_err("moving out of what is no folder");
        let into = self.view.rename((ROOT, "link"), (number, name), false);
        into.expect_err("moving into what is no folder");
    }

    /// What is there, if both think that something is.
    fn find(&self, at: Place) -> Option<(u64, Rc<Node>)> {
        let (number, folder, name) = self.place(at);
        let found = self.view.lookup(number, name);
        let node = folder.folder().borrow().get(name).cloned();
        assert_eq!(found.is_ok(), node.is_some(), "{name}: {found:?}");
        let number = found.ok()?.number;
        // The kernel asks more than once, and forgets.
        self.view.forget(number, 1);
        let again = self.view.lookup(self.place(at).0, name).expect("found a moment ago");
        Some((again.number, node?))
    }

    fn create(&mut self, at: Place) {
        if self.handles.len() >= MANY {
            return;
        }
        let (number, folder, name) = self.place(at);
        let made = self.view.create(number, name);
        let free = name != ".bulla" && !folder.folder().borrow().contains_key(name);
        let before = if free { self.moved.remove(&(number, name)) } else { None };
        if made.is_err() && (hidden(&folder, name) || before.is_some()) {
            return;
        }
        assert_eq!(made.is_ok(), free, "{name}: {made:?}");
        let Ok((stat, handle)) = made else { return };
        assert_eq!((stat.size, stat.is_folder), (0, false));
        let node = Rc::new(Node::File(RefCell::default(), Cell::new(false)));
        let written =
            |file: &Rc<Node>| self.handles.iter().any(|h| h.write && Rc::ptr_eq(&h.node, file));
        if let Some(before) = before.filter(|before| !written(before)) {
            if before.is_forked() {
                node.fork();
            }
            before.fork();
        }
        folder.folder().borrow_mut().insert(name, Rc::clone(&node));
        self.handles.push(Handle { number: stat.number, handle, node, read: true, write: true });
    }

    fn open(&mut self, at: Place, read: bool, write: bool) {
        let Some((number, node)) = self.find(at).filter(|_| self.handles.len() < MANY) else {
            return;
        };
        let opened = self.view.open(number, read, write);
        if opened.is_err() && node.is_forked() {
            return;
        }
        let may = match *node {
            Node::File(..) => true,
            Node::Plain => !write,
            Node::Link(_) | Node::Folder(_) => false,
        };
        assert_eq!(opened.is_ok(), may, "{opened:?}");
        if let Ok(handle) = opened {
            self.handles.push(Handle { number, handle, node, read, write });
        }
    }

    fn remove(&mut self, at: Place, as_folder: bool) {
        let (number, folder, name) = self.place(at);
        let removed = self.view.remove(number, name, as_folder);
        let may = folder.folder().borrow().get(name).is_some_and(|node| match &**node {
            Node::File(..) | Node::Link(_) => !as_folder,
            Node::Plain => false,
            Node::Folder(names) => as_folder && names.borrow().is_empty(),
        });
        assert_eq!(removed.is_ok(), may, "{name}: {removed:?}");
        if may {
            folder.folder().borrow_mut().remove(name);
        }
    }

    fn rename(&mut self, from: Place, to: Place, keep: bool) {
        let ((source, old, from), (target, new, to)) = (self.place(from), self.place(to));
        let renamed = self.view.rename((source, from), (target, to), keep);
        if renamed.is_err() && hidden(&new, to) {
            return;
        }
        let moving = old.folder().borrow().get(from).cloned();
        let there = new.folder().borrow().get(to).cloned();
        let forked = |node: &Option<Rc<Node>>| node.as_ref().is_some_and(|n| n.is_forked());
        if renamed.is_err() && (forked(&moving) || forked(&there)) {
            return;
        }
        let may = match (&moving, &there) {
            _ if to == ".bulla" => false,
            (None, _) => false,
            (Some(moving), _) if matches!(**moving, Node::Plain) => false,
            (Some(moving), _) if moving.is_folder() && within(moving, &new) => false,
            (Some(_), None) => true,
            (Some(_), Some(_)) if keep => false,
            (Some(moving), Some(there)) if Rc::ptr_eq(moving, there) => true,
            (Some(moving), Some(there)) => match (&**moving, &**there) {
                (Node::File(..), Node::File(..)) => true,
                (Node::Folder(_), Node::Folder(names)) => names.borrow().is_empty(),
                (Node::Link(_), Node::Link(_)) => true,
                _ => false,
            },
        };
        assert_eq!(renamed.is_ok(), may, "{from} to {to}: {renamed:?}");
        if may && let Some(moving) = moving {
            if there.is_none() && moving.file().is_some() {
                self.moved.remove(&(target, to));
                self.moved.insert((source, from), Rc::clone(&moving));
            }
            old.folder().borrow_mut().remove(from);
            new.folder().borrow_mut().insert(to, moving);
        }
    }

    /// All is as the model has it, also for whoever mounts it anew.
    fn end(mut self) {
        self.step(&Step::Remount);
        for (number, folder) in self.folders() {
            let mut names = self.view.list(number).expect("a list");
            names.sort();
            assert_eq!(names, folder.folder().borrow().keys().copied().collect::<Vec<_>>());
            for (name, node) in folder.folder().borrow().iter() {
                let Some(content) = node.file().filter(|_| !node.is_forked()) else { continue };
                let stat = self.view.lookup(number, name).expect("a file that was made");
                let handle = self.view.open(stat.number, true, false).expect("opening");
                let content = content.borrow();
                let mut out = vec![0; content.len() + 10];
                let n = self.view.read(handle, &mut out, 0).expect("reading");
                assert!(out[..n] == **content, "{name} holds other bytes than were written");
                assert_eq!(stat.size, n as u64);
                self.view.close(handle).expect("closing");
            }
        }
        only_sealed(self.folder, &self.root);
    }
}

/// Whether the name may be that of a file which is shown without its ending: it is not shown, but
/// cannot be used.
fn hidden(folder: &Rc<Node>, name: &str) -> bool {
    let names = folder.folder().borrow();
    let short = name.strip_suffix(".bulla").and_then(|short| names.get(short));
    !names.contains_key(name) && short.is_some_and(|node| node.file().is_some())
}

/// Whether a folder is this one or one below it.
fn within(folder: &Rc<Node>, other: &Rc<Node>) -> bool {
    Rc::ptr_eq(folder, other)
        || folder.folder().borrow().values().any(|node| node.is_folder() && within(node, other))
}

/// The folder behind holds envelopes, what was there before, and folders of those.
fn only_sealed(folder: &Path, node: &Node) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_str().expect("one of the names");
        let names = node.folder().borrow();
        match entry.file_type().unwrap() {
            kind if kind.is_dir() && name == ".bulla" => {}
            kind if kind.is_dir() => only_sealed(&path, &names[name]),
            kind if kind.is_symlink() => {
                let Node::Link(to) = *names[name] else { panic!("{name} is no link") };
                assert_eq!(std::fs::read_link(&path).unwrap(), Path::new(to));
            }
            _ if name == "plain" && std::fs::read(&path).unwrap() == PLAIN => {}
            _ => {
                let start = std::fs::read(&path).unwrap();
                assert!(bulla::is_sealed(&start), "{} is not sealed", path.display());
            }
        }
    }
}
