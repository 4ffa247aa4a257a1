//! Many small files: the store of an invented chat program, one file per thing.

use crate::child::{Import, Usage};
use crate::people::remove;
use crate::rows::{Row, goal, seconds};
use crate::script;
use crate::series::Series;
use crate::v1_tree::random::Random;
use crate::v1_tree::stamp::Stamp;
use crate::{Bench, Result, settle};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

const SCRIPT: &str = "files-script";
const MEMORY: &str = "files-memory";

/// `files-script` and `files-memory`.
pub(crate) fn measure(bench: &Bench) -> Result<Vec<Row>> {
    if !bench.wants(&[SCRIPT, MEMORY]) {
        return Ok(Vec::new());
    }
    let set = script::root().join("benches/parlor");
    bench.treelift.check(&set)?;
    let files = bench.sizes.small_files;
    let (few, many) = (tree(bench, files / 4)?, tree(bench, files)?);
    let python = bench.python(SCRIPT);
    let [database, other] = ["files.db", "files-script.db"].map(|name| bench.path(name));
    let import = |tree: &Path| -> Result<Usage> {
        remove(&database)?;
        bench.treelift.import(&Import { tree, database: &database, set: Some(&set), flags: &[], statuses: &[0] })
    };
    let [mut small, mut large, mut script] = [Series::default(), Series::default(), Series::default()];
    let mut module = String::new();
    bench.rounds.compare(|round| {
        bench.say(&format!("{files} small files, round {}", round + 1));
        if bench.wants(&[MEMORY]) {
            small.push(import(&few)?);
        }
        large.push(import(&many)?);
        if let Some(python) = &python {
            remove(&other)?;
            let (usage, said) = python.run("parlor.py", &many, &other, &set.join("schema"))?;
            script.push(usage);
            module = said;
            if round == 0 {
                script::same_rows(&database, &other)?;
            }
        }
        Ok(())
    })?;
    [&database, &other].into_iter().try_for_each(|path| remove(path))?;

    let mut rows = Vec::new();
    if python.is_some() {
        let [ours, theirs] = [&large, &script].map(|series| seconds(series.of(|usage| usage.cpu).value));
        let row = Row::new(
            SCRIPT,
            format!("{files} small files, CPU"),
            (large.to(&script, |usage| usage.cpu), "x"),
            goal(1.0, 0.7),
        );
        rows.push(row.from(format!("import {ours}, script ({module}) {theirs}")));
    }
    if bench.wants(&[MEMORY]) {
        let [less, more] = [&small, &large].map(|series| series.of(|usage| usage.peak / 1e6));
        let between = f64::from(files - files / 4);
        let value = crate::series::Spread {
            value: (more.value - less.value) * 1e3 / between,
            low: (more.low - less.high) * 1e3 / between,
            high: (more.high - less.low) * 1e3 / between,
        };
        let row = Row::new(MEMORY, "memory by file of a tree of small ones", (value, "KB"), goal(0.3, 0.0));
        rows.push(row.from(format!(
            "peak {:.1} MB with {} files, {:.1} MB with {files}",
            less.value,
            files / 4,
            more.value
        )));
    }
    Ok(rows)
}

fn tree(bench: &Bench, files: u32) -> Result<PathBuf> {
    let root = bench.path(&format!("files-{files}"));
    let mut store = Store { root: root.join("store"), left: files, random: Random::new(1) };
    store.file("version.json", &json!({ "version": 1 }))?;
    while store.left > 0 {
        store.desk()?;
    }
    settle();
    Ok(root)
}

/// A store being written, until it has its number of files.
struct Store {
    root: PathBuf,
    left: u32,
    random: Random,
}

