//! What may be lost: the leaves that a value was made from and that cannot be got back from it.

use super::maker::{RowMaker, Trail};
use super::scope::{Operand, Stop};
use super::span::LeafSpan;
use super::times::{cut_to_day, day_of};
use crate::document::tape::{NodeId, NodeRef};
use crate::mapping::declared::Doc;
use crate::mapping::model::{ColumnRule, From, Lossy};
use std::sync::Arc;

impl<'t> RowMaker<'_, 't> {
    /// Evaluates something, with all that it reads: what its value does not keep, too.
    pub(super) fn noting_reads<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> (T, Trail) {
        let outer = self.reading.replace(Trail::new());
        let made = make(self);
        let read = std::mem::replace(&mut self.reading, outer).unwrap_or_default();
        self.note_read(&read);
        (made, read)
    }

    /// Notes what is read.
    pub(super) fn note_read(&mut self, spans: &[LeafSpan]) {
        if let Some(read) = &mut self.reading {
            read.extend_from_slice(spans);
        }
    }

    /// How much was read so far, where that counts.
    pub(super) fn read_so_far(&self) -> Option<usize> {
        self.reading.as_ref().map(Vec::len)
    }

    /// Of what was read since then, no more than this counts.
    pub(super) fn read_only(&mut self, since: Option<usize>, spans: &[LeafSpan]) {
        if let (Some(read), Some(since)) = (&mut self.reading, since) {
            read.truncate(since);
            read.extend_from_slice(spans);
        }
    }

    /// Claims what was read although not all of it is kept.
    pub(super) fn lose(&self, read: Trail, lossy: &Arc<Lossy>, trail: &mut Trail) {
        for span in read {
            match span.plain() {
                LeafSpan::Nodes(doc, nodes) if nodes.len() > 1 => {
                    let start = if doc == Doc::Frame { self.scope.frame } else { self.scope.record };
                    let mut spans = Trail::new();
                    self.shown(start.sibling(nodes.start), nodes.end, doc, &|below| self.hides(below, doc), &mut spans);
                    trail.extend(spans.into_iter().map(|span| span.lossy(lossy)));
                }
                span => trail.push(span.lossy(lossy)),
            }
        }
    }

    /// Adds a container, up to where it or a part of it ends, to the trail, without what is skipped below it.
    pub(super) fn shown(
        &self,
        node: NodeRef<'t>,
        end: NodeId,
        doc: Doc,
        skip: &dyn Fn(NodeRef<'t>) -> bool,
        trail: &mut Trail,
    ) {
        let mut start = node.id();
        let mut at = start;
        while at < end {
            let below = node.sibling(at);
            if at != node.id() && skip(below) {
                trail.push(LeafSpan::Nodes(doc, start..at));
                start = below.next();
                at = start;
            } else {
                at += 1;
            }
        }
        trail.push(LeafSpan::Nodes(doc, start..at));
    }

    /// Why a column may lose something: as its expression says, or the alternative that was chosen.
    pub(super) fn lossy_of<'c>(&self, column: &'c ColumnRule) -> Option<&'c Arc<Lossy>> {
        let chosen = match (&column.expr.from, self.chosen) {
            (From::First(all), Some(chosen)) => all.get(chosen),
            _ => None,
        };
        column.expr.lossy.as_ref().or_else(|| chosen?.lossy.as_ref())
    }

    /// The day of a time, where the mapping says that its time of day may go.
    pub(super) fn only_day(&self, column: &ColumnRule, got: Operand<'t>, trail: &mut Trail) -> Operand<'t> {
        let is_later = |got: &Operand| matches!(got, Operand::Datum(datum) if day_of(datum).is_none());
        let Some(lossy) = self.lossy_of(column).filter(|_| is_later(&got)) else { return got };
        for span in trail {
            *span = span.clone().lossy(lossy);
        }
        cut_to_day(got)
    }

    /// What a column compares itself with; with `lossy`, what of it differs counts as well.
    pub(super) fn compared(
        &mut self,
        column: &ColumnRule,
        make: impl FnOnce(&mut Self) -> Result<Operand<'t>, Stop>,
    ) -> Result<(Operand<'t>, Option<Trail>), Stop> {
        if self.lossy_of(column).is_none() {
            return Ok((make(self)?, None));
        }
        let (got, read) = self.noting_reads(make);
        Ok((got?, Some(read)))
    }
}
