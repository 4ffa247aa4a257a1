//! Lists the mapping sets of `mappings/`, so that `src/mapping/bundled.rs` can take them in, and the pages of `docs/codes/`,
//! for `src/explain/pages.rs`. The engine itself names no set: a new one is a new folder.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let here = PathBuf::from(env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?);
    write("bundled.rs", &sets(&here.join("mappings"))?)?;
    write("pages.rs", &pages(&here.join("docs/codes"))?)
}

fn write(name: &str, text: &str) -> io::Result<()> {
    let out = PathBuf::from(env::var("OUT_DIR").map_err(io::Error::other)?);
    fs::write(out.join(name), text)
}

/// Codes with their pages, by code.
fn pages(root: &Path) -> io::Result<String> {
    println!("cargo::rerun-if-changed={}", root.display());
    let mut list = String::from("&[\n");
    for page in entries(root)? {
        let code = page.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        writeln!(list, "({code:?}, include_str!({:?})),", page.to_string_lossy()).map_err(io::Error::other)?;
    }
    list.push_str("]\n");
    Ok(list)
}

fn sets(root: &Path) -> io::Result<String> {
    println!("cargo::rerun-if-changed={}", root.display());
    let mut list = String::from("&[\n");
    for set in entries(root)?.iter().filter(|path| path.is_dir()) {
        writeln!(list, "BundledSet {{ name: {:?}, files: &[", name(set)).map_err(io::Error::other)?;
        let mut files = Vec::new();
        collect(set, &mut files)?;
        for file in files {
            let below = file.strip_prefix(set).map_err(io::Error::other)?.to_string_lossy().replace('\\', "/");
            writeln!(list, "({below:?}, include_str!({:?})),", file.to_string_lossy()).map_err(io::Error::other)?;
        }
        list.push_str("] },\n");
    }
    list.push_str("]\n");
    Ok(list)
}

/// What a folder holds, by name; hidden entries are passed over, as the loader does.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
    found.retain(|path| !name(path).starts_with('.'));
    found.sort();
    Ok(found)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    println!("cargo::rerun-if-changed={}", folder.display());
    for path in entries(folder)? {
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
