//! An invented V1 tree of any size, in the shapes that V1 really wrote.
//!
//! Everything is made of a seed, so the same plan gives the same bytes on every machine. A person's
//! files hang on the seed and on the person's number alone: a larger tree begins with a smaller one.

pub(crate) mod random;
pub(crate) mod stamp;

use md5::{Digest, Md5};
use random::Random;
use stamp::Stamp;
use std::fmt::{self, Write as _};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// How large the tree is.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// People in `users.json`, each with a directory.
    pub(crate) users: u32,
    /// Work orders in each person's main file.
    pub(crate) orders: u32,
    /// Entries in each person's activity log.
    pub(crate) activities: u32,
    /// What everything is made of.
    pub(crate) seed: u64,
}

impl Default for Plan {
    fn default() -> Self {
        Self { users: 1_000, orders: 40, activities: 60, seed: 1 }
    }
}

/// What was written.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Total {
    /// Files.
    pub(crate) files: u64,
    /// Their bytes.
    pub(crate) bytes: u64,
}

/// Orders that the previous scrape had and the main file has no more.
const GONE: u32 = 1;
/// Orders that stand in the previous file as well as in the main one.
const KEPT: u32 = 1;

/// Writes the tree. The directory may exist, its files may not.
pub(crate) fn write(root: &Path, plan: &Plan) -> io::Result<Total> {
    let mut total = Total::default();
    let people: Vec<Person> = (0..plan.users).map(|number| Person::new(plan.seed, number)).collect();
    fs::create_dir_all(root.join("users"))?;
    let active = people.first().map_or("null".to_owned(), |person| format!("\"{}\"", person.id));
    file(root, "settings.json", &mut total, |out| write!(out, "{{\n  \"activeUserId\": {active}\n}}"))?;
    file(root, "users/users.json", &mut total, |out| {
        list(out, "", people.iter(), |out, person| person.write_entry(out))
    })?;
    for person in &people {
        person.write_files(root, plan, &mut total)?;
    }
    Ok(total)
}

/// Streams one new file.
fn file(
    root: &Path,
    path: &str,
    total: &mut Total,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(256 * 1024, File::create_new(root.join(path))?);
    write(&mut out)?;
    let file = out.into_inner()?;
    total.files += 1;
    total.bytes += file.metadata()?.len();
    Ok(())
}

/// A JSON array as `JSON.stringify(value, null, 2)` lays it out; `indent` is that of the bracket's line.
fn list<T>(
    out: &mut impl Write,
    indent: &str,
    items: impl Iterator<Item = T>,
    mut write: impl FnMut(&mut dyn Write, T) -> io::Result<()>,
) -> io::Result<()> {
    let mut empty = true;
    for item in items {
        out.write_all(if empty { b"[\n" } else { b",\n" })?;
        empty = false;
        out.write_all(indent.as_bytes())?;
        out.write_all(b"  ")?;
        write(out, item)?;
    }
    if empty {
        return out.write_all(b"[]");
    }
    write!(out, "\n{indent}]")
}

struct Person {
    id: String,
    name: String,
    login: String,
    password: String,
    random: Random,
}

