//! A second opinion: what an import of a V1 tree must give, counted from the files alone.
//!
//! It shares no line with the program: `serde_json` reads whole files into trees here, and the rules
//! are V1's own, as far as the sample and the generated trees need them.

use crate::house::hex;
use md5::{Digest, Md5};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A source tree, read whole.
pub(crate) struct Tree {
    /// Path below the root, bytes.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    people: Vec<Value>,
}

/// A login as it must come out again: service, user name, password.
pub(crate) type Login = (String, String, String);

impl Tree {
    /// Reads every file below the root.
    pub(crate) fn read(root: &Path) -> Self {
        let entries = walkdir::WalkDir::new(root).sort_by_file_name().into_iter().map(Result::unwrap);
        let path = |path: &Path| path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        let files: BTreeMap<_, _> = entries
            .filter(|entry| entry.file_type().is_file())
            .map(|entry| (path(entry.path()), fs::read(entry.path()).unwrap()))
            .collect();
        // A list that is missing or cannot be read names nobody.
        let people = match files.get("users/users.json").and_then(|bytes| parse(bytes)) {
            Some(Value::Array(people)) => people,
            Some(Value::Object(mut wrapper)) => match wrapper.remove("users") {
                Some(users) => users.as_array().cloned().unwrap(),
                // Keyed by id.
                None => wrapper.into_iter().map(|(_, person)| person).collect(),
            },
            _ => Vec::new(),
        };
        Self { files, people }
    }

    /// The people of `users.json`, without the tutorial's entry.
    pub(crate) fn people(&self) -> impl Iterator<Item = &Value> {
        self.people.iter().filter(|person| !is_tutorial(person))
    }

    /// The id of the person a directory below `users/` belongs to.
    pub(crate) fn owner(&self, directory: &str) -> Option<String> {
        let linked = |name: &str| -> String {
            name.chars().map(|c| if c.is_ascii_alphanumeric() || "_-".contains(c) { c } else { '_' }).collect()
        };
        let hashed = directory.contains('@').then(|| hex(&Md5::digest(directory.trim().to_lowercase())));
        let named = |person: &&Value| {
            let id = text(&person["id"]);
            id == directory
                || hashed.as_deref() == Some(id)
                || person["friendlyName"].as_str().map(linked).as_deref() == Some(directory)
        };
        self.people().find(named).map(|person| text(&person["id"]).to_owned())
    }

    /// The documents called `name` in people's directories: owner's id and content. Of copies in
    /// several directories of one person that are the same to the byte there is one.
    pub(crate) fn owned(&self, name: &str) -> Vec<(String, Value)> {
        let documents = self.named(|file| file == name);
        documents.into_iter().filter_map(|(owner, _, bytes)| Some((owner, parse(bytes)?))).collect()
    }

    /// The files of people whose name below the directory is wanted: owner's id, path, content.
    pub(crate) fn named(&self, wanted: impl Fn(&str) -> bool) -> Vec<(String, &str, &[u8])> {
        let mut seen = BTreeSet::new();
        let of = |(path, bytes): (&'_ String, &'_ Vec<u8>)| {
            let (directory, file) = path.strip_prefix("users/")?.split_once('/')?;
            let owner = self.owner(directory).filter(|_| wanted(file))?;
            seen.insert((owner.clone(), file.to_owned(), bytes.clone())).then_some(owner)
        };
        let mut of = of;
        self.files.iter().filter_map(|file| Some((of(file)?, file.0.as_str(), file.1.as_slice()))).collect()
    }

