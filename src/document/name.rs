//! Names of members that are leaves of their own.

use crate::document::tape::NodeId;

/// The name of a member that a `.*` matched; it counts as a leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameLeaf {
    /// The n-th name on the way to the record.
    OfRecord(u32),
    /// The name of this node.
    OfNode(NodeId),
}
