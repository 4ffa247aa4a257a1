//! The registry run as it is documented, and what its examples do not show.

use super::*;

/// A step as a mapping has it: a bare word, or a table of one entry.
fn parse(toml: &str) -> Result<Step, String> {
    let document: toml::Table = toml::from_str(&format!("step = {toml}")).expect("the test's TOML is valid");
    parse_value(&document["step"])
}

fn parse_value(value: &toml::Value) -> Result<Step, String> {
    match literal(value) {
        Literal::Text(name) => Step::parse(&name, None),
        Literal::Table(entries) => match entries.as_slice() {
            [(name, argument)] => Step::parse(name, Some(argument)),
            _ => panic!("a step is a table of one entry"),
        },
        _ => panic!("a step is a word or a table"),
    }
}

fn literal(value: &toml::Value) -> Literal {
    match value {
        toml::Value::Boolean(value) => Literal::Bool(*value),
        toml::Value::Integer(number) => Literal::Integer(*number),
        toml::Value::Float(number) => Literal::Real(*number),
        toml::Value::String(text) => Literal::Text(text.clone()),
        toml::Value::Array(parts) => Literal::List(parts.iter().map(literal).collect()),
        toml::Value::Table(entries) => {
            Literal::Table(entries.iter().map(|(name, value)| (name.clone(), literal(value))).collect())
        }
        toml::Value::Datetime(_) => panic!("no step takes a TOML time"),
    }
}

/// A source value: numbers stay as they are written.
fn datum(json: &str) -> Datum {
    match serde_json::from_str(json).expect("the test's JSON is valid") {
        serde_json::Value::Bool(value) => Datum::Bool(value),
        serde_json::Value::Number(_) => Datum::Number(json.to_owned()),
        serde_json::Value::String(text) => Datum::Text(text),
        serde_json::Value::Array(parts) => Datum::List(parts.iter().map(|part| datum(&part.to_string())).collect()),
        _ => panic!("steps take scalars"),
    }
}

fn describe(result: Result<Option<Datum>, String>) -> String {
    match result {
        Ok(Some(datum)) => describe_datum(&datum),
        Ok(None) => "missing".to_owned(),
        Err(error) => format!("error: {error}"),
    }
}

fn describe_datum(datum: &Datum) -> String {
    match datum {
        Datum::Null => "null".to_owned(),
        Datum::Bytes(bytes) => format!("x'{}'", crate::hex::encode(bytes)),
        Datum::Bool(value) => value.to_string(),
        Datum::Number(text) | Datum::Json(text) => text.clone(),
        Datum::Text(text) => format!("\"{text}\""),
        Datum::Integer(number) => number.to_string(),
        Datum::Civil(time) => time.to_string(),
        Datum::Day(day) => day.to_string(),
        Datum::Instant(time, _) => time.to_string(),
        Datum::List(parts) => {
            format!("[{}]", parts.iter().map(describe_datum).collect::<Vec<_>>().join(", "))
        }
    }
}

fn run(toml: &str, json: &str) -> String {
    let step = parse(toml).unwrap_or_else(|error| panic!("{toml}: {error}"));
    describe(step.apply(datum(json)))
}

fn refusal(toml: &str) -> String {
    parse(toml).expect_err("the step is wrong")
}

/// The kind of a value, in the words of [`Step::output`].
fn kind(datum: &Datum) -> OutputType {
    match datum {
        Datum::Bool(_) => OutputType::Bool,
        Datum::Number(_) => OutputType::Number,
        Datum::Text(_) => OutputType::Text,
        Datum::Json(_) => OutputType::Json,
        Datum::Null => OutputType::Same,
        Datum::Bytes(_) => OutputType::Bytes,
        Datum::Integer(_) => OutputType::Integer,
        Datum::Civil(_) => OutputType::Civil,
        Datum::Day(_) => OutputType::Day,
        Datum::Instant(..) => OutputType::Instant,
        Datum::List(_) => OutputType::List,
    }
}