    /// How many rows each table must have, where it must have any.
    pub(crate) fn rows(&self) -> BTreeMap<String, u64> {
        let orders = self.work_orders();
        let stores = self.stores();
        let fitted = stores.iter().filter(|((owner, key), _)| orders.contains(&(owner.clone(), digits(key))));
        let in_stores: usize = fitted.map(|(_, entry)| length(&entry["dispensers"])).sum();
        let (schedule_changes, change_history) = self.changes();
        let settings = self.files.get("settings.json").and_then(|bytes| parse(bytes)).unwrap_or(Value::Null);
        let active = self.people().any(|person| person["id"] == settings["activeUserId"]);
        let counts = [
            ("users", self.people().count()),
            ("user_sessions", usize::from(active)),
            ("user_credentials", self.logins().len()),
            ("user_preferences", self.preferences().len()),
            ("global_settings", settings.as_object().map_or(0, serde_json::Map::len) + self.mail_account()),
            ("tutorial_data", self.tutorials()),
            ("user_activities", self.owned("activity_log.json").iter().map(|(_, log)| length(log)).sum()),
            ("user_dispenser_data", stores.len()),
            ("work_orders", orders.len()),
            ("dispensers", in_stores + self.embedded(&stores)),
            ("prover_settings", self.provers().len()),
            ("user_completed_jobs", self.completed().len()),
            ("user_batch_history", self.batches()),
            ("user_schedule_changes", schedule_changes + self.summaries()),
            ("user_change_history", change_history),
        ];
        let some = counts.into_iter().filter(|(_, count)| *count > 0);
        some.map(|(table, count)| (table.to_owned(), count as u64)).collect()
    }

    /// Owner and number of every order in a main or an older file.
    pub(crate) fn work_orders(&self) -> BTreeSet<(String, String)> {
        let files = SCRAPES.into_iter().flat_map(|name| self.owned(name));
        files
            .flat_map(|(owner, scrape)| {
                let orders = scrape["workOrders"].as_array().cloned().unwrap_or_default();
                orders.into_iter().map(move |order| (owner.clone(), digits(text(&order["id"]))))
            })
            .collect()
    }

    fn stores(&self) -> BTreeMap<(String, String), Value> {
        let files = self.owned("dispenser_store.json").into_iter();
        files
            .flat_map(|(owner, store)| {
                let entries = store["dispenserData"].as_object().cloned().unwrap_or_default();
                entries.into_iter().map(move |(key, entry)| ((owner.clone(), key), entry))
            })
            .collect()
    }

    fn email_settings(&self) -> impl Iterator<Item = (String, Value)> {
        ["email_settings.json", "email-settings.json"].into_iter().flat_map(|name| self.owned(name))
    }

    fn preferences(&self) -> BTreeSet<(String, &'static str)> {
        let notified = self.people().filter(|person| {
            person["notificationSettings"].is_object()
                || self.legacy(person).is_some_and(|legacy| legacy["notificationSettings"].is_object())
        });
        let notified = notified.map(|person| (text(&person["id"]).to_owned(), "notification"));
        let of_files = |name: &str, category| self.owned(name).into_iter().map(move |(owner, _)| (owner, category));
        let emails = self.email_settings().map(|(owner, _)| (owner, "email"));
        let provers = self.owned("prover_preferences.json").into_iter();
        let provers = provers.filter(|(_, of)| of["provers"].is_array()).map(|(owner, _)| (owner, "prover"));
        notified.chain(emails).chain(of_files("pushover_settings.json", "pushover")).chain(provers).collect()
    }

    /// What the list one level up says of a person.
    pub(crate) fn legacy(&self, person: &Value) -> Option<Value> {
        let list = parse(self.files.get("users.json")?)?;
        let address = |value: &Value| text(&value["email"]).trim().to_lowercase();
        list.as_array()?.iter().find(|legacy| address(legacy) == address(person)).cloned()
    }

    fn tutorials(&self) -> usize {
        let people = self.people.iter().filter(|person| is_tutorial(person)).count();
        let stores = self.owned("dispenser_store.json");
        let tour = self.files.iter().filter(|(path, bytes)| {
            path.strip_prefix("users/tutorial/").is_some_and(|file| !file.contains('/')) && !blank(bytes)
        });
        people + tour.count() + stores.iter().filter(|(_, store)| store["dispensers"].is_array()).count()
    }

