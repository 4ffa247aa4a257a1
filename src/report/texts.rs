//! Every text of a report that may come from the source, to be searched for secrets before it is
//! written. The patterns are exhaustive, so that every new field must be decided here.

use super::{
    CaughtReport, CheckReport, DeclassifiedReport, FileReport, FindingReport, IgnoredReport, LossyReport, OwnerReport,
    PlaceReport, Report, SecretsReport, Shared, SourceReport,
};

impl Report {
    /// Visits every text that may come from the source. The words of treelift, of the mapping set and of
    /// the schema are not among them: to withhold one of those would reveal that it is a secret.
    pub fn each_text(&mut self, see: &mut dyn FnMut(&mut String)) {
        let Report {
            report_version: _,
            run_id: _,
            run: _,
            mode: _,
            outcome: _,
            verdict: _,
            source: SourceReport { root, files: _, bytes: _ },
            mappings: _,
            target: _,
            files,
            leaves: _,
            caught_all,
            owners,
            coverage: _,
            ignored,
            lossy,
            tables: _,
            compared: _,
            unverified: _,
            columns: _,
            findings,
            secrets:
                SecretsReport {
                    sealed: _,
                    opened_again: _,
                    hashed: _,
                    plaintext_hits: _,
                    plaintext_warned: _,
                    plaintext_declassified: _,
                    declassified,
                },
            checks,
            timings: _,
            losses: _,
            after: _,
            plan: _,
            set_aside: _,
            replays: _,
            as_in: _,
        } = self;
        see(root);
        files.change(|file| {
            let FileReport {
                path,
                mapping: _,
                status: _,
                reason,
                shape: _,
                owner,
                bytes: _,
                records: _,
                rejected: _,
                leaves: _,
            } = file;
            see_shared(path, see);
            reason.iter_mut().chain(owner).for_each(|text| see_shared(text, see));
        });
        for CaughtReport { mapping: _, path, count: _ } in caught_all {
            see(path);
        }
        for OwnerReport { directory, id, how, files: _ } in owners {
            see(directory);
            id.iter_mut().for_each(&mut *see);
            see(how);
        }
        for IgnoredReport { what, reason, files: _, leaves: _ } in ignored {
            see(what);
            see(reason);
        }
        for LossyReport { what: _, reason, leaves: _ } in lossy {
            see(reason);
        }
        for FindingReport { code: _, severity: _, message, place, help: _, count: _, subject, mapping: _ } in findings {
            see(message);
            see(subject);
            if let Some(PlaceReport { file, record: _, pointer, line: _, column: _ }) = place {
                see(file);
                pointer.iter_mut().for_each(&mut *see);
            }
        }
        for DeclassifiedReport { path, reason } in declassified {
            see(path);
            see(reason);
        }
        for CheckReport { name: _, category: _, status: _, detail } in checks {
            detail.iter_mut().for_each(&mut *see);
        }
    }
}

/// Visits a text that others may have too: it is theirs as it was.
fn see_shared(text: &mut Shared, see: &mut dyn FnMut(&mut String)) {
    let mut seen = text.to_string();
    see(&mut seen);
    if seen != **text {
        *text = seen.into();
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn every_text_of_the_source_is_visited() {
        let mut report = sample::refused();
        report.owners.push(OwnerReport { directory: "d".into(), id: Some("i".into()), how: "h".into(), files: 1 });
        report.ignored.push(IgnoredReport { what: "w".into(), reason: "r".into(), files: 1, leaves: 0 });
        report.each_text(&mut |text| text.clear());
        let kept: Vec<String> = report
            .findings
            .iter()
            .flat_map(|finding| {
                let place = finding.place.iter().flat_map(|place| place.pointer.iter().chain([&place.file]));
                place.chain([&finding.message, &finding.subject]).cloned().collect::<Vec<_>>()
            })
            .chain(report.files.iter().flat_map(|file| {
                let owner = file.owner.as_ref().map_or_else(String::new, Shared::to_string);
                [file.path.to_string(), owner]
            }))
            .chain(report.owners.iter().flat_map(|owner| [owner.directory.clone(), owner.how.clone()]))
            .chain(report.ignored.iter().flat_map(|ignored| [ignored.what.clone(), ignored.reason.clone()]))
            .filter(|text| !text.is_empty())
            .collect();
        assert_eq!(kept, Vec::<String>::new());
    }
}