#[test]
fn every_example_does_what_the_reference_says() {
    for info in REGISTRY {
        assert!(!info.examples.is_empty(), "`{}` has no example", info.name);
        for (toml, json, output) in info.examples {
            assert_eq!(run(toml, json), *output, "{toml} on {json}");
            assert_eq!(parse(toml).map(|step| step.name()), Ok(info.name));
        }
    }
}

#[test]
fn every_example_takes_and_gives_what_the_step_declares() {
    for (toml, json, _) in REGISTRY.iter().flat_map(|info| info.examples) {
        let step = parse(toml).expect("an example");
        let input = datum(json);
        let given = kind(&input);
        if let Ok(Some(output)) = step.apply(input) {
            let accepts = step.accepts();
            assert!(accepts.contains(&given) || accepts.contains(&OutputType::Same), "{toml} on {json}");
            let same = step.output() == OutputType::Same && output != Datum::Null;
            let declared = if same { given } else { step.output() };
            assert_eq!(kind(&output), declared, "{toml} on {json}");
        }
    }
}

#[test]
fn what_keeps_is_what_the_reference_says() {
    for (info, (toml, ..)) in REGISTRY.iter().flat_map(|info| info.examples.iter().map(move |example| (info, example)))
    {
        let keeps = parse(toml).expect("an example").keeps();
        match info.keeps {
            "yes" => assert!(keeps, "{toml}"),
            "no" => assert!(!keeps, "{toml}"),
            "without `part`" => assert_eq!(keeps, !toml.contains("part"), "{toml}"),
            _ => assert_eq!(keeps, !toml.contains("otherwise") && !toml.contains("skip"), "{toml}"),
        }
    }
    assert!(!parse("{ map = { a = 1, b = 1 } }").expect("a map").keeps());
}

#[test]
fn the_reference_has_the_table_of_the_registry() {
    let readme = include_str!("../../mappings/README.md");
    let (_, after) = readme.split_once("<!-- steps:begin -->\n").expect("the table's begin marker");
    let (table, _) = after.split_once("<!-- steps:end -->").expect("the table's end marker");
    assert_eq!(table, reference_table(), "replace the text between the markers with the right side");
}

#[test]
fn wrong_steps_are_refused_with_the_right_form() {
    let wrong = [
        r#""trimm""#,
        r#""uppercase""#,
        r#"{ trim = true }"#,
        r#""prefix""#,
        r#"{ prefix = "" }"#,
        r#"{ prefix = 1 }"#,
        r#"{ require = '(' }"#,
        r#"{ require = '[z-a]' }"#,
        r#"{ extract = '(?<a>.)(?<b>.)' }"#,
        r#"{ replace = ["a"] }"#,
        r#"{ replace = ["(a)", "$1x"] }"#,
        r#"{ split = { on = ",", prt = 1 } }"#,
        r#"{ split = { on = "," } }"#,
        r#"{ split = { on = ",", part = 0 } }"#,
        r#"{ map = {} }"#,
        r#"{ map = { a = 1, b = "x" } }"#,
        r#"{ map = { a = 1.5 } }"#,
        r#"{ map = { values = { a = 1 }, else = 2 } }"#,
        r#"{ map = { values = { a = 1 }, otherwise = "x" } }"#,
        r#"{ null_if = "x" }"#,
        r#"{ null_if = [] }"#,
        r#"{ null_if = [["x"]] }"#,
    ];
    let refusals: Vec<String> = wrong.iter().map(|toml| refusal(toml)).collect();
    assert_eq!(
        refusals,
        [
            "unknown step `trimm`, did you mean `trim`?",
            "unknown step `uppercase`, expected one of `trim`, `lower`, `snake_case`, `nfc`, `prefix`, \
             `strip_prefix`, `strip_suffix`, `replace`, `extract`, `matching`, `require`, `split`, `map`, `null_if`, `integer`, \
             `number`, `double`, `text`, `to_json`, `base64`, `hex`, `time`",
            "`trim` takes no argument, write `\"trim\"`",
            "`prefix` needs an argument, write `{ prefix = TEXT }`",
            "the argument of `prefix` is empty",
            "the argument of `prefix` has the wrong form, write `{ prefix = TEXT }`",
            "invalid regular expression `(`: unclosed group",
            "invalid regular expression `[z-a]`: invalid character class range, the start must be <= the end",
            "`extract` takes one named group, and there are several",
            "the argument of `replace` has the wrong form, write `{ replace = [REGEX, TEXT] }`",
            "the replacement names group `1x`, which the regular expression does not have",
            "unknown member `prt` of `split`, did you mean `part`?",
            "`split` needs `part`, write `{ split = TEXT }` or `{ split = { on = TEXT, part = N } }`",
            "`part` is an integer, and the first part is 1",
            "`map` lists no values",
            "all values that one `map` gives must be of one type",
            "`map` gives a string, an integer or a boolean",
            "unknown member `else` of `map`, expected one of `values`, `otherwise`",
            "all values that one `map` gives must be of one type",
            "the argument of `null_if` has the wrong form, write `{ null_if = [LITERAL, …] }`",
            "the list of `null_if` is empty",
            "`null_if` lists strings, numbers and booleans",
        ]
    );
}

