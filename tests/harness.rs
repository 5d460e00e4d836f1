//! What the tests of the whole system are made with: marketplaces driven in process, and their bills computed
//! a second time.

pub mod naive;
pub mod publish;
pub mod world;
