//! What is counted so that calls of the AWS port can be refused on purpose: the faults of sandboxes, and AWS's own
//! quotas. All of it is in memory and begins anew with the server; which faults there are is journaled.

pub mod lab;
pub mod quota;

pub use lab::{End, FaultCount, FaultLab, Struck};
pub use quota::{Quotas, Spender};
