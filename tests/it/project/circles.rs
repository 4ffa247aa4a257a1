//! The files of the program import each other without circles, of whatever length.
//!
//! A file imports another one where it names an item that is defined there, in a `use` or in a path.
//! `mod` and `pub use` lines are no imports: what is re-exported counts for the file that defines it.
//! Tests inside of modules are left out.

use crate::house::project;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, UseTree, Visibility};

/// A path of names from the crate's root.
type Names = Vec<String>;

/// By file: the files that it imports, each with an item of it.
type Edges<'h> = BTreeMap<&'h str, BTreeMap<&'h str, String>>;

/// One file of the program.
#[derive(Default)]
struct File {
    /// Below `src`.
    path: String,
    /// What it defines.
    items: BTreeSet<String>,
    /// What it re-exports: the name, and where it leads; `*` for all of a module.
    exports: Vec<(String, Names)>,
    /// What its `use` lines name: the name in the file, and where it leads.
    uses: BTreeMap<String, Names>,
    /// Every path of several names in its code.
    paths: BTreeSet<Names>,
    /// Modules that are written out in it; what they hold counts as the file's own.
    inner: BTreeSet<String>,
}

/// The modules of the program.
struct House {
    files: BTreeMap<Names, File>,
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
    })
}

/// The leaves of a `use`: the name that it gives, and the whole path.
fn leaves(tree: &UseTree, before: &[String], each: &mut dyn FnMut(String, Names)) {
    let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
    match tree {
        UseTree::Path(path) => leaves(&path.tree, &with(&path.ident), each),
        UseTree::Group(group) => group.items.iter().for_each(|tree| leaves(tree, before, each)),
        UseTree::Glob(_) => each("*".to_owned(), before.to_vec()),
        UseTree::Rename(rename) => each(rename.rename.to_string(), with(&rename.ident)),
        UseTree::Name(name) if name.ident == "self" => {
            each(before.last().cloned().unwrap_or_default(), before.to_vec());
        }
        UseTree::Name(name) => each(name.ident.to_string(), with(&name.ident)),
    }
}

/// Makes a path one from the crate's root, where it begins with `crate`, `self` or `super`.
fn from_root(module: &[String], path: &[String]) -> Option<Names> {
    let (first, rest) = path.split_first()?;
    let module = match first.as_str() {
        "crate" => &[],
        "self" => module,
        "super" => {
            let parent = module.split_last()?.1;
            return match rest.first() {
                Some(next) if next == "super" => from_root(parent, rest),
                _ => Some([parent, rest].concat()),
            };
        }
        _ => return None,
    };
    Some([module, rest].concat())
}

struct Reading<'f> {
    module: &'f [String],
    file: &'f mut File,
    /// Files of modules that are declared here.
    declared: Vec<String>,
}

impl<'ast> Visit<'ast> for Reading<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let (name, attributes) = match item {
            Item::Const(item) => (Some(&item.ident), &item.attrs),
            Item::Enum(item) => (Some(&item.ident), &item.attrs),
            Item::Fn(item) => (Some(&item.sig.ident), &item.attrs),
            Item::Static(item) => (Some(&item.ident), &item.attrs),
            Item::Struct(item) => (Some(&item.ident), &item.attrs),
            Item::Trait(item) => (Some(&item.ident), &item.attrs),
            Item::Type(item) => (Some(&item.ident), &item.attrs),
            Item::Macro(item) => (item.ident.as_ref(), &item.attrs),
            Item::Impl(item) => (None, &item.attrs),
            Item::Mod(item) => (None, &item.attrs),
            Item::Use(item) => (None, &item.attrs),
            _ => return visit::visit_item(self, item),
        };
        if is_test(attributes) {
            return;
        }
        self.file.items.extend(name.map(ToString::to_string));
        match item {
            Item::Mod(item) if item.content.is_none() => self.declared.push(item.ident.to_string()),
            Item::Mod(inner) => {
                self.file.inner.insert(inner.ident.to_string());
                visit::visit_item(self, item);
            }
            Item::Use(item) => {
                let exported = !matches!(item.vis, Visibility::Inherited);
                leaves(&item.tree, &[], &mut |name, path| {
                    let path = from_root(self.module, &path).unwrap_or(path);
                    if exported {
                        self.file.exports.push((name, path));
                    } else if name == "*" {
                        self.file.paths.insert(path);
                    } else {
                        self.file.uses.insert(name, path);
                    }
                });
            }
            _ => visit::visit_item(self, item),
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Names = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.file.paths.insert(names);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        // What a macro is called with is not parsed: its words alone say what it names.
        let words = called.tokens.to_string();
        let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
        let compact = words.replace(" :: ", "::");
        for word in compact.split(|c: char| !is_name(c)).filter(|word| word.contains("::")) {
            self.file.paths.insert(word.split("::").map(str::to_owned).collect());
        }
        visit::visit_macro(self, called);
    }
}

impl House {
    fn read(root: &Path) -> Self {
        let mut house = Self { files: BTreeMap::new() };
        house.module(root, &root.join("lib.rs"), Vec::new());
        house
    }