impl Person {
    fn new(seed: u64, number: u32) -> Self {
        let mut random = Random::new(seed ^ (u64::from(number) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let (first, last) = (random.pick(&FIRST_NAMES), random.pick(&LAST_NAMES));
        let login = format!("{}.{}.{number}@example.com", first.to_lowercase(), last.to_lowercase());
        let id = Md5::digest(login.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
            let _infallible = write!(hex, "{byte:02x}");
            hex
        });
        // Letters, digits, and what a JSON text must escape.
        let password = (0..14).map(|_| random.pick(&PASSWORD_CHARACTERS)).collect();
        Self { id, name: format!("{first} {last}"), login, password, random }
    }

    fn write_entry(&self, out: &mut dyn Write) -> io::Result<()> {
        let Self { id, name, login, password, .. } = self;
        let mut random = self.random.clone();
        let used = Stamp::random(&mut random);
        let frequency = random.pick(&["immediate", "daily"]);
        write!(
            out,
            r#"{{
    "id": "{id}",
    "email": "{login}",
    "password": "{password}",
    "label": "{name}",
    "lastUsed": "{used}",
    "configuredEmail": "alerts.{login}",
    "notificationSettings": {{
      "enabled": true,
      "email": {{
        "enabled": true,
        "frequency": "{frequency}",
        "deliveryTime": "18:00"
      }},
      "pushover": {{
        "enabled": false,
        "priority": "normal"
      }}
    }}
  }}"#,
            password = Escaped(password)
        )
    }

    fn write_files(&self, root: &Path, plan: &Plan, total: &mut Total) -> io::Result<()> {
        let directory = format!("users/{}", self.id);
        fs::create_dir(root.join(&directory))?;
        let mut random = self.random.clone();
        let stamp = Stamp::random(&mut random);
        let first = 100_000 + random.below(800_000 - plan.orders - GONE);
        let orders = |from: u32, count: u32| (from..from + count).map(|number| Order::new(&self.random, number));
        let path = |name: &str| format!("{directory}/{name}");

        file(root, &path("scraped_content.json"), total, |out| {
            self.write_scrape(out, orders(first + GONE, plan.orders), &stamp)
        })?;
        file(root, &path("scraped_content.previous.json"), total, |out| {
            self.write_scrape(out, orders(first, (GONE + KEPT).min(GONE + plan.orders)), &stamp.earlier())
        })?;
        file(root, &path("dispenser_store.json"), total, |out| {
            write_store(out, orders(first + GONE, plan.orders.div_ceil(2)), &stamp)
        })?;
        file(root, &path("email_settings.json"), total, |out| self.write_email(out, &stamp))?;
        file(root, &path("activity_log.json"), total, |out| {
            list(out, "", 0..plan.activities, |out, _| self.write_activity(out, &mut random))
        })
    }

    fn write_scrape(&self, out: &mut impl Write, orders: impl Iterator<Item = Order>, at: &Stamp) -> io::Result<()> {
        out.write_all(b"{\n  \"workOrders\": ")?;
        list(out, "  ", orders, |out, order| order.write(out))?;
        let id = &self.id;
        write!(out, ",\n  \"metadata\": {{\n    \"timestamp\": \"{at}\",\n    \"user\": \"{id}\"\n  }}\n}}")
    }

    fn write_email(&self, out: &mut impl Write, at: &Stamp) -> io::Result<()> {
        let login = &self.login;
        write!(out, "{{\n  \"recipientEmail\": \"{login}\",\n")?;
        for shown in ["JobId", "StoreNumber", "StoreName", "Location", "Date", "Dispensers"] {
            writeln!(out, "  \"show{shown}\": true,")?;
        }
        write!(out, "  \"lastUpdated\": \"{at}\"\n}}")
    }

    fn write_activity(&self, out: &mut dyn Write, random: &mut Random) -> io::Result<()> {
        let (id, login) = (&self.id, &self.login);
        let (what, at) = (random.pick(&["login", "scrape", "settings", "export"]), Stamp::random(random));
        let orders = random.below(40);
        write!(
            out,
            r#"{{
    "userId": "{id}",
    "username": "{login}",
    "activityType": "{what}",
    "details": {{
      "orders": {orders},
      "source": "automatic"
    }},
    "timestamp": "{at}"
  }}"#
        )
    }
}

/// A work order, the same in every file that names its number.
struct Order {
    number: u32,
    random: Random,
}

impl Order {
    fn new(person: &Random, number: u32) -> Self {
        Self { number, random: person.fork(u64::from(number)) }
    }

    fn visit(&self) -> u32 {
        self.number + 100_000
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut random = self.random.clone();
        let (number, visit) = (self.number, self.visit());
        let (brand, store) = (random.pick(&BRANDS), 1_000 + random.below(98_000));
        let (month, day) = (1 + random.below(12), 1 + random.below(28));
        let (count, location) = (1 + random.below(10), 10_000 + random.below(900_000));
        let street = format!("{} {}", 1 + random.below(9_900), random.pick(&STREETS));
        let city = format!("{} FL {:05}", random.pick(&TOWNS), 501 + random.below(98_000));
        let county = random.pick(&COUNTIES);
        // Four lines in four of nine addresses, three in the others; `street` is the whole block.
        let (line, last) = match random.below(9) {
            0..4 => ("Corner of First & Second".to_owned(), city.clone()),
            _ => (city.clone(), county.to_owned()),
        };
        let block = if last == county {
            format!("{street}  {city} {county}")
        } else {
            format!("{street} {line} {city} {county}")
        };
        let bundle = if random.below(100) < 72 { BUNDLE } else { "" };
        let instructions = random.pick(&INSTRUCTIONS);
        let creator = random.pick(&FIRST_NAMES);
        write!(
            out,
            r##"{{
      "id": "W-{number}",
      "customer": {{
        "name": "{brand}",
        "storeNumber": "#{store}",
        "address": {{
          "street": "{block}",
          "intersection": "{street}",
          "cityState": "{line}",
          "county": "{last}"
        }},
        "storeUrl": "https://app.example.com/app/customers/locations/{location}/"
      }},
      "services": [{bundle}
        {{
          "type": "Meter Calibration",
          "quantity": {count},
          "description": "All Dispensers",
          "code": "2861"
        }}
      ],
      "visits": {{
        "nextVisit": {{
          "date": "{month:02}/{day:02}/2025",
          "time": "anytime",
          "url": "/app/work/{number}/visits/{visit}/",
          "visitId": "{visit}"
        }}
      }},
      "instructions": "{instructions}",
      "rawHtml": ""##
        )?;
        write!(
            out,
            r#"<div class=\"work-list-item\" data-order=\"{number}\">\n  <div class=\"title\"><a href=\"/app/work/{number}/\">W-{number}</a> <span class=\"status\">0 / 1</span></div>\n  <div class=\"muted\">{creator} Doe • {month:02}/{day:02}/2025 09:15am</div>\n  <div class=\"customer\"><a href=\"/app/customers/{location}/\">{brand}</a> #{store}</div>\n  <div class=\"county\">{county}</div>\n"#
        )?;
        // The row's markup repeats itself; what differs is numbers.
        for row in 0..15 {
            let (a, b) = (random.below(100_000), random.below(100_000));
            write!(
                out,
                r#"  <div class=\"row row-{row} d-flex align-items-center justify-content-between\" data-row=\"{a:05}\" aria-label=\"Line {row}\">\n    <span class=\"cell cell-name text-truncate\" title=\"Line {row} – of the list\">Line {row}</span>\n    <span class=\"cell cell-value\"><a href=\"/app/lines/{b:05}/\" class=\"btn btn-sm btn-link\">{b:05}</a></span>\n  </div>\n"#
            )?;
        }
        out.write_all(b"</div>\"\n    }")
    }

