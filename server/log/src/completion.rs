//! What a log calls when a batch that was submitted is durable or has failed.

use crate::{AppendError, Seq};

/// What is called with a submitted batch's number, or with the reason why there is none (LOG-10).
///
/// It runs on whatever thread, and the batches behind it wait for it: it hands the answer on (to a channel,
/// to a waiting task) and returns. It must not use a log, whose queue may be waiting for it.
pub type Completion = Box<dyn FnOnce(Result<Seq, AppendError>) + Send>;

/// What is called when everything that was submitted before is durable, or when the log is poisoned
/// (LOG-13). The same holds for it as for a [`Completion`].
pub type Barrier = Box<dyn FnOnce(Result<(), AppendError>) + Send>;
