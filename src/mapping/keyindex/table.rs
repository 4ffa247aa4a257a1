//! A table of keys that grows by little at a time.
//!
//! A hash table doubles when it is full, and has both sizes in memory while it does: of a million keys that is more
//! than the keys themselves. Here they lie sorted in shards, by their first bits. A shard that is full takes more than 16 KiB:
//! allocators give and take such pieces by the page, where those of smaller ones, which all grow at about the same time,
//! leave gaps in what they share.

use std::hash::{BuildHasher, Hash, RandomState};

/// What stands for a key: 80 bits of keyed hashes, which no source can choose to collide. That two of ten million keys do
/// is as likely as 1 to 10¹⁰, and a key would take several times the memory: there may be one for each file. They are of
/// two bytes each, so that a slot has no gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyHash([u16; 5]);

impl KeyHash {
    /// That of a key, by two ways of hashing.
    #[expect(clippy::cast_possible_truncation, reason = "each word is a part of a hash")]
    pub fn of(hashing: &[RandomState; 2], key: &impl Hash) -> Self {
        let [first, second] = hashing.each_ref().map(|hashing| hashing.hash_one(key));
        let [a, b, c, d] = [48, 32, 16, 0].map(|bits| (first >> bits) as u16);
        Self([a, b, c, d, second as u16])
    }

    /// Its first so many bits, at most 32.
    fn first(self, bits: u32) -> usize {
        let first = u32::from(self.0[0]) << 16 | u32::from(self.0[1]);
        first.checked_shr(u32::BITS - bits).unwrap_or(0) as usize
    }
}

/// A key, and the number of what it leads to.
#[derive(Debug, Clone, Copy)]
struct Slot {
    key: KeyHash,
    entry: [u16; 2],
}

impl Slot {
    #[expect(clippy::cast_possible_truncation, reason = "each word is a part of the number")]
    fn new(key: KeyHash, entry: u32) -> Self {
        Self { key, entry: [(entry >> 16) as u16, entry as u16] }
    }

    fn entry(self) -> u32 {
        u32::from(self.entry[0]) << 16 | u32::from(self.entry[1])
    }
}

/// How many slots a shard gets that needs this many: as many as the memory has room for that it takes anyway. Allocators
/// hand it out in four sizes for each power of two.
fn room_for(slots: usize) -> usize {
    let bytes = slots.max(4) * size_of::<Slot>();
    bytes.next_multiple_of(bytes.next_power_of_two() / 8) / size_of::<Slot>()
}

/// So many keys a shard has on average before there are twice as many shards.
const CROWDED: usize = 1 << 11;

/// Numbers by key.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// Sorted by key, and so are their slots.
    shards: Vec<Vec<Slot>>,
    /// There are two to this power, once there is one.
    bits: u32,
    len: usize,
}

impl Table {
    /// The number of a key.
    pub(super) fn get(&self, key: KeyHash) -> Option<u32> {
        let (shard, Ok(slot)) = self.find(key) else { return None };
        Some(self.shards[shard][slot].entry())
    }

    /// Gives a key a number, and gives that which it had.
    pub(super) fn insert(&mut self, key: KeyHash, entry: u32) -> Option<u32> {
        if self.len >= self.shards.len() * CROWDED {
            self.split();
        }
        let (shard, slot) = self.find(key);
        let slots = &mut self.shards[shard];
        match slot {
            Ok(slot) => Some(std::mem::replace(&mut slots[slot], Slot::new(key, entry)).entry()),
            Err(slot) => {
                if slots.len() == slots.capacity() {
                    slots.reserve_exact(room_for(slots.len() + 1) - slots.len());
                }
                slots.insert(slot, Slot::new(key, entry));
                self.len += 1;
                None
            }
        }
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Every key with its number.
    pub(super) fn iter(&self) -> impl Iterator<Item = (KeyHash, u32)> {
        self.shards.iter().flatten().map(|slot| (slot.key, slot.entry()))
    }

    /// Forgets a key.
    pub(super) fn remove(&mut self, key: KeyHash) {
        if let (shard, Ok(slot)) = self.find(key) {
            self.shards[shard].remove(slot);
            self.len -= 1;
        }
    }

    /// The shard of a key, and its slot there: where it is, or where it would be.
    fn find(&self, key: KeyHash) -> (usize, Result<usize, usize>) {
        let shard = key.first(self.bits);
        let slot = self.shards.get(shard).map_or(Err(0), |slots| slots.binary_search_by(|slot| slot.key.cmp(&key)));
        (shard, slot)
    }

    /// Makes two shards of each, one after the other.
    fn split(&mut self) {
        if self.shards.is_empty() {
            self.shards.push(Vec::new());
            return;
        }
        self.bits += 1;
        let mut shards = Vec::with_capacity(self.shards.len() * 2);
        for mut low in std::mem::take(&mut self.shards) {
            let high = low.split_off(low.partition_point(|slot| slot.key.first(self.bits) & 1 == 0));
            low.shrink_to_fit();
            shards.extend([low, high]);
        }
        self.shards = shards;
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        let slots: usize = self.shards.iter().map(Vec::capacity).sum();
        slots * size_of::<Slot>() + self.shards.capacity() * size_of::<Vec<Slot>>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn keys(count: u64) -> impl Iterator<Item = KeyHash> {
        let hashing = [RandomState::new(), RandomState::new()];
        (0..count).map(move |number| KeyHash::of(&hashing, &number))
    }

    #[test]
    fn a_key_takes_less_than_eighteen_bytes_at_every_size_of_the_table() {
        let mut table = Table::default();
        for (number, key) in (1_usize..).zip(keys(100_000)) {
            table.insert(key, 0);
            if number >= 1_000 && number % 97 == 0 {
                assert!(table.bytes() < 18 * number, "{} bytes for {number} keys", table.bytes());
            }
        }
    }

    #[test]
    fn keys_lead_where_they_did_last_and_those_that_were_removed_nowhere() {
        let (mut table, mut expected) = (Table::default(), HashMap::new());
        let keys: Vec<KeyHash> = keys(3_000)
            .chain(
                [[0; 5], [0, 0, 0, 0, 1], [u16::MAX; 5], [!0, !0, !0, !0, !0 - 1], [1 << 15, 0, 0, 0, 0]].map(KeyHash),
            )
            .collect();
        for (number, key) in (0..).zip(keys.iter().chain(keys.iter().step_by(3))) {
            assert_eq!(table.insert(*key, number), expected.insert(*key, number));
        }
        for key in keys.iter().step_by(2) {
            table.remove(*key);
            table.remove(*key);
            expected.remove(key);
        }
        assert!(keys.iter().all(|key| table.get(*key) == expected.get(key).copied()));
        assert_eq!(table.len, expected.len());
    }
}
