//! The step that reads times: moments, clock times and days, in one of several forms.
//!
//! What is read must be written exactly as its form says, zero padding and case included, so that
//! the text can be got back; and it must fit what targets keep: years 1 to 9999, microseconds.

mod epoch;
mod form;
mod reading;
mod strptime;

use super::argument::Argument;
use super::datum::{Datum, OutputType};
use super::literal::Literal;
use form::{Form, expected};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use reading::{Gives, Reading, Time, moment};

/// `time`.
#[derive(Debug, Clone)]
pub(super) struct TimeStep {
    forms: Vec<Form>,
    zone: Zone,
    /// `as`: how the time is written; without it the step gives a time.
    written: Option<Form>,
}

/// `zone`: whose clocks are meant.
#[derive(Debug, Clone)]
enum Zone {
    /// The text's own, if it has one.
    Own,
    /// `"none"`: a moment is what its clock showed.
    Dropped,
    Of(TimeZone, String),
}

impl TimeStep {
    /// `"time"`, `{ time = FORM }`, `{ time = [FORM, …] }`, `{ time = { forms, zone, as } }`.
    pub(super) fn parse(argument: Argument) -> Result<Self, String> {
        let Some(Literal::Table(_)) = argument.literal else {
            let forms = argument.literal.map(|_| forms(argument)).transpose()?;
            return Self::new(forms, Zone::Own, None);
        };
        let members = argument.table(&["forms", "zone", "as"])?;
        let member = |name| members.get(name).map(|_| members.need(name)).transpose();
        let forms = member("forms")?.map(forms).transpose()?;
        let zone = member("zone")?.map_or(Ok(Zone::Own), Zone::parse)?;
        let written = member("as")?.map(|written| Form::parse(&written.text()?)).transpose()?;
        Self::new(forms, zone, written)
    }

    fn new(forms: Option<Vec<Form>>, zone: Zone, written: Option<Form>) -> Result<Self, String> {
        let given = forms.is_some();
        let forms = forms.unwrap_or_else(|| vec![Form::Rfc3339]);
        let any = |gives: Gives| forms.iter().find(|form| form.gives() == gives);
        if let (Zone::Own, Some(moment), Some(other)) =
            (&zone, any(Gives::Moment), any(Gives::Clock).or(any(Gives::Day)))
        {
            return Err(format!(
                "`{}` reads a zone and `{}` none: `zone = \"Europe/Berlin\"` would say whose clocks are meant, \
                 `zone = \"none\"` takes the clock times as they are written",
                moment.name(),
                other.name()
            ));
        }
        if let (Zone::Dropped, None) = (&zone, any(Gives::Moment)) {
            return Err("`zone = \"none\"` has no effect: no form reads a zone".to_owned());
        }
        if let (Zone::Of(..), None, None) = (&zone, any(Gives::Moment), any(Gives::Clock)) {
            return Err("`zone` has no effect: a day has none".to_owned());
        }
        if let Some(number) = forms.iter().position(|form| forms.iter().filter(|other| *other == form).count() > 1) {
            return Err(format!("the form `{}` stands twice", forms[number].name()));
        }
        let mut numbers = forms.iter().filter(|form| form.is_number());
        if let (Some(one), Some(other)) = (numbers.next(), numbers.next()) {
            return Err(format!("`{}` and `{}` read the same numbers differently", one.name(), other.name()));
        }
        let step = Self { forms, zone, written };
        if let Some(written) = step.written.as_ref().filter(|written| given && !step.can_write(written)) {
            return Err(format!(
                "`as = \"{}\"` writes what these forms do not give{}",
                written.name(),
                if written.gives() == Gives::Moment { "; `zone` would make moments of clock times" } else { "" }
            ));
        }
        Ok(step)
    }

    /// Whether some of what is read can be written so.
    fn can_write(&self, written: &Form) -> bool {
        self.forms.iter().any(|form| match (self.given(form), written.gives()) {
            (Gives::Moment, _) | (Gives::Clock, Gives::Clock | Gives::Day) | (Gives::Day, Gives::Day) => true,
            (Gives::Clock | Gives::Day, Gives::Moment) | (Gives::Day, Gives::Clock) => false,
        })
    }

    /// What a form gives where the step is applied.
    fn given(&self, form: &Form) -> Gives {
        match (form.gives(), &self.zone) {
            (Gives::Clock, Zone::Of(..)) => Gives::Moment,
            (Gives::Moment, Zone::Dropped) => Gives::Clock,
            (gives, _) => gives,
        }
    }

    /// Whether it writes the time.
    pub(super) fn writes(&self) -> bool {
        self.written.is_some()
    }

    /// What it gives.
    pub(super) fn output(&self) -> OutputType {
        if let Some(form) = &self.written {
            return if form.is_number() { OutputType::Number } else { OutputType::Text };
        }
        let first = self.given(&self.forms[0]);
        match first {
            _ if self.forms.iter().any(|form| self.given(form) != first) => OutputType::Time,
            Gives::Moment => OutputType::Instant,
            Gives::Clock => OutputType::Civil,
            Gives::Day => OutputType::Day,
        }
    }