    /// The rows that the one mail account makes: itself, its login name, its password.
    fn mail_account(&self) -> usize {
        let document = |name: &str| self.files.get(name).and_then(|bytes| parse(bytes));
        let wrapped = document("user-settings.json").map(|settings| settings["email"].clone());
        let Some(account) = wrapped.or_else(|| document("email-settings.json")) else { return 0 };
        1 + ["username", "password"].iter().filter(|name| !text(&account[**name]).is_empty()).count()
    }

    /// Dispensers inside orders that no store has an entry for, from the newest file of the order.
    fn embedded(&self, stores: &BTreeMap<(String, String), Value>) -> usize {
        let mut newest: BTreeMap<(String, String), (String, usize)> = BTreeMap::new();
        for name in SCRAPES {
            for (owner, scrape) in self.owned(name) {
                let metadata = &scrape["metadata"];
                let time = [&metadata["timestamp"], &metadata["extractedAt"]].into_iter().map(text).max();
                for order in scrape["workOrders"].as_array().into_iter().flatten() {
                    let found = (time.unwrap_or_default().to_owned(), length(&order["dispensers"]));
                    let held = newest.entry((owner.clone(), text(&order["id"]).trim().to_owned())).or_default();
                    if found.0 > held.0 {
                        *held = found;
                    }
                }
            }
        }
        newest.iter().filter(|(key, _)| !stores.contains_key(*key)).map(|(_, (_, count))| count).sum()
    }

    fn provers(&self) -> BTreeSet<(String, String)> {
        let files = self.owned("prover_preferences.json").into_iter();
        files
            .flat_map(|(owner, of)| {
                members(&of["provers"], "prover_id").map(move |id| (owner.clone(), id)).collect::<Vec<_>>()
            })
            .collect()
    }

    /// Owner and number, with its `W-`, of every completed job.
    pub(crate) fn completed(&self) -> BTreeSet<(String, String)> {
        let files = self.owned("completed_jobs.json").into_iter();
        files
            .flat_map(|(owner, of)| {
                let numbers = of["completedJobs"].as_array().cloned().unwrap_or_default();
                numbers.into_iter().map(move |number| (owner.clone(), format!("W-{}", digits(text(&number)))))
            })
            .collect()
    }

    fn batches(&self) -> usize {
        let runs: usize =
            self.owned("batch_history.json").iter().map(|(_, of)| of.as_array().map_or(0, Vec::len)).sum();
        runs + self.named(|file| file.starts_with("batch_checkpoint_")).len()
    }

    /// How many rows the reports of changes make: of each event as many as in the feed that has it most often.
    fn changes(&self) -> (usize, usize) {
        let mut schedule: BTreeMap<Event, BTreeMap<String, usize>> = BTreeMap::new();
        let mut history = schedule.clone();
        let mut count = |owner: &str, feed: &str, report: &Value, sent: bool| {
            for (bucket, item) in items(report) {
                let event = event(owner, &bucket, &item);
                *schedule.entry(event.clone()).or_default().entry(feed.to_owned()).or_default() += 1;
                if sent {
                    *history.entry(event).or_default().entry(feed.to_owned()).or_default() += 1;
                }
            }
        };
        for (owner, path, bytes) in self.named(is_report) {
            let (folder, name) = path.rsplit_once('/').unwrap();
            let feed = format!("{folder}/{}", if name.starts_with("changes_") { "changes_" } else { name });
            for report in reports(parse(bytes)).iter().filter(|report| report["isTutorial"] != true) {
                count(&owner, &feed, report, true);
            }
        }
        for (path, bytes) in &self.files {
            let digest = path.strip_prefix("notification-digests/").and_then(|name| name.strip_suffix("-digest.json"));
            if let Some(owner) = digest.and_then(|directory| self.owner(directory)) {
                reports(parse(bytes)).iter().for_each(|report| count(&owner, "digest", report, false));
            }
        }
        let most = |events: BTreeMap<Event, BTreeMap<String, usize>>| {
            events.into_values().map(|feeds| feeds.into_values().max().unwrap_or(0)).sum()
        };
        (most(schedule), most(history))
    }

