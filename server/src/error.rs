//! Why a use case gave no answer.

use souk_core::agreement::acceptance::Refusal;
use souk_core::rejection::{Broken, Rejection};

use crate::document::DocumentErrors;

/// What a caller of a use case can do about it.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The request is refused.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The sandbox document cannot be read.
    #[error(transparent)]
    Document(#[from] DocumentErrors),
    /// A queue is full, or there is more to do than one call may wait for: try again a little later.
    #[error("the server is busy with {0}")]
    Busy(&'static str),
    /// Nothing was written, or it is unknown whether it was: try again where that is safe.
    #[error("{0}")]
    Unavailable(String),
    /// A defect of Souk.
    #[error(transparent)]
    Broken(#[from] Broken),
}

impl From<Refusal> for AppError {
    fn from(refusal: Refusal) -> AppError {
        match refusal {
            Refusal::Rejected(rejection) => AppError::Rejected(rejection),
            Refusal::Broken(broken) => AppError::Broken(broken),
        }
    }
}
