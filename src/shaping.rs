//! The first look at a file: judged whole, its shape chosen, its frame kept.

use crate::finding::{Finding, SHAPE_NONE};
use crate::mapping::apply::shape_fits;
use crate::mapping::declared::{Declared, Doc};
use crate::mapping::model::{Mapping, Shape};
use crate::record::{Paths, Selection, Tape};
use crate::source::{self, Opened};
use std::collections::HashMap;

/// What the first look at a file found.
#[derive(Debug)]
pub struct Shaped {
    /// The index of the shape in its mapping.
    pub shape: usize,
    /// The document without its records; empty where the document is the record.
    pub frame: Tape,
    /// How many leaves the whole file has.
    pub leaves: u64,
    /// What is worth knowing and no fault.
    pub notes: Vec<Finding>,
    /// SHA-256 of the file's bytes.
    pub sha256: [u8; 32],
}

/// Paths of records of one shape, and what the mapping says about paths.
#[derive(Debug)]
pub struct PathTable {
    /// Below the record.
    pub record: Paths,
    /// What the mapping says.
    pub declared: Declared,
}

/// Every path met so far: they are learnt once and not once per file.
#[derive(Debug, Default)]
pub struct PathTables {
    tables: HashMap<(usize, usize), PathTable>,
    frames: HashMap<usize, Paths>,
}

impl PathTables {
    /// Takes a shape's table out, for the time that a file is read.
    pub fn take(&mut self, number: usize, mapping: &Mapping, shape: usize) -> PathTable {
        self.tables.remove(&(number, shape)).unwrap_or_else(|| PathTable {
            record: Paths::new(),
            declared: Declared::new(mapping, &mapping.source.shapes[shape]),
        })
    }

    /// Puts it back.
    pub fn put_back(&mut self, number: usize, shape: usize, table: PathTable) {
        self.tables.insert((number, shape), table);
    }

    /// Paths of frames of a mapping's files.
    pub fn frame(&mut self, number: usize) -> &mut Paths {
        self.frames.entry(number).or_default()
    }
}

/// Judges a file whole and chooses its shape.
///
/// # Errors
/// Findings, when the file is broken or has none of the mapping's shapes.
pub fn shape(
    opened: &mut Opened,
    number: usize,
    mapping: &Mapping,
    tables: &mut PathTables,
) -> Result<Shaped, Vec<Finding>> {
    let shapes = &mapping.source.shapes;
    let selections: Vec<&Selection> = shapes.iter().filter_map(|shape| shape.records.as_ref()).collect();
    let outline = source::skim(opened, &selections, tables.frame(number))?;
    let root = outline.tape.root();
    let fits = |shape: &Shape| shape.when.as_ref().is_none_or(|when| shape_fits(when, root));
    let Some(chosen) = shapes.iter().position(fits) else {
        let names: Vec<&str> = shapes.iter().map(|shape| shape.name.as_str()).collect();
        let place = crate::finding::Place { file: opened.file(), offset: root.at() };
        let message = format!("the file has none of the shapes {}", names.join(", "));
        return Err(vec![Finding::new(&SHAPE_NONE, message).at(place)]);
    };
    let (leaves, notes) = (outline.leaves, outline.notes);
    let frame = match &shapes[chosen].records {
        None => Tape::new(false),
        // What only other shapes select belongs to the frame: if there is such a thing, look again.
        Some(records) => {
            let others = selections.iter().zip(&outline.selected).any(|(other, count)| *other != records && *count > 0);
            if others { source::skim(opened, &[records], tables.frame(number))?.tape } else { outline.tape }
        }
    };
    let sha256 = opened.digest().map_err(|finding| vec![finding])?;
    let mut table = tables.take(number, mapping, chosen);
    table.declared.learn(Doc::Frame, tables.frame(number));
    tables.put_back(number, chosen, table);
    Ok(Shaped { shape: chosen, frame, leaves, notes, sha256 })
}