    /// How many rows the summaries in words make: one of each text, for here no archive has twins.
    fn summaries(&self) -> usize {
        let texts = self.named(|file| file.rsplit('/').next().unwrap().starts_with("schedule_changes"));
        let said = |(owner, _, bytes): (String, &str, &[u8])| {
            let said = String::from_utf8(bytes.to_vec()).unwrap();
            let heading = |line: &str| line.trim().trim_matches('-').is_empty() || line.trim() == "All Changes:";
            (!said.lines().all(heading)).then_some((owner, said))
        };
        texts.into_iter().filter_map(said).collect::<BTreeSet<_>>().len()
    }

    /// Every login that must open again, by user id.
    pub(crate) fn logins(&self) -> BTreeSet<(String, Login)> {
        let mut logins = BTreeMap::new();
        for person in self.people().filter(|person| !text(&person["password"]).is_empty()) {
            let login = (text(&person["email"]).trim().to_owned(), text(&person["password"]).to_owned());
            logins.insert((text(&person["id"]).to_owned(), "workfossa"), login);
        }
        // The file that exists only for the login wins over the list.
        for (owner, login) in self.owned("work_fossa_credentials.json") {
            let login = (text(&login["username"]).trim().to_owned(), text(&login["password"]).to_owned());
            logins.insert((owner, "workfossa"), login);
        }
        for (owner, settings) in self.email_settings() {
            let account = if settings["smtp"].is_object() { &settings["smtp"] } else { &settings };
            if !text(&account["password"]).is_empty() {
                let login = (text(&account["username"]).to_owned(), text(&account["password"]).to_owned());
                logins.insert((owner, "email"), login);
            }
        }
        let by_age = |of: &(String, Value)| text(&of.1["lastUpdated"]).to_owned();
        let mut messages = self.owned("pushover_settings.json");
        messages.sort_by_key(by_age);
        for (service, name, password) in
            [("pushover", "userKey", "appToken"), ("pushover_open_client", "deviceId", "userSecret")]
        {
            // The newest file counts, also where it says that there are none any more.
            for (owner, of) in &messages {
                let login = (text(&of[name]).to_owned(), text(&of[password]).to_owned());
                logins.insert((owner.clone(), service), login);
            }
        }
        for person in self.people() {
            if let Some(key) = self.legacy(person).map(|legacy| text(&legacy["pushoverKey"]).to_owned()) {
                logins.entry((text(&person["id"]).to_owned(), "pushover")).or_insert((key, String::new()));
            }
        }
        logins.retain(|_, (name, password)| !(name.is_empty() && password.is_empty()));
        let login = |((owner, service), (name, password))| (owner, (String::from(service), name, password));
        logins.into_iter().map(login).collect()
    }

    /// Every secret value of the tree, by the names of members, in ignored files too.
    pub(crate) fn secrets(&self) -> BTreeSet<String> {
        let mut secrets = BTreeSet::new();
        for document in self.files.values().filter_map(|bytes| parse(bytes)) {
            collect_secrets(&document, &mut secrets);
        }
        secrets
    }

    /// How many leaves a file that is read has: scalars, empty containers, and the member names that
    /// are data because a mapping takes every member.
    pub(crate) fn leaves(&self, path: &str) -> u64 {
        let Some(document) = parse(&self.files[path]) else { return 1 };
        let names = match path.rsplit('/').next().unwrap() {
            "settings.json" => length(&document),
            "dispenser_store.json" => length(&document["dispenserData"]),
            _ if path.contains("/tutorial/") => 0,
            name if is_report(name) || name.ends_with("-digest.json") => reports(Some(document.clone()))
                .iter()
                .map(|report| items(report).into_iter().filter_map(|(bucket, _)| bucket).collect::<BTreeSet<_>>().len())
                .sum(),
            _ => 0,
        };
        leaves(&document) + names as u64
    }
}

