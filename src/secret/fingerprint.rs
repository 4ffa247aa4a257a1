//! Fingerprints of texts: the first five of eight bytes, hashed to the number of a bit.

/// The first eight bytes as a little-endian number; missing ones count as zero.
pub(super) fn first_eight(bytes: &[u8]) -> u64 {
    let mut eight = [0; 8];
    let length = bytes.len().min(8);
    eight[..length].copy_from_slice(&bytes[..length]);
    u64::from_le_bytes(eight)
}

/// Hashes the first six of eight bytes; the multiplier is 2^64 divided by the golden ratio.
#[inline]
pub(super) fn hash(eight: u64) -> u64 {
    (eight << 16).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Hashes the first five of eight bytes.
#[inline]
pub(super) fn fingerprint(eight: u64) -> u64 {
    hash(eight << 8)
}

/// How far a hash is shifted to be the number of a bit of so many words.
#[inline]
pub(super) const fn shift_of(words: usize) -> u32 {
    64 - (64 * words).trailing_zeros()
}

/// The upper bits of a hash as an index.
#[inline]
pub(super) fn position(hash: u64, shift: u32) -> usize {
    // At most 22 bits for the table; buckets are fewer than the patterns that memory holds.
    (hash >> shift) as usize
}