#[test]
fn forms_that_lose_or_lack_something_are_refused() {
    let two_digits = |format: &str, letter: char| {
        format!(
            "`{format}` reads a year of two digits (`%{letter}`), whose century would be a guess; put the century in \
             front with `replace`, and read it with `%Y`"
        )
    };
    let mixed = |moment: &str, other: &str| {
        format!(
            "`{moment}` reads a zone and `{other}` none: `zone = \"Europe/Berlin\"` would say whose clocks are meant, `zone = \
             \"none\"` takes the clock times as they are written"
        )
    };
    let own = |text: &str| text.to_owned();
    let wrong = [
        (r#"{ time = [] }"#, own("the list of `time` is empty")),
        (
            r#"{ time = 1 }"#,
            own(
                "the argument of `time` has the wrong form, write `\"time\"`, `{ time = FORM }`, `{ time = [FORM, …] }` or `{ time = { forms = …, zone = ZONE, as = FORM } }`",
            ),
        ),
        (r#"{ time = "%m/%d" }"#, own("`%m/%d` does not give the year, month and day")),
        (
            r#"{ time = "%Y-%m-%d %I:%M" }"#,
            own("`%Y-%m-%d %I:%M` does not give the hour and minute of its time of day"),
        ),
        (r#"{ time = "%Y-%m-%d %H" }"#, own("`%Y-%m-%d %H` does not give the hour and minute of its time of day")),
        (r#"{ time = "%Y-%m-%d%z" }"#, own("`%Y-%m-%d%z` has a zone and no time of day, and a day has no zone")),
        (
            r#"{ time = "%Y-%m-%d %H:%M %Z" }"#,
            own(
                "`%Y-%m-%d %H:%M %Z` reads the name of a zone (`%Z`); a form has an offset (`%z`, `%:z`), or `zone` says whose clocks are meant",
            ),
        ),
        (r#"{ time = "%s" }"#, own("`%s` reads seconds since 1970 (`%s`), which is the form `epoch_s`")),
        (r#"{ time = "%d.%m.%y" }"#, two_digits("%d.%m.%y", 'y')),
        (r#"{ time = "%D" }"#, two_digits("%D", 'D')),
        (r#"{ time = "%g-W%V-%u" }"#, two_digits("%g-W%V-%u", 'g')),
        (
            r#"{ time = "epoch" }"#,
            own("unknown form of time `epoch` (one of `strptime` has a `%`), did you mean `epoch_s`?"),
        ),
        (r#"{ time = { zones = "UTC" } }"#, own("unknown member `zones` of `time`, did you mean `zone`?")),
        (
            r#"{ time = { zone = "Europe/Atlantis" } }"#,
            own(
                "the time zone database has no zone `Europe/Atlantis` (a zone is written like `Europe/Berlin`; `none` takes clock times as they are written)",
            ),
        ),
        (r#"{ time = ["rfc3339", "iso"] }"#, mixed("rfc3339", "iso")),
        (r#"{ time = ["%Y-%m-%d", "epoch_ms"] }"#, mixed("epoch_ms", "%Y-%m-%d")),
        (r#"{ time = ["epoch_s", "epoch_ms"] }"#, own("`epoch_s` and `epoch_ms` read the same numbers differently")),
        (r#"{ time = ["iso", "iso"] }"#, own("the form `iso` stands twice")),
        (
            r#"{ time = { forms = "iso", zone = "none" } }"#,
            own("`zone = \"none\"` has no effect: no form reads a zone"),
        ),
        (r#"{ time = { forms = "%Y-%m-%d", zone = "UTC" } }"#, own("`zone` has no effect: a day has none")),
        (
            r#"{ time = { forms = "iso", as = "epoch_s" } }"#,
            own("`as = \"epoch_s\"` writes what these forms do not give; `zone` would make moments of clock times"),
        ),
        (r#"{ time = { forms = "%Y-%m-%d", as = "iso" } }"#, own("`as = \"iso\"` writes what these forms do not give")),
    ];
    for (toml, expected) in wrong {
        assert_eq!(refusal(toml), expected, "{toml}");
    }
}

#[test]
fn an_unknown_format_is_refused() {
    assert!(refusal(r#"{ time = "%Y-%m-%!" }"#).starts_with("invalid time format `%Y-%m-%!`: "));
}

#[test]
fn steps_apply_to_each_part_of_a_list() {
    assert_eq!(run(r#"{ prefix = "N-" }"#, r#"["1", 2]"#), r#"["N-1", "N-2"]"#);
    assert_eq!(run(r#"{ split = "," }"#, r#"["a,b", ""]"#), r#"[["a", "b"], []]"#);
    assert_eq!(run(r#"{ extract = '\d' }"#, r#"["a1", "b"]"#), "error: part 2 of 2: `extract` found nothing");
    assert_eq!(run(r#""integer""#, r#"["1", "x"]"#), "error: part 2 of 2: expected an integer in decimal digits");
    assert_eq!(run(r#""trim""#, "[]"), "[]");
}

#[test]
fn values_of_another_type_are_refused_in_words() {
    assert_eq!(run(r#""trim""#, "true"), "error: expected a string, found a boolean (put `text` before this step)");
    assert_eq!(run(r#""integer""#, "true"), "error: expected an integer, found a boolean");
    assert_eq!(run(r#""time""#, "true"), "error: expected a time, found a boolean");
    let trim = parse(r#""trim""#).expect("a step");
    assert_eq!(describe(trim.apply(Datum::Json("{}".to_owned()))), "error: expected a string, found JSON");
}

#[test]
fn a_double_keeps_what_it_is_given_unless_it_rounds() {
    for (number, expected) in [
        ("0.1", "0.1"),
        ("1e3", "1000"),
        ("-0.0", "-0"),
        ("9007199254740993", "9007199254740992"),
        (r#""13.404954""#, "13.404954"),
        (r#""x""#, "error: expected a number in decimal digits"),
    ] {
        assert_eq!(run(r#""double""#, number), expected, "{number}");
    }
}

#[test]
fn require_gives_its_value_back_as_it_was() {
    assert_eq!(run(r#"{ require = '^1\.' }"#, "1.50"), "1.50");
}

#[test]
fn a_group_that_took_no_part_is_missing() {
    assert_eq!(run(r#"{ extract = 'a(b)?' }"#, r#""ac""#), "missing");
    assert_eq!(run(r#"{ extract = '(\w)(?<last>\w)$' }"#, r#""abc""#), r#""c""#);
}

#[test]
fn a_moment_needs_every_part_of_it() {
    let results: Vec<String> = [
        "2025-05-07t14:42:18z",
        "2025-05-07 14:42:18.123456-00:00",
        "0001-01-01T00:30:00Z",
        "0001-01-01T00:30:00+01:00",
        "0000-12-31T23:30:00-01:00",
        "9999-12-31T23:59:59.999999Z",
        "9999-12-31T20:30:00-03:00",
        "9999-12-31T23:30:00-01:00",
        "2025-05-07T14:42:18.1234560Z",
        "2025-05-07T14:42:18.000000000000Z",
        "2025-05-07T14:42:18.1234567Z",
        "2025-05-07T14:42:18.1234560001Z",
        "2025-05-07T14:42:60Z",
        "2025-02-29T14:42:18Z",
        "2025-05-07T24:00:00Z",
        "2025-05-07T14:42Z",
        "2025-05-07T14:42:18.Z",
        "2025-05-07T14:42:18+0200",
        "2025-05-07T14:42:18+24:00",
        "2025-05-07T14:42:18Z[UTC]",
        "+12025-05-07T14:42:18Z",
        "２025-05-07T14:42:18Z",
        "",
    ]
    .iter()
    .map(|text| run(r#""time""#, &format!("\"{text}\"")))
    .collect();
    let form = "error: expected a time like `2025-01-31T08:05:00Z`, with `Z` or an offset";
    assert_eq!(
        results,
        [
            "2025-05-07T14:42:18Z",
            "2025-05-07T14:42:18.123456Z",
            "0001-01-01T00:30:00Z",
            "error: expected a year from 1 to 9999 in UTC",
            "0001-01-01T00:30:00Z",
            "9999-12-31T23:59:59.999999Z",
            "9999-12-31T23:30:00Z",
            "error: expected a year from 1 to 9999 in UTC",
            "2025-05-07T14:42:18.123456Z",
            "2025-05-07T14:42:18Z",
            "error: expected at most 6 fractional digits of a second (targets keep microseconds)",
            "error: expected at most 6 fractional digits of a second (targets keep microseconds)",
            "error: expected a second from 00 to 59, a leap second cannot be kept",
            "error: expected a date and time that exist",
            "error: expected a date and time that exist",
            form,
            form,
            form,
            form,
            form,
            form,
            form,
            form,
        ]
    );
}

#[test]
fn a_time_that_is_one_already_is_taken() {
    let of = |toml: &str, datum: Datum| describe(parse(toml).expect("a step").apply(datum));
    let epoch = || Datum::Instant(jiff::Timestamp::UNIX_EPOCH.into(), None);
    let noon = || Datum::Civil("2025-05-07T12:00".parse().expect("a time"));
    assert_eq!(of(r#""time""#, epoch()), "1970-01-01T00:00:00Z");
    assert_eq!(of(r#"{ time = { zone = "none" } }"#, epoch()), "1970-01-01T00:00:00");
    assert_eq!(of(r#""time""#, noon()), "2025-05-07T12:00:00");
    assert_eq!(of(r#"{ time = { zone = "Europe/Berlin" } }"#, noon()), "2025-05-07T10:00:00Z");
    assert_eq!(of(r#"{ time = { zone = "Asia/Tokyo", as = "rfc3339" } }"#, epoch()), r#""1970-01-01T09:00:00+09:00""#);
    assert_eq!(
        of(r#"{ time = { as = "epoch_s" } }"#, noon()),
        "error: `as = \"epoch_s\"` cannot hold this time, which has no zone"
    );
}

#[test]
fn the_start_of_a_run_is_cut_to_what_is_asked_for() {
    let started: jiff::Timestamp = "2025-05-07T14:42:18.987654Z".parse().expect("a time");
    for (form, expected) in [
        ("epoch_s", "1746628938"),
        ("epoch_ms", "1746628938987"),
        ("epoch_us", "1746628938987654"),
        ("rfc3339", r#""2025-05-07T14:42:18.987654Z""#),
        ("rfc2822", r#""Wed, 7 May 2025 14:42:18 +0000""#),
        ("%Y-%m-%d %H:%M", r#""2025-05-07 14:42""#),
        ("%d.%m.%Y", r#""07.05.2025""#),
    ] {
        let step = parse(&format!("{{ time = {{ as = \"{form}\" }} }}")).expect("a step");
        let start = Datum::Instant(started.into(), None);
        assert_eq!(describe(step.apply_to_start(start)), expected, "{form}");
    }
}

#[test]
fn numbers_of_an_epoch_are_read_exactly() {
    let far = "error: expected a year from 1 to 9999 in UTC";
    let fine = "error: expected at most 6 fractional digits of a second (targets keep microseconds)";
    let words = "error: expected the seconds since 1970 in decimal digits";
    for (form, json, expected) in [
        ("epoch_s", "0", "1970-01-01T00:00:00Z"),
        ("epoch_s", "-1", "1969-12-31T23:59:59Z"),
        ("epoch_s", "-0.5", "1969-12-31T23:59:59.5Z"),
        ("epoch_s", r#""1690000000""#, "2023-07-22T04:26:40Z"),
        ("epoch_s", "1690000000.125", "2023-07-22T04:26:40.125Z"),
        ("epoch_s", "1690000000.1234560", "2023-07-22T04:26:40.123456Z"),
        ("epoch_s", "1690000000.1234567", fine),
        ("epoch_s", "253402300799", "9999-12-31T23:59:59Z"),
        ("epoch_s", "253402300800", far),
        ("epoch_s", "-62135596800", "0001-01-01T00:00:00Z"),
        ("epoch_s", "-62135596801", far),
        ("epoch_s", "99999999999999999999", far),
        ("epoch_s", "1.69e9", words),
        ("epoch_s", r#""1,690""#, words),
        ("epoch_s", r#"" 1""#, words),
        ("epoch_s", r#""007""#, words),
        ("epoch_s", r#""""#, words),
        ("epoch_ms", "1690000000125.5", "2023-07-22T04:26:40.1255Z"),
        ("epoch_us", "1690000000000001", "2023-07-22T04:26:40.000001Z"),
        ("epoch_us", "1690000000000001.5", fine),
        ("webkit_us", "13334473600000000", "2023-07-22T04:26:40Z"),
        ("webkit_us", "0", "1601-01-01T00:00:00Z"),
    ] {
        assert_eq!(run(&format!("{{ time = \"{form}\" }}"), json), expected, "{form} {json}");
    }
    for number in ["0", "-1", "1690000000.125", "-0.5", "253402300799.999999"] {
        let again = r#"{ time = { forms = "epoch_s", as = "epoch_s" } }"#;
        assert_eq!(run(again, number), number);
    }
}

#[test]
fn times_of_mails_and_web_servers_are_read() {
    let wanted = "error: expected a time like `Fri, 31 Jan 2025 08:05:00 +0000`";
    for (text, expected) in [
        ("Wed, 07 May 2025 14:42:18 GMT", "2025-05-07T14:42:18Z"),
        ("Wed, 7 May 2025 14:42:18 +0200", "2025-05-07T12:42:18Z"),
        ("Thu, 7 May 2025 14:42:18 +0200", wanted),
        ("Wed, 7 May 2025 14:42:60 +0200", &format!("{wanted}, that exists")),
        ("2025-05-07T14:42:18Z", wanted),
    ] {
        assert_eq!(run(r#"{ time = "rfc2822" }"#, &format!("\"{text}\"")), expected, "{text}");
    }
}

#[test]
fn clock_times_have_no_zone_and_are_written_as_their_form_says() {
    let iso = [r#""2025-05-07 14:42:18.5""#, r#""2025-05-07T14:42:18Z""#, r#""2025-05-07""#, r#""0000-05-07T14:42""#];
    let results: Vec<String> = iso.iter().map(|json| run(r#"{ time = "iso" }"#, json)).collect();
    assert_eq!(
        results,
        [
            "2025-05-07T14:42:18.5",
            "error: expected a date and time like `2025-01-31T08:05:00`, without a zone (with one, use the form `rfc3339`)",
            "error: expected a date and time like `2025-01-31T08:05:00`, without a zone",
            "error: expected a year from 1 to 9999",
        ]
    );

    let format = r#"{ time = "%Y-%m-%d %H:%M:%S%.3f" }"#;
    let written = [
        "2025-05-07 14:42:18.120",
        "2025-05-07 14:42:18.12",
        "2025-05-07 14:42:18.1234",
        "2025-05-07  14:42:18.120",
        "2025-05-07 14:42:60.000",
        "0000-05-07 14:42:18.120",
    ];
    let results: Vec<String> = written.iter().map(|text| run(format, &format!("\"{text}\""))).collect();
    let expected = "error: expected a date and time written as `%Y-%m-%d %H:%M:%S%.3f`";
    assert_eq!(
        results,
        ["2025-05-07T14:42:18.12", expected, expected, expected, expected, "error: expected a year from 1 to 9999"]
    );
    let any_length = r#"{ time = "%Y-%m-%d %H:%M:%S%.f" }"#;
    for (written, read) in [("18.1200000", "18.12"), ("18.000", "18"), ("18", "18"), ("18.123456000", "18.123456")] {
        let (written, read) = (format!("\"2025-05-07 14:42:{written}\""), format!("2025-05-07T14:42:{read}"));
        assert_eq!(run(any_length, &written), read);
    }
    assert_eq!(
        run(r#"{ time = "%Y-%m-%d %H:%M:%S.%9f" }"#, r#""2025-05-07 14:42:18.123456789""#),
        "error: expected at most 6 fractional digits of a second (targets keep microseconds)"
    );
}

#[test]
fn an_offset_in_a_form_of_its_own_gives_a_moment() {
    let step = r#"{ time = "%Y:%m:%d %H:%M:%S%:z" }"#;
    assert_eq!(run(step, r#""2023:05:07 14:42:18+02:00""#), "2023-05-07T12:42:18Z");
    let expected = "error: expected a date and time written as `%Y:%m:%d %H:%M:%S%:z`";
    for text in ["2023:05:07 14:42:18+0200", "2023:05:07 14:42:18", "2023:05:07 14:42:18Z"] {
        assert_eq!(run(step, &format!("\"{text}\"")), expected, "{text}");
    }
    let as_written = r#"{ time = { forms = "%Y:%m:%d %H:%M:%S%:z", zone = "none" } }"#;
    assert_eq!(run(as_written, r#""2023:05:07 14:42:18+02:00""#), "2023-05-07T14:42:18");
}

#[test]
fn a_time_that_two_forms_read_differently_is_an_error() {
    let step = r#"{ time = ["%m/%d/%Y", "%d/%m/%Y"] }"#;
    assert_eq!(run(step, r#""05/13/2025""#), "2025-05-13");
    assert_eq!(run(step, r#""05/05/2025""#), "2025-05-05");
    assert_eq!(
        run(step, r#""05/12/2025""#),
        "error: the time is ambiguous: `%m/%d/%Y` and `%d/%m/%Y` read it differently"
    );
    let zoned = r#"{ time = { forms = ["rfc3339", "iso"], zone = "Europe/Berlin" } }"#;
    assert_eq!(run(zoned, r#""2025-05-07T14:42:18""#), "2025-05-07T12:42:18Z");
    assert_eq!(run(zoned, r#""2025-05-07T14:42:18Z""#), "2025-05-07T14:42:18Z");
}

#[test]
fn local_times_that_do_not_exist_or_are_ambiguous_are_refused() {
    let step = r#"{ time = { forms = "iso", zone = "Europe/Berlin" } }"#;
    assert_eq!(
        run(step, r#""2025-03-30T02:30:00""#),
        "error: no such local time in `Europe/Berlin`: clocks were put forward past it"
    );
    assert_eq!(
        run(step, r#""2025-10-26T02:30:00""#),
        "error: ambiguous local time in `Europe/Berlin`: clocks were put back and showed it twice"
    );
    assert_eq!(run(step, r#""0001-01-01T00:10:00""#), "error: expected a year from 1 to 9999 in UTC");
    let utc = r#"{ time = { forms = "iso", zone = "UTC" } }"#;
    assert_eq!(run(utc, r#""9999-12-31T23:30:00""#), "9999-12-31T23:30:00Z");
}

#[test]
fn a_map_names_what_it_knows() {
    assert_eq!(run(r#"{ map = { red = 1 } }"#, r#""blue""#), "error: expected `red`");
    let many = "{ map = { a = 1, b = 2, c = 3, d = 4, e = 5, f = 6, g = 7, h = 8, i = 9, j = 10 } }";
    assert_eq!(run(many, r#""x""#), "error: expected one of `a`, `b`, `c`, `d`, `e`, `f`, `g`, `h` and 2 more");
    assert_eq!(run(r#"{ map = { 1 = "one", values = "v" } }"#, "1"), r#""one""#);
}
