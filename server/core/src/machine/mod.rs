//! The state machine: what is published goes through the control log, what belongs to a payer's family
//! through its partition. Decisions make events; events change state; replay needs the events alone.

pub mod check;
pub mod due;
pub mod event;
pub mod follow;
pub mod history;
pub mod rebuild;
pub mod sandbox;

pub use event::{ControlEntry, Event};
pub use follow::{Seed, follow};
pub use sandbox::Sandbox;
