//! The paths of files, as they are met, and what rules see of a record.

use crate::document::name::NameLeaf;
use crate::document::tape::{Paths, Tape};
use crate::import::look::Shaped;
use crate::mapping::apply::{Current, FileContext, Scope, Trace};
use crate::mapping::declared::{Declared, Doc};
use crate::mapping::keyindex::KeyIndex;
use crate::mapping::model::{Mapping, Shape};
use crate::mapping::secret_words::looks_secret;
use crate::source::Record;
use std::sync::Arc;

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
    /// By mapping and shape.
    tables: Vec<Vec<Option<PathTable>>>,
    /// By mapping.
    frames: Vec<Option<Paths>>,
}

impl PathTables {
    /// Takes a shape's table out, for the time that a file is read.
    pub fn take(&mut self, number: usize, mapping: &Mapping, shape: usize) -> PathTable {
        slot(slot(&mut self.tables, number), shape).take().unwrap_or_else(|| {
            let declared = Declared::new(mapping, &mapping.source.shapes[shape]);
            let mut record = Paths::keeping_apart(looks_secret);
            declared.intern(Doc::Record, &mut record);
            PathTable { record, declared }
        })
    }

    /// Puts it back.
    pub fn put_back(&mut self, number: usize, shape: usize, table: PathTable) {
        *slot(slot(&mut self.tables, number), shape) = Some(table);
    }

    /// What is known of a shape's paths, below its records and in the frames of its mapping's files.
    pub fn known(&self, number: usize, shape: usize) -> Option<(&PathTable, &Paths)> {
        Some((self.tables.get(number)?.get(shape)?.as_ref()?, self.frames.get(number)?.as_ref()?))
    }

    /// Whether names share paths, in records of a shape or in frames of its mapping's files.
    pub(crate) fn shares(&self, number: usize, shape: usize) -> bool {
        self.known(number, shape).is_none_or(|(table, frames)| table.record.shares() || frames.shares())
    }

    /// Numbers the paths of a file that was looked at.
    pub(crate) fn number(&mut self, number: usize, mapping: &Mapping, shaped: &mut Shaped) {
        let mut table = self.take(number, mapping, shaped.shape);
        let frames = self.frame(number, mapping);
        shaped.frame.number_paths(frames);
        table.declared.learn(Doc::Frame, frames);
        shaped.records.iter_mut().flatten().for_each(|record| record.tape.number_paths(&mut table.record));
        self.put_back(number, shaped.shape, table);
    }

    /// Paths of frames of a mapping's files.
    pub fn frame(&mut self, number: usize, mapping: &Mapping) -> &mut Paths {
        slot(&mut self.frames, number).get_or_insert_with(|| {
            let mut paths = Paths::keeping_apart(looks_secret);
            for shape in &mapping.source.shapes {
                Declared::new(mapping, shape).intern(Doc::Frame, &mut paths);
            }
            paths
        })
    }
}

/// What a list has of a number, which may be the first thing that it has of it.
fn slot<T: Default>(of: &mut Vec<T>, number: usize) -> &mut T {
    if of.len() <= number {
        of.resize_with(number + 1, T::default);
    }
    &mut of[number]
}

/// What the rules see of one record.
pub fn record_scope<'a, 't>(
    file: &'a FileContext<'a>,
    declared: &'a Declared,
    index: impl Into<Option<&'a KeyIndex>>,
    shape: &Shape,
    record: &'t Record,
    frame: &'t Tape,
    trace: Option<&'a dyn Trace>,
) -> Scope<'a, 't> {
    let (root, whole) = (record.tape.root(), shape.records.is_none());
    // The last name is that of the last `.*`.
    let leaves = (0_u32..).map(NameLeaf::OfRecord);
    let named = shape.key_as.iter().rev().zip(record.names.iter().zip(leaves).collect::<Vec<_>>().into_iter().rev());
    let names = named.map(|(context, (name, leaf))| (context.clone(), name.clone(), leaf));
    Scope {
        file,
        declared,
        index: index.into(),
        record: root,
        frame: if whole { root } else { frame.root() },
        whole,
        element: Current::Node(root),
        part: None,
        position: i64::try_from(record.position()).unwrap_or(i64::MAX),
        trace,
        names: Arc::new(names.collect()),
    }
}
