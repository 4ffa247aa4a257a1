//! Writes a large invented tree, to measure an import with:
//!
//!     cargo bench --bench generate -- --users 1000 --seed 1 --out DIR
//!
//! The same seed gives the same bytes.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod v1_tree;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;
use v1_tree::Plan;

const USAGE: &str =
    "usage: cargo bench --bench generate -- --out DIR [--users N] [--seed N] [--orders N] [--activities N]";

fn main() -> ExitCode {
    let (plan, out) = match parse(std::env::args().skip(1)) {
        Ok((plan, Some(out))) => (plan, out),
        // `cargo bench` without arguments runs every bench; there is nothing to write then.
        Ok((_, None)) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(message) => {
            eprintln!("error: {message}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let started = Instant::now();
    match v1_tree::write(&out, &plan) {
        Ok(total) => {
            let megabytes = total.bytes / 1_000_000;
            println!(
                "{} files, {megabytes} MB in {:.1} s: {}",
                total.files,
                started.elapsed().as_secs_f64(),
                out.display()
            );
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {}: {error}", out.display());
            ExitCode::from(3)
        }
    }
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<(Plan, Option<PathBuf>), String> {
    let mut plan = Plan::default();
    let mut out = None;
    while let Some(flag) = arguments.next() {
        if flag == "--bench" {
            continue; // cargo's own
        }
        let value = arguments.next().ok_or_else(|| format!("`{flag}` needs a value"))?;
        let number = || value.parse::<u32>().map_err(|_| format!("`{flag}` takes a number, not `{value}`"));
        match flag.as_str() {
            "--out" => out = Some(PathBuf::from(&value)),
            "--users" => plan.users = number()?,
            "--orders" => plan.orders = number()?,
            "--activities" => plan.activities = number()?,
            "--seed" => plan.seed = u64::from(number()?),
            _ => return Err(format!("there is no `{flag}`")),
        }
    }
    Ok((plan, out))
}