/// What tells one event from another: owner, kind, and the orders and days that it is about.
type Event = (String, String, Vec<String>);

const SCRAPES: [&str; 3] = ["scraped_content.json", "scraped_content.previous.json", "previous_scraped_content.json"];

fn event(owner: &str, bucket: &Option<String>, item: &Value) -> Event {
    let kind = item["type"].as_str().or(bucket.as_deref()).unwrap_or_default().to_owned();
    let about = |name: &&String| {
        let name = name.to_lowercase();
        name.ends_with("jobid") || name.ends_with("1id") || name.ends_with("2id") || name.contains("date")
    };
    let members = item.as_object().unwrap();
    let mut about: Vec<_> =
        members.keys().filter(about).map(|name| format!("{name}={}", text(&members[name]))).collect();
    about.sort();
    (owner.to_owned(), kind, about)
}

/// A file that holds reports of changes, by its name below the directory.
fn is_report(file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap();
    name == "change_history.json" || (name.starts_with("changes_") && name.ends_with(".json"))
}

fn reports(document: Option<Value>) -> Vec<Value> {
    match document {
        Some(Value::Array(reports)) => reports,
        other => other.into_iter().collect(),
    }
}

/// The items of a report, each with the list that it stands in where the lists have kinds.
fn items(report: &Value) -> Vec<(Option<String>, Value)> {
    let flat =
        |list: &Value| list.as_array().cloned().unwrap_or_default().into_iter().map(|item| (None, item)).collect();
    let by_kind = |lists: &Value| {
        let lists = lists.as_object().into_iter().flatten();
        lists
            .flat_map(|(kind, list)| {
                list.as_array().into_iter().flatten().map(|item| (Some(kind.clone()), item.clone()))
            })
            .collect()
    };
    let changes = &report["changes"];
    let ways: [Vec<_>; 5] =
        [flat(&changes["allChanges"]), flat(&report["allChanges"]), by_kind(changes), flat(changes), by_kind(report)];
    ways.into_iter().find(|items| !items.is_empty()).unwrap_or_default()
}

fn members<'v>(list: &'v Value, name: &'v str) -> impl Iterator<Item = String> + 'v {
    list.as_array().into_iter().flatten().map(move |one| text(&one[name]).to_owned())
}

fn blank(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_whitespace)
}

fn collect_secrets(value: &Value, into: &mut BTreeSet<String>) {
    const NAMES: [&str; 7] = ["password", "apptoken", "userkey", "usersecret", "deviceid", "pushoverkey", "apitoken"];
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect_secrets(item, into)),
        Value::Object(members) => {
            for (name, value) in members {
                match value.as_str().filter(|secret| !secret.is_empty()) {
                    Some(secret) if NAMES.contains(&name.to_lowercase().as_str()) => {
                        into.insert(secret.to_owned());
                    }
                    _ => collect_secrets(value, into),
                }
            }
        }
        _ => {}
    }
}

fn leaves(value: &Value) -> u64 {
    match value {
        Value::Array(items) if !items.is_empty() => items.iter().map(leaves).sum(),
        Value::Object(members) if !members.is_empty() => members.values().map(leaves).sum(),
        _ => 1,
    }
}

fn is_tutorial(person: &Value) -> bool {
    person["isTutorial"] == true || person["id"] == "tutorial"
}

fn parse(bytes: &[u8]) -> Option<Value> {
    serde_json::from_slice(bytes).ok()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn length(value: &Value) -> usize {
    value.as_array().map_or(0, Vec::len) + value.as_object().map_or(0, serde_json::Map::len)
}

/// A work order's number without its `W-`.
fn digits(id: &str) -> String {
    id.trim().trim_start_matches("W-").to_owned()
}