    fn module(&mut self, root: &Path, path: &Path, module: Names) {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let parsed = syn::parse_file(&text).unwrap();
        let shown = path.strip_prefix(root).unwrap().display().to_string();
        let mut file = File { path: shown, ..File::default() };
        let mut reading = Reading { module: &module, file: &mut file, declared: Vec::new() };
        reading.visit_file(&parsed);
        let declared = std::mem::take(&mut reading.declared);
        // A path may begin with the name of a module that is declared in the same file.
        let whole = |path: &mut Names| {
            if path.first().is_some_and(|first| declared.contains(first)) {
                *path = [module.as_slice(), path].concat();
            }
        };
        file.uses.values_mut().for_each(whole);
        file.exports.iter_mut().for_each(|(_, path)| whole(path));
        for name in declared {
            let is_folder = path.ends_with("mod.rs") || path.ends_with("lib.rs");
            let folder = if is_folder { path.parent().unwrap().to_owned() } else { path.with_extension("") };
            let candidates: [PathBuf; 2] = [folder.join(format!("{name}.rs")), folder.join(&name).join("mod.rs")];
            let of_module = candidates.iter().find(|path| path.exists()).unwrap_or(&candidates[0]);
            self.module(root, of_module, [module.as_slice(), &[name]].concat());
        }
        self.files.insert(module, file);
    }

    /// The file that defines what a path from the root leads to.
    fn definer(&self, path: &[String], depth: usize) -> Option<&File> {
        let module = (0..=path.len()).rev().map(|at| &path[..at]).find(|module| self.files.contains_key(*module))?;
        let file = &self.files[module];
        let next = path.get(module.len())?;
        if file.items.contains(next) || file.inner.contains(next) {
            return Some(file);
        }
        let rest = &path[module.len() + 1..];
        let exported = file.exports.iter().find(|(name, _)| name == next);
        if let (Some((_, to)), true) = (exported, depth < 9) {
            return self.definer(&[to.as_slice(), rest].concat(), depth + 1);
        }
        let all = file.exports.iter().filter(|(name, _)| name == "*" && depth < 9);
        all.filter_map(|(_, to)| self.definer(&[to.as_slice(), &path[module.len()..]].concat(), depth + 1)).next()
    }

    /// The files that a file imports.
    fn imports(&self, module: &[String], file: &File) -> BTreeMap<&str, String> {
        let paths = file.paths.iter().filter_map(|path| {
            from_root(module, path).or_else(|| {
                let (first, rest) = path.split_first()?;
                // A lower-case word alone may be a variable.
                let is_type = first.starts_with(char::is_uppercase) || !rest.is_empty();
                let exported = || file.exports.iter().find(|(name, _)| is_type && name == first).map(|(_, path)| path);
                let used = file.uses.get(first).or_else(exported);
                let below = [module, std::slice::from_ref(first)].concat();
                let sibling = || self.files.contains_key(&below).then(|| below.clone());
                Some([used.cloned().or_else(sibling)?, rest.to_vec()].concat())
            })
        });
        let named = file.uses.values().cloned().chain(paths);
        let to = named.filter_map(|path| Some((self.definer(&path, 0)?.path.as_str(), path.join("::"))));
        to.filter(|(to, _)| *to != file.path).collect()
    }

    /// What each file imports.
    fn edges(&self) -> Edges<'_> {
        self.files.iter().map(|(module, file)| (file.path.as_str(), self.imports(module, file))).collect()
    }
}

/// The groups of files that lead to each other.
fn circles<'h>(edges: &Edges<'h>) -> Vec<BTreeSet<&'h str>> {
    let reach: BTreeMap<&str, BTreeSet<&str>> = edges.keys().map(|file| (*file, reached(edges, file))).collect();
    let circle = |file: &&str| reach[file].iter().copied().filter(|to| reach[to].contains(file)).collect();
    let circles: BTreeSet<BTreeSet<&str>> = edges.keys().map(circle).collect();
    circles.into_iter().filter(|circle| circle.len() > 1).collect()
}

/// The files that one leads to.
fn reached<'h>(edges: &Edges<'h>, from: &'h str) -> BTreeSet<&'h str> {
    let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(file) = next.pop() {
        next.extend(edges[file].keys().filter(|to| seen.insert(**to)));
    }
    seen
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let root = project("src");
    let house = House::read(&root);
    assert!(house.files.len() > 100, "only {} files were read", house.files.len());
    let edges = house.edges();
    let found = circles(&edges);
    let mut words = String::new();
    for circle in &found {
        writeln!(words, "{}", circle.iter().copied().collect::<Vec<_>>().join(" ")).unwrap();
        for from in circle {
            for (to, item) in edges[from].iter().filter(|(to, _)| circle.contains(*to)) {
                writeln!(words, "    {from} names {item} of {to}").unwrap();
            }
        }
    }
    assert!(found.is_empty(), "circles of imports:\n{words}");
}
