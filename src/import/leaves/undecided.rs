//! What of one document nothing decides.

use super::Leaves;
use crate::finding::{Finding, Severity};
use crate::import::context::Context;

/// So many findings are told of one document that is set aside: a list of a million values may be one.
const MOST: usize = 100;

/// Why a document is set aside, where that is asked for.
#[derive(Debug, Default)]
pub(crate) struct Undecided(Vec<Finding>);

impl Undecided {
    /// Takes in a finding; one that is no error sets nothing aside.
    pub(super) fn add(&mut self, finding: &Finding) {
        if finding.severity == Severity::Error && self.0.len() < MOST {
            self.0.push(finding.clone());
        }
    }

    /// The findings, if there are any.
    pub(crate) fn findings(self) -> Option<Vec<Finding>> {
        Some(self.0).filter(|findings| !findings.is_empty())
    }
}

impl Leaves<'_> {
    /// Reports that nothing decides what becomes of something.
    pub(super) fn undecided(&self, cx: &mut Context<'_>, finding: Finding, undecided: &mut Undecided) {
        if self.sets_aside {
            undecided.add(&finding);
        }
        cx.findings.push(finding);
    }
}
