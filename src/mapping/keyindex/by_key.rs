//! Anything small by key, growing by little at a time as the index does.

use super::blocks::Blocks;
use super::table::{KeyHash, Table};

/// Items by what stands for a key.
#[derive(Debug)]
pub struct ByKey<T> {
    table: Table,
    items: Blocks<T>,
}

impl<T> Default for ByKey<T> {
    fn default() -> Self {
        Self { table: Table::default(), items: Blocks::default() }
    }
}

impl<T: Copy> ByKey<T> {
    /// The item of a key.
    pub fn get(&self, key: KeyHash) -> Option<T> {
        self.table.get(key).map(|number| self.items.get(number))
    }

    /// Puts an item in the place of the one that the key has, or gives it a first one.
    pub fn put(&mut self, key: KeyHash, item: T) {
        if let Some(number) = self.table.get(key) {
            *self.items.get_mut(number) = item;
        } else {
            let number = self.items.push(item);
            self.table.insert(key, number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_leads_to_what_was_put_there_last() {
        let mut items = ByKey::default();
        let hashing = Default::default();
        let key = |number: u32| KeyHash::of(&hashing, &number);
        (0..3_000_u32).for_each(|number| items.put(key(number % 1_000), number));
        assert!((0..1_000).all(|number| items.get(key(number)) == Some(number + 2_000)));
        assert_eq!(items.get(key(1_000)), None);
    }
}
