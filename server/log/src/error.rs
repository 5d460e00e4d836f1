//! What can go wrong with a log, in variants by what the caller can do about it.
//!
//! Each message names the log (for SQLite, its file), says what to do, and reads after "failed to …".
//! A message prints only itself; the cause behind it is in `source()`.

use thiserror::Error;

use crate::Seq;

/// The cause below an error: an IO error or the storage engine's own.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why an append was not acknowledged.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AppendError {
    /// Another writer has taken the log over. Stop: opening it again would take it back.
    #[error("{log} is written by another server now; stop this one")]
    Fenced {
        /// The log.
        log: String,
    },
    /// There is no room. Somebody has to make some.
    #[error("{log} has no room for the batch; free disk space or raise its limit")]
    Full {
        /// The log.
        log: String,
        /// What the storage said, if it said anything.
        #[source]
        source: Option<Cause>,
    },
    /// The storage failed for a reason which may pass.
    #[error("{log} cannot be written; check its disk, then open it again")]
    Unavailable {
        /// The log.
        log: String,
        /// What the storage said.
        #[source]
        source: Cause,
    },
    /// An earlier append failed (LOG-5). Nothing was tried, except with a batch that was submitted before
    /// the failure was known: that one may be in the log (LOG-4).
    #[error("{log} takes no batch after a failed append; open it again and rebuild from it")]
    Poisoned {
        /// The log.
        log: String,
    },
    /// The batch has no bytes (LOG-9). Nothing was tried.
    #[error("{log} takes no empty batch")]
    Empty {
        /// The log.
        log: String,
    },
    /// The batch is too large (LOG-9). Nothing was tried.
    #[error("{log} takes batches of up to {bytes_max} bytes, not {bytes}; split the batch")]
    TooLarge {
        /// The log.
        log: String,
        /// The size of the batch.
        bytes: usize,
        /// The largest size taken.
        bytes_max: usize,
    },
}

impl AppendError {
    /// Says whether opening the log again, rebuilding from it and deciding anew may succeed without
    /// anybody's help. The same batch is never appended blindly again: it may be in the log (LOG-4).
    pub fn is_retryable(&self) -> bool {
        match self {
            AppendError::Unavailable { .. } | AppendError::Poisoned { .. } => true,
            AppendError::Fenced { .. }
            | AppendError::Full { .. }
            | AppendError::Empty { .. }
            | AppendError::TooLarge { .. } => false,
        }
    }
}

/// Why a log could not be opened. Whatever was found is left as it was.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Something else has the log's place. Move it away or keep the logs elsewhere.
    #[error("{log} is not a log of this server ({what}); move it away or choose another data folder")]
    Foreign {
        /// The log.
        log: String,
        /// What it is instead, as far as can be seen.
        what: String,
    },
    /// The log is damaged. Nothing is repaired by guessing.
    #[error("{log} is damaged ({what}); restore it from a backup or move it away")]
    Corrupt {
        /// The log.
        log: String,
        /// What was found.
        what: String,
    },
    /// The log was written by a newer server.
    #[error("{log} has format {found}, and this server knows formats up to {known}; start a newer server")]
    NewerFormat {
        /// The log.
        log: String,
        /// The format found.
        found: u32,
        /// The newest format known here.
        known: u32,
    },
    /// The log has a writer already.
    #[error("{log} is in use by another writer; stop that one first")]
    Locked {
        /// The log.
        log: String,
    },
    /// The storage did not answer.
    #[error("{log} cannot be opened; check that its folder is there and can be written")]
    Io {
        /// The log.
        log: String,
        /// What the storage said.
        #[source]
        source: Cause,
    },
}

/// Why a read ended early.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The start lies behind the end of the log: the caller remembers more than the log holds, as when
    /// the log was restored from a backup older than the caller's snapshot.
    #[error("{log} ends before {next}, so it cannot be read from {from}; restore a newer backup of it")]
    Ahead {
        /// The log.
        log: String,
        /// Where to read from.
        from: Seq,
        /// The number which the next batch gets.
        next: Seq,
    },
    /// A batch is missing or is not what was appended.
    #[error("{log} is damaged at batch {seq} ({what}); restore it from a backup")]
    Corrupt {
        /// The log.
        log: String,
        /// The damaged batch.
        seq: Seq,
        /// What was found.
        what: String,
    },
    /// The storage did not answer.
    #[error("{log} cannot be read; check its disk")]
    Unavailable {
        /// The log.
        log: String,
        /// What the storage said.
        #[source]
        source: Cause,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_pass_by_itself_is_retryable() {
        let log = || "partition-0".to_owned();
        let rows = [
            (AppendError::Fenced { log: log() }, false),
            (AppendError::Full { log: log(), source: None }, false),
            (AppendError::Unavailable { log: log(), source: "no answer".into() }, true),
            (AppendError::Poisoned { log: log() }, true),
            (AppendError::Empty { log: log() }, false),
            (AppendError::TooLarge { log: log(), bytes: 2, bytes_max: 1 }, false),
        ];
        for (error, retryable) in rows {
            assert_eq!(error.is_retryable(), retryable, "{error}");
        }
    }
}
