//! The pipeline: files in plan order, turn by turn and owner by owner, through mapping and
//! settling into the transaction.

use crate::error::{Error, Result};
use crate::finding::{
    Finding, OWNER_AMBIGUOUS, OWNER_IGNORED, OWNER_NONE, OWNER_REJECTED, OWNER_TWINS, OWNER_TWO, OWNER_UNKNOWN,
    OWNER_UNREAD, Severity, printable,
};
use crate::import::file::Pass;
use crate::import::files::{Why, file_id};
use crate::import::leaves::deciding_line;
use crate::import::owners::{Matcher, OwnerMatch, Unread};
use crate::import::plan::Disposition;
use crate::import::run::{Import, Parts};
use crate::mapping::apply::Owner;
use crate::mapping::model::{Ownerless, Unknown};
use crate::mapping::order::{Stage, Turn};
use crate::mapping::{near, suggest};
use crate::report::{FileStatus, OwnerReport, words};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The files of one owner, or those without: by mapping, in reading order.
pub(crate) type Files = BTreeMap<usize, Vec<usize>>;

impl Import<'_> {
    /// Reads, maps and writes everything, in plan order.
    pub fn read_all(&mut self) -> Result<()> {
        let (plan, turns) = (self.plan, self.plan.turns());
        let of_turn = |turn: &Turn| plan.rules.iter().flat_map(|rules| plan.order.rules_of(rules, *turn)).collect();
        self.writer.order(turns.iter().flat_map(|turn| -> Vec<_> { of_turn(turn) }));
        let (mut ownerless, mut by_directory) = self.sort_files()?;
        let before = self.expected(&ownerless, |stage| stage == Stage::Before);
        self.readers.expect(self.plan, None, before.into_iter());
        self.in_reading_order(&mut ownerless)?;
        for turn in turns.iter().filter(|turn| turn.stage == Stage::Before) {
            self.take_turn(*turn, &ownerless, None)?;
        }
        let mut owners = self.resolve(&mut by_directory)?;
        self.refuse_unknown_owners(&owners)?;
        self.leave_as_before(&mut owners);
        for (owner, files) in &owners {
            let files = self.expected(files, |_| true);
            self.readers.expect(self.plan, Some(owner), files.into_iter());
        }
        let after = self.expected(&ownerless, |_| true);
        self.readers.expect(self.plan, None, after.into_iter());
        let of_owners: Vec<Turn> = turns.iter().copied().filter(|turn| turn.stage == Stage::Owners).collect();
        for round in of_owners.chunk_by(|turn, next| turn.round == next.round) {
            for (owner, files) in &mut owners {
                if round[0].round == of_owners[0].round {
                    self.fold_aliases(files)?;
                    self.in_reading_order(files)?;
                }
                for turn in round {
                    self.take_turn(*turn, files, Some(owner))?;
                }
                self.resolver.end_owner();
                if round.last() == of_owners.last() {
                    self.readers.forget(self.plan, files.values().flatten().copied());
                }
            }
        }
        for turn in turns.iter().filter(|turn| turn.stage == Stage::After) {
            self.take_turn(*turn, &ownerless, None)?;
        }
        self.writer.write_fills()
    }

    /// Files without an owner by mapping, and files of owners by directory.
    fn sort_files(&mut self) -> Result<(Files, BTreeMap<Option<String>, Files>)> {
        let (mut ownerless, mut owned) = (Files::new(), BTreeMap::<Option<String>, Files>::new());
        self.set_twins_aside()?;
        for (file, disposition) in self.plan.dispositions.iter().enumerate() {
            if self.watch.is_some_and(|watch| !watch.wants(file)) {
                continue; // it has no part in what is asked
            }
            if self.files[file].status.is_some() {
                continue; // it was set aside
            }
            match disposition {
                Disposition::Mapped { mapping, .. } if self.plan.owned(*mapping) => {
                    let directory = self.plan.directory_of(file).map(Cow::into_owned);
                    owned.entry(directory).or_default().entry(*mapping).or_default().push(file);
                }
                Disposition::Mapped { mapping, .. } => ownerless.entry(*mapping).or_default().push(file),
                Disposition::Ignored(why) => self.files[file].ignore_for(Arc::clone(why)),
                Disposition::Unmapped => {
                    let finding = self.unmapped(file);
                    if self.options.set_aside {
                        self.set_file_aside(file, vec![finding])?;
                    } else {
                        self.files[file].status = Some(FileStatus::Unmapped);
                        self.findings.push(finding);
                    }
                }
            }
        }
        ownerless.values_mut().chain(owned.values_mut().flat_map(Files::values_mut)).for_each(Vec::shrink_to_fit);
        Ok((ownerless, owned))
    }

    /// That no mapping reads a file.
    pub(super) fn unmapped(&self, file: usize) -> Finding {
        let path = printable(&self.plan.tree.files[file].path);
        let line = deciding_line(&path, &format!("{}/set.toml", self.plan.set.folder));
        let set = &self.plan.set;
        let read = set.mappings.iter().flat_map(|mapping| {
            mapping.source.files.iter().map(|pattern| (pattern, format!("of mapping `{}`", mapping.name)))
        });
        let ignored = set.ignore.iter().map(|ignore| (&ignore.pattern, "under [ignore]".to_owned()));
        let known: Vec<_> = read.chain(ignored).collect();
        let nearest = near::nearest(known.iter().map(|(pattern, _)| *pattern), &self.plan.tree.files[file].path);
        let nearest = nearest.map_or_else(String::new, |(pattern, how)| {
            let whose = known.iter().find(|(one, _)| *one == pattern).map_or("", |(_, whose)| whose);
            format!("; `{}` {whose} would match it {}", pattern.text, printable(&how))
        });
        let message = format!("no mapping reads `{path}`{nearest}; {line} would leave it out");
        let finding = Finding::new(&crate::finding::FILE_UNMAPPED, message);
        finding.at(self.plan.tree.files[file].place(0)).about("files")
    }

    /// Runs every rule of a turn over its files; then the level is complete.
    fn take_turn(&mut self, turn: Turn, files: &Files, owner: Option<&Owner>) -> Result<()> {
        self.note_lasts(turn, files, owner)?;
        for (mapping, of_mapping) in files {
            let rules = self.plan.order.rules_of(&self.plan.rules[*mapping], turn);
            let first = self.plan.turns_of(*mapping);
            if rules.is_empty() && first.0 != turn {
                continue; // read in another turn
            }
            for file in of_mapping {
                self.heed_signals()?;
                if self.files[*file].status.is_none() {
                    self.mapping = *mapping;
                    let pass = if self.ahead.is_it { Pass::Ahead } else { Pass::Rows };
                    self.read_file(*file, turn, &rules, owner, pass)?;
                }
                if first.1 == turn {
                    self.ui.advance(1, self.plan.tree.files[*file].bytes);
                }
            }
        }
        Ok(())
    }

    /// Finds the owner of each directory. Owners come back in the order of their ids.
    fn resolve(&mut self, by_directory: &mut BTreeMap<Option<String>, Files>) -> Result<Vec<(Arc<Owner>, Files)>> {
        let Some(owners) = &self.plan.set.owners else { return Ok(Vec::new()) };
        let plan = self.plan;
        self.findings.extend(self.resolver.owners.form_twins());
        let resolver = Matcher::new(plan, owners, &self.resolver.owners);
        let mut found: BTreeMap<String, (Owner, Vec<(bool, Files)>)> = BTreeMap::new();
        let (mut resolved, mut looks_alike) = (Vec::new(), Vec::new());
        for (directory, files) in std::mem::take(by_directory) {
            let count: u64 = files.values().map(|files| files.len() as u64).sum();
            let matched = match &directory {
                Some(name) => resolver.find(name),
                None => self.owner_of_ownerless(owners.ownerless),
            };
            if let (Some(name), OwnerMatch::None) = (&directory, &matched)
                && let Some(owner) = resolver.looks_like(name)
            {
                let message =
                    format!("directory `{}` and owner `{}` look the same", printable(name), printable(&owner));
                looks_alike.push(Finding::new(&OWNER_TWINS, message).about("owners"));
            }
            resolved.push((directory, files, count, matched));
        }
        self.findings.extend(looks_alike);
        for (directory, files, count, matched) in resolved {
            let name = directory.clone().unwrap_or_default();
            let (id, how) = match &matched {
                OwnerMatch::One(found) => (Some(found.id.clone()), found.how.clone()),
                OwnerMatch::Rejected => (None, "rejected".to_owned()),
                OwnerMatch::Unread(_) => (None, "unread".to_owned()),
                OwnerMatch::Ambiguous | OwnerMatch::Two(..) => (None, "several".to_owned()),
                OwnerMatch::None => (None, "none".to_owned()),
            };
            let owner = id.as_deref().and_then(|id| self.resolver.owners.get(id)).cloned();
            self.directories.push(OwnerReport { directory: name.clone(), id, how, files: count });
            match (owner, matched) {
                (Some(owner), OwnerMatch::One(hit)) if self.is_wanted(&owner, &name) => {
                    found.entry(owner.id.clone()).or_insert_with(|| (owner, Vec::new())).1.push((hit.alias, files));
                }
                (Some(_), _) => self.skip(&files, "--only-owner", "skipped because of --only-owner"),
                (None, matched) => {
                    self.without_owner(directory.as_deref(), &files, &matched, &owners.unknown)?;
                }
            }
        }
        Ok(found
            .into_values()
            .map(|(owner, mut directories)| {
                // The directory of the id comes first, so that others fold into it.
                directories.sort_by_key(|(alias, _)| *alias);
                let mut all = Files::new();
                for (mapping, files) in directories.into_iter().flat_map(|(_, files)| files) {
                    all.entry(mapping).or_default().extend(files);
                }
                (Arc::new(owner), all)
            })
            .collect())
    }

    /// A requested owner that does not exist is a typo: the run would silently import nothing of theirs.
    fn refuse_unknown_owners(&self, owners: &[(Arc<Owner>, Files)]) -> Result<()> {
        if self.resolver.owners.is_incomplete() {
            return Ok(()); // it may be one that could not be read, which is reported
        }
        let directories = self.directories.iter().map(|found| found.directory.as_str());
        let known: Vec<&str> = directories.chain(owners.iter().map(|(owner, _)| owner.id.as_str())).collect();
        let hint = |name: &str| {
            let all = "owners are named by their directory or id; `--json` lists both under `owners`";
            suggest::nearest(name, known.iter().copied()).map_or_else(|| all.to_owned(), suggest::meant)
        };
        for name in &self.options.only_owner {
            let is_directory = self.directories.iter().any(|found| found.directory == *name && found.id.is_some());
            if !is_directory && !owners.iter().any(|(owner, _)| owner.id == *name) {
                let error = Error::request(format!(
                    "`--only-owner {}` matches no owner of a file in the source",
                    printable(name)
                ));
                return Err(error.hint(hint(name)));
            }
        }
        match &self.options.owner {
            Some(id) if matches!(self.resolver.owners.given(id), OwnerMatch::None) => {
                Err(Error::request(format!("`--owner {}` is not the id of an owner", printable(id))).hint(hint(id)))
            }
            _ => Ok(()),
        }
    }

    fn is_wanted(&self, owner: &Owner, directory: &str) -> bool {
        let only = &self.options.only_owner;
        only.is_empty() || only.contains(&owner.id) || only.iter().any(|name| name == directory)
    }

    pub(super) fn owner_of_ownerless(&self, ownerless: Option<Ownerless>) -> OwnerMatch {
        match (&self.options.owner, ownerless) {
            (Some(id), _) => self.resolver.owners.given(id),
            (None, Some(Ownerless::OnlyUser)) => self.resolver.owners.only(),
            (None, Some(Ownerless::Refuse) | None) => OwnerMatch::None,
        }
    }

    fn skip(&mut self, files: &Files, what: &str, reason: &str) {
        let why = Arc::new(Why::ignored(what, reason));
        for file in files.values().flatten() {
            self.files[*file].ignore_for(Arc::clone(&why));
        }
        self.resolver.index.reveal(&|number| files.values().flatten().any(|file| file_id(*file).0 == number));
    }

    /// Takes files whose owner could not be found: refused, ignored, or rejected with their owner.
    fn without_owner(
        &mut self,
        directory: Option<&str>,
        files: &Files,
        matched: &OwnerMatch,
        unknown: &Unknown,
    ) -> Result<()> {
        let first = files.values().flatten().min().copied();
        let place = first.map(|file| self.plan.tree.files[file].place(0));
        let count = files.values().flatten().count();
        let shown = match directory {
            Some(name) => format!("directory `{}`", printable(name)),
            None => "files without an owner".to_owned(),
        };
        let counted = words::count(count as u64, "file");
        let mut finding = if *matched == OwnerMatch::Rejected {
            let message = format!("the owner of {shown} was rejected: {counted} rejected too");
            let finding = Finding::new(&OWNER_REJECTED, message);
            self.reject_with_owner(files, "the owner was rejected", &finding)?;
            finding
        } else if let OwnerMatch::Unread(Unread { at, whole }) = matched {
            let path = printable(&self.plan.tree.files[at.file.0 as usize].path);
            let what = if *whole { format!("`{path}`") } else { format!("a record of `{path}`") };
            let message =
                format!("the owner of {shown} is unknown, because {what} was rejected: {counted} rejected too");
            let finding = Finding::new(&OWNER_UNREAD, message);
            self.reject_with_owner(files, &format!("the owner is unknown, because {what} was rejected"), &finding)?;
            finding.at(*at)
        } else if let OwnerMatch::Two(one, other) = matched {
            let message = format!("two owners were made in {shown}: {counted} not imported");
            Finding::new(&OWNER_TWO, message).at(*other).also(Some(*one))
        } else if *matched == OwnerMatch::Ambiguous {
            let message = format!("several owners match {shown}: {counted} not imported");
            Finding::new(&OWNER_AMBIGUOUS, message)
        } else {
            let ownerless = self.plan.set.owners.as_ref().filter(|_| directory.is_none());
            let ignored = ownerless.and_then(|owners| owners.ownerless_ignored.clone()).map(Unknown::Ignore);
            let refused = ownerless.is_some_and(|owners| owners.ownerless == Some(Ownerless::Refuse));
            let unknown = if refused { &Unknown::Refuse } else { ignored.as_ref().unwrap_or(unknown) };
            match (unknown, directory) {
                (Unknown::Ignore(reason), _) => {
                    let what = directory
                        .map_or_else(|| "files without an owner".to_owned(), |name| format!("directory {name}"));
                    self.skip(files, &what, reason);
                    Finding::new(&OWNER_IGNORED, format!("no owner matches {shown}: {counted} skipped"))
                }
                (Unknown::Refuse, Some(_)) => {
                    Finding::new(&OWNER_UNKNOWN, format!("no owner matches {shown}: {counted} skipped"))
                }
                (Unknown::Refuse, None) => {
                    let need = if count == 1 { "needs one and was" } else { "need one and were" };
                    Finding::new(&OWNER_NONE, format!("{counted} without an owner {need} not imported"))
                }
            }
        };
        finding.place = finding.place.or(place);
        let is_set_aside = self.options.set_aside && finding.severity == Severity::Error;
        if is_set_aside && !files.values().flatten().all(|file| self.files[*file].status.is_some()) {
            self.reject_with_owner(files, "no owner was found", &finding)?;
        }
        for file in files.values().flatten() {
            if self.files[*file].status.is_none() {
                self.files[*file].status = Some(FileStatus::Unmapped);
            }
        }
        self.findings.push(finding.about("owners"));
        Ok(())
    }

    /// Rejects files because their owner was, or could not be read: each of them is a reject.
    fn reject_with_owner(&mut self, files: &Files, reason: &str, finding: &Finding) -> Result<()> {
        self.rejects.errors += 1;
        let why = Arc::new(Why::rejected(reason));
        for file in files.values().flatten() {
            self.files[*file].reject(Some(Arc::clone(&why)));
            self.rejects.count += 1;
            let Parts { rejects, cx, .. } = self.parts();
            rejects.keep_file(&cx, *file, std::slice::from_ref(finding))?;
        }
        Ok(())
    }

    /// Files in about the order in which they are read first: those whose time decides about their order, then by turn.
    fn expected(&self, files: &Files, of: impl Fn(Stage) -> bool) -> Vec<usize> {
        let mut first: Vec<_> = files
            .iter()
            .map(|(mapping, files)| (!self.is_timed(*mapping, files), self.plan.turns_of(*mapping).0, files))
            .filter(|(is_untimed, turn, _)| !is_untimed || of(turn.stage))
            .collect();
        first.sort_by_key(|(is_untimed, turn, _)| (*is_untimed, *turn));
        first.into_iter().flat_map(|(_, _, files)| files).copied().collect()
    }

    /// Whether files of a mapping are sorted by their time.
    fn is_timed(&self, mapping: usize, files: &[usize]) -> bool {
        !self.plan.set.mappings[mapping].source.newest.is_empty() && files.len() > 1
    }

    /// Sorts the files of each mapping: newest first where it says so, else by its patterns, then by path.
    fn in_reading_order(&mut self, files: &mut Files) -> Result<()> {
        for (mapping, of_mapping) in files {
            let pattern = |file: &usize| match &self.plan.dispositions[*file] {
                Disposition::Mapped { pattern, .. } => *pattern,
                _ => usize::MAX,
            };
            of_mapping.sort_by_key(|file| (pattern(file), *file));
            if !self.is_timed(*mapping, of_mapping) {
                continue; // nothing to compare
            }
            let mut times: HashMap<usize, Option<crate::instant::Instant>> = HashMap::new();
            for file in of_mapping.iter() {
                self.heed_signals()?;
                times.insert(*file, self.time_of(*file, *mapping));
            }
            // Newest first, those without a time last, ties as they were.
            of_mapping.sort_by(|a, b| times[b].cmp(&times[a]));
        }
        Ok(())
    }
}
