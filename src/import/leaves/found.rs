//! What was found in plaintext so far.

use crate::finding::{Finding, SECRET_WORD};
use std::collections::HashMap;

/// Findings that are kept of one secret until it is known whether it was sealed; the rest is counted.
const MOST_KEPT: usize = 100;

/// Where secrets were found in plaintext.
#[derive(Debug, Default)]
pub(crate) struct Leaks {
    /// Places that refuse the run.
    pub hits: u64,
    /// Leaves that look like a secret, and that nothing decides.
    pub undecided: u64,
    /// Places that are warned of.
    pub warned: u64,
    /// Places that the mapping declassifies.
    pub declassified: u64,
    /// Copies of whole secrets, by the secret's digest.
    copies: HashMap<[u8; 32], Copies>,
}

#[derive(Debug, Default)]
struct Copies {
    findings: Vec<Finding>,
    count: u64,
}

impl Leaks {
    /// A copy of a whole secret: it refuses the run, unless the secret turns out to be only dropped.
    pub(super) fn add_copy(&mut self, secret: [u8; 32], finding: Finding) {
        let copies = self.copies.entry(secret).or_default();
        copies.count += 1;
        if copies.findings.len() < MOST_KEPT {
            copies.findings.push(finding);
        }
    }

    /// Whether something refuses the run: what is undecided, would be in plaintext, or is a copy of a secret that is not
    /// only dropped.
    pub(crate) fn refuse(&self, is_only_dropped: impl Fn(&[u8; 32]) -> bool) -> bool {
        self.hits > 0 || self.undecided > 0 || self.copies.keys().any(|secret| !is_only_dropped(secret))
    }

    /// Counts the copies, and reports their findings: of a secret that was only dropped they are warnings.
    pub(super) fn decide(&mut self, is_only_dropped: impl Fn(&[u8; 32]) -> bool, report: &mut dyn FnMut(Finding)) {
        for (secret, Copies { mut findings, count }) in std::mem::take(&mut self.copies) {
            let only_dropped = is_only_dropped(&secret);
            let total = if only_dropped { &mut self.warned } else { &mut self.hits };
            *total += count;
            if only_dropped {
                for finding in &mut findings {
                    (finding.code, finding.severity) = (&SECRET_WORD, SECRET_WORD.severity);
                }
            }
            // What is past the limit of places is counted with the last of them.
            let more = usize::try_from(count).unwrap_or(usize::MAX) - findings.len();
            if let Some(last) = findings.last().cloned() {
                std::iter::repeat_n(last, more).for_each(&mut *report);
            }
            findings.into_iter().for_each(&mut *report);
        }
    }
}