    /// What it takes.
    pub(super) fn accepts() -> &'static [OutputType] {
        use OutputType::{Civil, Day, Instant, Integer, Number, Text, Time};
        &[Text, Number, Integer, Civil, Day, Instant, Time]
    }

    /// Applies it. What comes from the run's start is cut to what `as` asks for.
    pub(super) fn apply(&self, value: Datum, is_start: bool) -> Result<Datum, String> {
        let (time, own) = match value {
            Datum::Text(text) | Datum::Number(text) => (self.read(&text)?, None),
            Datum::Integer(number) => (self.read(&number.to_string())?, None),
            Datum::Civil(clock) => (Time::Clock(clock), None),
            Datum::Day(day) => (Time::Day(day), None),
            Datum::Instant(at, zone) => (Time::Moment { at, clock: at.utc() }, zone),
            other => return Err(format!("expected a time, found {}", other.kind_name())),
        };
        let (time, zone) = match (&self.zone, time) {
            (Zone::Own, time) => (time, own),
            (Zone::Dropped, Time::Moment { clock, .. }) => (Time::Clock(clock), None),
            (Zone::Of(zone, name), Time::Clock(clock)) => (in_zone(clock, zone, name)?, Some(zone.clone())),
            (Zone::Of(zone, _), time) => (time, Some(zone.clone())),
            (Zone::Dropped, time) => (time, None),
        };
        let Some(form) = &self.written else {
            return Ok(match time {
                Time::Day(day) => Datum::Day(day),
                Time::Clock(clock) => Datum::Civil(clock),
                Time::Moment { at, .. } => Datum::Instant(at, zone),
            });
        };
        let time = match time {
            Time::Moment { at, clock } if is_start => Time::Moment { at: form.cut(at, zone.as_ref()), clock },
            time => time,
        };
        match form.write(time, zone.as_ref()) {
            Some(text) if form.is_number() => Ok(Datum::Number(text)),
            Some(text) => Ok(Datum::Text(text)),
            None => Err(format!("`as = \"{}\"` cannot hold {}", form.name(), words(time))),
        }
    }

    /// Reads a string by the forms. One that two of them read differently is an error.
    fn read(&self, text: &str) -> Result<Time, String> {
        let mut found: Option<(&Form, Time)> = None;
        let mut wrong = None;
        let mut none_such = false;
        for form in &self.forms {
            match form.read(text) {
                Reading::Other => {}
                Reading::NoSuchTime => none_such = true,
                Reading::Wrong(why) => wrong = Some(why),
                Reading::Is(time) => match &found {
                    Some((first, earlier)) if *earlier != time => {
                        let (first, other) = (first.name(), form.name());
                        return Err(format!("the time is ambiguous: `{first}` and `{other}` read it differently"));
                    }
                    _ => found = Some((form, time)),
                },
            }
        }
        match (found, wrong) {
            (Some((_, time)), _) => Ok(time),
            (None, Some(why)) => Err(why),
            (None, None) if none_such => Err(format!("{}, that exists", expected(&self.forms, text))),
            (None, None) => Err(expected(&self.forms, text)),
        }
    }
}

impl Zone {
    fn parse(argument: Argument) -> Result<Self, String> {
        let name = argument.text()?;
        if name == "none" {
            return Ok(Zone::Dropped);
        }
        match TimeZone::get(&name) {
            Ok(zone) => Ok(Zone::Of(zone, name)),
            Err(_) => Err(format!(
                "the time zone database has no zone `{name}` (a zone is written like `Europe/Berlin`; `none` takes clock \
                 times as they are written)"
            )),
        }
    }
}

/// One form or a list of them.
fn forms(argument: Argument) -> Result<Vec<Form>, String> {
    let texts = match argument.literal {
        Some(Literal::List(_)) => argument.texts()?,
        _ => vec![argument.text()?],
    };
    texts.iter().map(|text| Form::parse(text)).collect()
}

fn words(time: Time) -> &'static str {
    match time {
        Time::Day(_) => "a day without a time of day",
        Time::Clock(_) => "this time, which has no zone",
        Time::Moment { .. } => "this moment",
    }
}

fn in_zone(time: DateTime, zone: &TimeZone, name: &str) -> Result<Time, String> {
    match zone.to_ambiguous_timestamp(time).offset() {
        AmbiguousOffset::Gap { .. } => Err(format!("no such local time in `{name}`: clocks were put forward past it")),
        AmbiguousOffset::Fold { .. } => {
            Err(format!("ambiguous local time in `{name}`: clocks were put back and showed it twice"))
        }
        AmbiguousOffset::Unambiguous { offset } => moment(time, offset, 0),
    }
}
