//! Source files: walking the tree, reading JSON, finding places again.