    fn write_entry(&self, out: &mut dyn Write, at: &Stamp) -> io::Result<()> {
        let mut random = self.random.fork(7);
        write!(
            out,
            "\"W-{}\": {{\n      \"visitId\": \"VISIT-{}\",\n      \"dispensers\": ",
            self.number,
            self.visit()
        )?;
        list(&mut &mut *out, "      ", 0..2 + random.below(6), |out, position| {
            let (first, second) = (position * 2 + 1, position * 2 + 2);
            let (maker, serial) = (random.pick(&MAKERS), random.below(100_000_000));
            let grades = random.pick(&GRADES);
            write!(
                out,
                r#"{{
          "title": "{first}/{second} - {grades} - {maker}",
          "serial": "EX{serial:08}",
          "make": "Make: {maker}",
          "model": "Model: X{first}",
          "fields": {{
            "Grade": "{grades}",
            "Stand Alone Code": "0000",
            "Number of Nozzles (per side)": "1",
            "Meter Type": "Electronic"
          }}
        }}"#
            )
        })?;
        write!(out, ",\n      \"lastUpdated\": \"{at}\"\n    }}")
    }
}

fn write_store(out: &mut impl Write, orders: impl Iterator<Item = Order>, at: &Stamp) -> io::Result<()> {
    out.write_all(b"{\n  \"dispenserData\": {")?;
    let mut stores = 0_u32;
    for order in orders {
        out.write_all(if stores == 0 { b"\n    " } else { b",\n    " })?;
        order.write_entry(out, at)?;
        stores += 1;
    }
    let end = if stores == 0 { "" } else { "\n  " };
    write!(
        out,
        "{end}}},\n  \"metadata\": {{\n    \"created\": \"{at}\",\n    \"lastUpdated\": \"{at}\",\n    \"totalStores\": {stores}\n  }}\n}}"
    )
}

/// A text as the content of a JSON string.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '"' | '\\' => write!(f, "\\{c}"),
            _ => f.write_char(c),
        })
    }
}

const BUNDLE: &str = r#"
        {
          "type": "Combo",
          "quantity": 1,
          "description": "Example Calibration Services",
          "code": "CAL-SERV"
        },"#;
const FIRST_NAMES: [&str; 8] = ["Ada", "Bela", "Cleo", "Dario", "Emi", "Farid", "Greta", "Hugo"];
const LAST_NAMES: [&str; 8] = ["Amber", "Birch", "Cedar", "Dune", "Elm", "Fjord", "Grove", "Heath"];
const BRANDS: [&str; 4] = ["Example Fuels", "Sample’s “Quick Stop”", "Placeholder Petrol", "Demo Énergie"];
const STREETS: [&str; 4] = ["Elm St", "Sample Rd", "Oak Ave", "Long Acre Pkwy"];
const TOWNS: [&str; 4] = ["Exampleville", "Sampleton", "Port Placeholder", "Saint Demo"];
const COUNTIES: [&str; 3] = ["Demo County", "Placeholder County", "Santa Muestra County"];
const MAKERS: [&str; 2] = ["Examplemake", "Othermake"];
const GRADES: [&str; 4] =
    ["Regular, Plus, Premium", "Diesel", "Regular, Ethanol-Free", "Regular, Plus, Premium, Diesel"];
const INSTRUCTIONS: [&str; 3] = [
    r"Call ahead: 555-0100.\nUse the rear gate.",
    "Only the pumps on the site’s “north” island\u{a0}– ask for the manager.",
    r"Bring the open neck prover.\nTwo stores share one forecourt.\n\nNo parking.",
];
const PASSWORD_CHARACTERS: [char; 24] = [
    'a', 'c', 'e', 'g', 'i', 'k', 'm', 'o', 'q', 's', 'u', 'w', 'B', 'D', 'F', 'H', '1', '3', '5', '7', '"', '\\', '!',
    'ñ',
];
