//! The control log: what is published in every sandbox, and the sandboxes themselves. One writer decides one
//! command at a time, appends it, publishes it, and answers; the partitions follow.

pub mod document;
pub mod published;
pub mod writer;

pub use document::DocumentPlan;
pub use published::PublishedSandboxes;
pub use writer::{ControlHandle, ControlWriter};
