//! Repeated measurements, and what they say together.

use crate::Result;
use crate::child::Usage;
use std::time::{Duration, Instant};

/// How often things are measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rounds {
    /// Comparisons so often, growth at most so often.
    pub(crate) most: usize,
    /// A size is not measured again once that took so long altogether.
    pub(crate) patience: Duration,
}

impl Rounds {
    /// Does a round, in which everything that is compared is measured once: A B A B, so that a slow
    /// minute of the machine meets all of it.
    pub(crate) fn compare(self, round: impl FnMut(usize) -> Result<()>) -> Result<()> {
        (0..self.most.max(1)).try_for_each(round)
    }

    /// Takes so many sizes in turn, by their number. Each is measured once at least.
    pub(crate) fn grow(self, sizes: usize, mut measure: impl FnMut(usize, usize) -> Result<()>) -> Result<()> {
        let mut spent = vec![Duration::ZERO; sizes];
        self.compare(|round| {
            for (at, spent) in spent.iter_mut().enumerate() {
                if round == 0 || *spent <= self.patience {
                    let started = Instant::now();
                    measure(at, round)?;
                    *spent += started.elapsed();
                }
            }
            Ok(())
        })
    }
}

/// The measurements of one thing, in the order of the rounds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Series(Vec<Usage>);

/// One of the figures of a [`Usage`].
pub(crate) type Figure = fn(&Usage) -> f64;

impl Series {
    pub(crate) fn push(&mut self, usage: Usage) {
        self.0.push(usage);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The median, with the least and the greatest.
    pub(crate) fn of(&self, figure: Figure) -> Spread {
        Spread::new(self.0.iter().map(figure).collect())
    }

    /// The ratio of the medians, with the least and the greatest ratio of one round.
    pub(crate) fn to(&self, other: &Series, figure: Figure) -> Spread {
        let rounds = self.0.iter().zip(&other.0).map(|(this, other)| figure(this) / figure(other));
        let Spread { low, high, .. } = Spread::new(rounds.collect());
        Spread { value: self.of(figure).value / other.of(figure).value, low, high }
    }
}

/// A figure, and the bounds between which it was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) value: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Spread {
    fn new(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let value = match values.len() {
            0 => f64::NAN,
            even if even % 2 == 0 => f64::midpoint(values[middle - 1], values[middle]),
            _ => values[middle],
        };
        Self { value, low: *values.first().unwrap_or(&value), high: *values.last().unwrap_or(&value) }
    }
}

/// With which power of the size the figure grows, from the first size to the last: 1 is in proportion,
/// 2 is with the square.
pub(crate) fn exponent(points: &[(u32, &Series)], figure: Figure) -> Spread {
    let [(first, small), .., (last, large)] = points else {
        return Spread { value: f64::NAN, low: f64::NAN, high: f64::NAN };
    };
    let (small, large) = (small.of(figure), large.of(figure));
    let power = |less: f64, more: f64| (more / less).ln() / (f64::from(*last) / f64::from(*first)).ln();
    Spread {
        value: power(small.value, large.value),
        low: power(small.high, large.low),
        high: power(small.low, large.high),
    }
}
