//! Searches a text for many patterns at once, in time that grows with the text and with their bytes, whatever they
//! are (Aho and Corasick, "Efficient string matching: an aid to bibliographic search", 1975).
//!
//! Most states have one next state, by the following byte of the same pattern: it is the following number. So a state
//! takes ten bytes, and only where patterns part is something looked up.

use std::cmp::Reverse;
use std::collections::HashMap;
use zeroize::Zeroizing;

/// No pattern.
const NONE: u32 = u32::MAX;
/// No byte.
const NOTHING: u16 = u16::MAX;

/// The patterns as an automaton. A state is a beginning of one of them, the empty one is 0.
pub(super) struct Automaton {
    /// For each state the byte that leads to the following number.
    bytes: Zeroizing<Vec<u16>>,
    /// Where patterns part: further next states.
    further: HashMap<(u32, u8), u32>,
    /// For each state the longest other one that it ends with.
    fail: Vec<u32>,
    /// For each state the longest pattern that it ends with.
    output: Vec<u32>,
    /// For each pattern its length, and the longest other pattern that it ends with.
    patterns: Vec<(usize, u32)>,
}

/// The states that only one pattern has, or had when it was added.
struct Chain {
    /// Where it leaves those of earlier patterns.
    from: u32,
    first: u32,
    /// The length of the first state.
    depth: usize,
}

impl Automaton {
    /// Of patterns that are sorted, none empty and none the beginning of another; `steps` counts the work.
    pub(super) fn of(patterns: &[&[u8]], steps: &mut usize) -> Self {
        let most: usize = patterns.iter().map(|pattern| pattern.len()).sum();
        let mut made = Self {
            bytes: Zeroizing::new(Vec::with_capacity(most + 1)),
            further: HashMap::new(),
            fail: Vec::new(),
            output: Vec::new(),
            patterns: patterns.iter().map(|pattern| (pattern.len(), NONE)).collect(),
        };
        made.bytes.push(patterns.first().map_or(NOTHING, |pattern| u16::from(pattern[0])));
        let (mut chains, mut path, mut before) = (Vec::new(), vec![0], &[][..]);
        for pattern in patterns {
            let shared = pattern.iter().zip(before).take_while(|(one, other)| one == other).count();
            let first = made.bytes.len() as u32;
            path.truncate(shared + 1);
            let from = path[shared];
            if !chains.is_empty() {
                made.further.insert((from, pattern[shared]), first);
            }
            made.bytes.extend(pattern[shared + 1..].iter().map(|byte| u16::from(*byte)));
            made.bytes.push(NOTHING);
            path.extend(first..made.bytes.len() as u32);
            chains.push(Chain { from, first, depth: shared + 1 });
            *steps += pattern.len();
            before = pattern;
        }
        made.link(patterns, &chains, steps);
        made
    }

    /// Finds for each state, the short ones first, the longest other one that it ends with.
    fn link(&mut self, patterns: &[&[u8]], chains: &[Chain], steps: &mut usize) {
        (self.fail, self.output) = (vec![0; self.bytes.len()], vec![NONE; self.bytes.len()]);
        let mut waiting: Vec<usize> = (0..chains.len()).collect();
        waiting.sort_by_key(|&number| Reverse(chains[number].depth));
        let (mut active, mut depth) = (Vec::new(), 0);
        while !(waiting.is_empty() && active.is_empty()) {
            depth += 1;
            while let Some(number) = waiting.pop_if(|number| chains[*number].depth == depth) {
                active.push(number);
            }
            active.retain(|&number| {
                let (chain, pattern) = (&chains[number], patterns[number]);
                let state = chain.first as usize + depth - chain.depth;
                let parent = if depth == chain.depth { chain.from as usize } else { state - 1 };
                let fail = match parent {
                    0 => 0,
                    _ => self.step(self.fail[parent], pattern[depth - 1], steps),
                };
                let output = self.output[fail as usize];
                let is_last = depth == pattern.len();
                if is_last {
                    self.patterns[number].1 = output;
                }
                self.fail[state] = fail;
                self.output[state] = if is_last { number as u32 } else { output };
                !is_last
            });
        }
    }

    /// The next state by a byte, else that of the longest end of the state that has one.
    fn step(&self, mut state: u32, byte: u8, steps: &mut usize) -> u32 {
        loop {
            *steps += 1;
            if self.bytes[state as usize] == u16::from(byte) {
                return state + 1;
            }
            if let Some(next) = self.further.get(&(state, byte)) {
                return *next;
            }
            if state == 0 {
                return 0;
            }
            state = self.fail[state as usize];
        }
    }

    /// The patterns in the text by their number, each once, and where it first begins.
    pub(super) fn search(&self, text: &[u8], steps: &mut usize) -> Vec<(usize, usize)> {
        // For each pattern itself, until it was found: then a shorter one that it ends with.
        let mut rest: Vec<u32> = (0..self.patterns.len() as u32).collect();
        let mut found = Vec::new();
        let mut state = 0;
        for (at, byte) in text.iter().enumerate() {
            state = self.step(state, *byte, steps);
            let mut next = missing(&mut rest, self.output[state as usize], steps);
            while next != NONE {
                let (length, shorter) = self.patterns[next as usize];
                found.push((next as usize, at + 1 - length));
                rest[next as usize] = shorter;
                next = missing(&mut rest, shorter, steps);
            }
        }
        found
    }
}

/// The longest pattern that was not found yet, from one on; the way to it is cut short for those who ask again.
fn missing(rest: &mut [u32], mut pattern: u32, steps: &mut usize) -> u32 {
    while pattern != NONE && rest[pattern as usize] != pattern {
        *steps += 1;
        let next = rest[pattern as usize];
        if next != NONE {
            rest[pattern as usize] = rest[next as usize];
        }
        pattern = next;
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Sorted, and none the beginning of another.
    fn prepared(mut patterns: Vec<String>) -> Vec<String> {
        patterns.sort();
        patterns.dedup_by(|longer, kept| longer.starts_with(kept.as_str()));
        patterns
    }

    fn found(patterns: &[String], text: &str) -> (Vec<(usize, usize)>, usize) {
        let bytes: Vec<&[u8]> = patterns.iter().map(String::as_bytes).collect();
        let mut steps = 0;
        let mut found = Automaton::of(&bytes, &mut steps).search(text.as_bytes(), &mut steps);
        found.sort_unstable();
        (found, steps)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 50, ..ProptestConfig::default() })]

        #[test]
        fn each_pattern_is_found_where_it_first_is(
            patterns in prop::collection::vec("[ab]{1,6}|a{1,9}b?|(ab){1,4}c?", 1..12), text in "[abc]{0,60}|a{0,40}b?c?",
        ) {
            let patterns = prepared(patterns);
            let plain = patterns.iter().enumerate().filter_map(|(number, one)| Some((number, text.find(one.as_str())?)));
            prop_assert_eq!(found(&patterns, &text).0, plain.collect::<Vec<_>>());
        }
    }

    #[test]
    fn patterns_that_end_alike_cost_their_bytes_once() {
        // Each ends with all the shorter ones, so that every place where one is ends a thousand of them.
        let patterns = prepared((0..1_000).map(|number| "a".repeat(number + 1) + "b").collect());
        let text = ("a".repeat(2_000) + "b").repeat(50);
        let (found, steps) = found(&patterns, &text);
        assert_eq!(found.len(), 1_000);
        let bytes: usize = patterns.iter().map(String::len).sum();
        assert!(steps < 4 * (bytes + text.len()), "{steps} steps for {bytes} bytes and {} of text", text.len());
    }
}