impl Store {
    fn file(&mut self, path: &str, value: &Value) -> Result<()> {
        if self.left == 0 {
            return Ok(());
        }
        self.left -= 1;
        let path = self.root.join(path);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, serde_json::to_vec_pretty(value)?)?;
        Ok(())
    }

    fn id(&mut self, prefix: &str) -> String {
        const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let letters: String = (0..22).map(|_| char::from(self.random.pick(LETTERS))).collect();
        format!("{prefix}_{letters}")
    }

    fn time(&mut self) -> String {
        Stamp::random(&mut self.random).to_string()
    }

    /// About so many words, with what a JSON text must escape and with letters beyond ASCII.
    fn text(&mut self, most: u32) -> String {
        let words = 1 + self.random.below(most);
        (0..words).map(|_| self.random.pick(&WORDS)).collect::<Vec<_>>().join(" ")
    }

    fn amounts(&mut self) -> Value {
        let mut below = |most| self.random.below(most);
        json!({ "input": below(20_000), "output": below(4_000), "cached": below(100_000) })
    }

    fn price(&mut self) -> Value {
        json!(f64::from(1 + self.random.below(9_999)) / 10_000.0)
    }

    fn desk(&mut self) -> Result<()> {
        let id = self.id("dsk");
        let name = self.text(3);
        let (created, updated) = (self.time(), self.time());
        let colour = self.random.pick(&["teal", "amber", "plum"]);
        let desk = json!({
            "id": id, "name": name, "folder": format!("/home/someone/{id}"), "theme": { "colour": colour, "icon": "lamp" },
            "time": { "created": created, "updated": updated },
        });
        self.file(&format!("desk/{id}.json"), &desk)?;
        for _ in 0..3 {
            self.grant(&id)?;
        }
        for _ in 0..2 + self.random.below(20) {
            self.talk(&id)?;
        }
        Ok(())
    }

    fn grant(&mut self, desk: &str) -> Result<()> {
        let id = self.id("gnt");
        let (tool, answer) = (self.random.pick(&TOOLS), self.random.pick(&["once", "always", "never"]));
        let time = json!({ "asked": self.time(), "answered": self.time() });
        let grant =
            json!({ "id": id, "desk": desk, "tool": tool, "pattern": "src/**", "answer": answer, "time": time });
        self.file(&format!("grant/{desk}/{id}.json"), &grant)
    }

    fn talk(&mut self, desk: &str) -> Result<()> {
        let id = self.id("tlk");
        let model = json!({ "maker": "example", "name": self.random.pick(&["small-1", "large-2"]) });
        let sums = json!({ "added": self.random.below(900), "removed": self.random.below(400), "files": self.random.below(30) });
        let time = json!({ "created": self.time(), "updated": self.time() });
        let title = self.text(9);
        let talk = json!({ "id": id, "desk": desk, "parent": null, "title": title, "model": model, "sums": sums, "time": time });
        self.file(&format!("talk/{desk}/{id}.json"), &talk)?;
        let steps: Vec<_> = (1..=2 + self.random.below(6)).map(|number| self.step(number)).collect();
        self.file(&format!("plan/{id}.json"), &steps.into())?;
        let changes: Vec<_> = (0..1 + self.random.below(5)).map(|number| self.change(number)).collect();
        self.file(&format!("change/{id}.json"), &changes.into())?;
        for number in 0..2 + self.random.below(14) {
            self.turn(&id, if number % 2 == 0 { "person" } else { "helper" })?;
        }
        Ok(())
    }

    fn step(&mut self, number: u32) -> Value {
        let (text, state) = (self.text(12), self.random.pick(&["open", "doing", "done"]));
        json!({ "number": number, "text": text, "state": state, "rank": self.random.pick(&["high", "low"]) })
    }

    fn change(&mut self, number: u32) -> Value {
        let path = format!("src/part_{number}/{}.txt", self.random.pick(&TOOLS));
        let (before, after) = (self.text(250), self.text(250));
        let (added, removed) = (self.random.below(90), self.random.below(40));
        json!({ "path": path, "before": before, "after": after, "added": added, "removed": removed })
    }

    fn turn(&mut self, talk: &str, role: &str) -> Result<()> {
        let id = self.id("trn");
        let place = json!({ "folder": "/home/someone/work", "root": "/" });
        let mut turn =
            json!({ "id": id, "talk": talk, "role": role, "place": place, "time": { "created": self.time() } });
        let amounts = self.amounts();
        if role == "helper" {
            turn["model"] = json!({ "maker": "example", "name": "large-2" });
            turn["use"] = amounts.clone();
            turn["cacheKey"] = self.id("seen").into();
            turn["finish"] = "stop".into();
            turn["time"]["finished"] = self.time().into();
        }
        self.file(&format!("turn/{talk}/{id}.json"), &turn)?;
        for _ in 0..1 + self.random.below(6) {
            self.piece(talk, &id)?;
        }
        if role == "helper" {
            let (price, billed) = (self.price(), self.time());
            let time = json!({ "billed": billed });
            let bill =
                json!({ "turn": id, "talk": talk, "maker": "example", "price": price, "use": amounts, "time": time });
            self.file(&format!("bill/{talk}/{id}.json"), &bill)?;
        }
        Ok(())
    }

    fn piece(&mut self, talk: &str, turn: &str) -> Result<()> {
        let id = self.id("pce");
        let mut piece = json!({ "id": id, "turn": turn, "talk": talk });
        match self.random.below(10) {
            0..3 => {
                piece["kind"] = "step".into();
                piece["mark"] = self.id("mrk").into();
                piece["price"] = self.price();
                piece["use"] = self.amounts();
            }
            3..6 => {
                piece["kind"] = "text".into();
                piece["text"] = self.text(500).into();
            }
            _ => {
                piece["kind"] = "tool".into();
                piece["tool"] = self.random.pick(&TOOLS).into();
                piece["call"] = self.id("call").into();
                let (path, offset) = (self.text(4), self.random.below(2_000));
                let (output, title) = (self.text(1_000), self.text(6));
                let time = json!({ "start": self.time(), "end": self.time() });
                let input = json!({ "path": path, "offset": offset, "options": { "exact": true, "depth": [1, 2] } });
                piece["state"] =
                    json!({ "status": "done", "input": input, "output": output, "title": title, "time": time });
            }
        }
        self.file(&format!("piece/{turn}/{id}.json"), &piece)
    }
}

const TOOLS: [&str; 5] = ["read", "write", "search", "list", "run"];
const WORDS: [&str; 20] = [
    "lamp",
    "the",
    "of",
    "a",
    "window",
    "said\n",
    "\"quoted\"",
    "Énergie",
    "which",
    "path\\to\\it",
    "table",
    "carpet",
    "–",
    "and",
    "so",
    "number",
    "\tindented",
    "fn main() {}",
    "north",
    "piece",
];
