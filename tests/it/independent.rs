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
        // A list that cannot be read names nobody.
        let people = match parse(&files["users/users.json"]) {
            Some(Value::Array(people)) => people,
            Some(Value::Object(mut wrapper)) => {
                wrapper.remove("users").and_then(|users| users.as_array().cloned()).unwrap()
            }
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

    /// The documents called `name` in people's directories: owner's id, path, content.
    fn owned(&self, name: &str) -> Vec<(String, Value)> {
        let of = |(path, bytes): (&String, &Vec<u8>)| {
            let (directory, file) = path.strip_prefix("users/")?.split_once('/')?;
            if file != name {
                return None;
            }
            Some((self.owner(directory)?, parse(bytes)?))
        };
        self.files.iter().filter_map(of).collect()
    }

    /// How many rows each table must have, where it must have any.
    pub(crate) fn rows(&self) -> BTreeMap<String, u64> {
        let orders = self.work_orders();
        let stores = self.stores();
        let fitted = stores.iter().filter(|((owner, key), _)| orders.contains(&(owner.clone(), digits(key))));
        let settings = self.files.get("settings.json").and_then(|bytes| parse(bytes)).unwrap_or(Value::Null);
        let active = self.people().any(|person| person["id"] == settings["activeUserId"]);
        let counts = [
            ("users", self.people().count()),
            ("user_sessions", usize::from(active)),
            ("user_credentials", self.logins().len()),
            ("user_preferences", self.preferences().len()),
            ("global_settings", settings.as_object().map_or(0, serde_json::Map::len)),
            ("tutorial_data", self.tutorials()),
            ("user_activities", self.owned("activity_log.json").iter().map(|(_, log)| length(log)).sum()),
            ("user_dispenser_data", stores.len()),
            ("work_orders", orders.len()),
            ("dispensers", fitted.map(|(_, entry)| length(&entry["dispensers"])).sum()),
        ];
        let some = counts.into_iter().filter(|(_, count)| *count > 0);
        some.map(|(table, count)| (table.to_owned(), count as u64)).collect()
    }

    /// Owner and number of every order in a main or an older file.
    pub(crate) fn work_orders(&self) -> BTreeSet<(String, String)> {
        let names = ["scraped_content.json", "scraped_content.previous.json", "previous_scraped_content.json"];
        let files = names.into_iter().flat_map(|name| self.owned(name));
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
        let notified = self.people().filter(|person| person["notificationSettings"].is_object());
        let notified = notified.map(|person| (text(&person["id"]).to_owned(), "notification"));
        notified.chain(self.email_settings().map(|(owner, _)| (owner, "email"))).collect()
    }

    fn tutorials(&self) -> usize {
        let people = self.people.iter().filter(|person| is_tutorial(person)).count();
        let stores = self.owned("dispenser_store.json");
        people + stores.iter().filter(|(_, store)| store["dispensers"].is_array()).count()
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
        let document = parse(&self.files[path]).unwrap();
        let names = match path.rsplit('/').next().unwrap() {
            "settings.json" => length(&document),
            "dispenser_store.json" => length(&document["dispenserData"]),
            _ => 0,
        };
        leaves(&document) + names as u64
    }
}

fn collect_secrets(value: &Value, into: &mut BTreeSet<String>) {
    const NAMES: [&str; 6] = ["password", "apptoken", "userkey", "usersecret", "pushoverkey", "apitoken"];
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
