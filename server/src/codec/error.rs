//! Why a stored batch cannot be read, and where.

use super::FORMAT_VERSION;

/// Why a stored batch cannot be read. Paths are those of the stored message, such as
/// `events[3].invoice_issued.lines[0].amount_minor`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The bytes are no such message.
    #[error("the stored bytes are no batch")]
    Unreadable(#[source] prost::DecodeError),
    /// The format is newer than this version.
    #[error("the batch has format {found}, later than {FORMAT_VERSION}: it was written by a newer version")]
    Version {
        /// The batch's format.
        found: u32,
    },
    /// There is more in the batch than this version knows.
    #[error("the batch holds fields that are unknown here: it was written by a newer version")]
    UnknownFields,
    /// Something that is always written is absent, or of a kind that this version does not know.
    #[error("{path} is absent or of an unknown kind: the batch was written by a newer version")]
    Unknown {
        /// Where.
        path: String,
    },
    /// A value that is never written.
    #[error("{path} cannot be {value}: the batch is damaged, or was written by a newer version")]
    Invalid {
        /// Where.
        path: String,
        /// The value, and what is wrong with it.
        value: String,
    },
}

impl CodecError {
    /// Something that is always written is absent.
    pub(crate) fn absent(field: &str) -> CodecError {
        CodecError::Unknown { path: field.to_owned() }
    }

    /// A value that is never written.
    pub(crate) fn invalid(field: &str, value: &(impl ToString + ?Sized)) -> CodecError {
        CodecError::Invalid { path: field.to_owned(), value: value.to_string() }
    }

    /// The same error seen from the message around it.
    pub(super) fn within(self, outer: &str) -> CodecError {
        match self {
            CodecError::Unknown { path } => CodecError::Unknown { path: format!("{outer}.{path}") },
            CodecError::Invalid { path, value } => {
                CodecError::Invalid { path: format!("{outer}.{path}"), value }
            }
            whole @ (CodecError::Unreadable(_) | CodecError::Version { .. } | CodecError::UnknownFields) => {
                whole
            }
        }
    }
}
