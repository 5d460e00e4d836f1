//! LegalTerm: the documents that a buyer agrees to.

use super::OfferContext;
use crate::catalog::product::check_words;
use crate::rejection::{Code, Rejection};

/// Documents of a private offer's own licence agreement (B9).
pub const MAX_EULA_DOCUMENTS: usize = 5;

/// What kind of document it is, in the words of the Agreement API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LegalDocumentKind {
    /// The seller's own licence agreement.
    CustomEula,
    /// The licence agreement of somebody else, taken over.
    StandardEula,
}

/// One document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegalDocument {
    /// Of what kind.
    pub kind: LegalDocumentKind,
    /// Where it can be read.
    pub url: String,
}

/// The documents that a buyer agrees to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Legal {
    /// In the order in which they are read.
    pub documents: Vec<LegalDocument>,
}

impl Legal {
    /// One to five documents, each with its address (C-09).
    pub fn check(&self, _offer: &OfferContext<'_>) -> Result<(), Rejection> {
        let count = self.documents.len();
        if count == 0 {
            let message = "no document (B9): name one, or leave the term out";
            return Err(Rejection::new(Code::FieldMissing, "legal.documents", message));
        }
        if count > MAX_EULA_DOCUMENTS {
            let message = format!("{count} documents; it holds at most {MAX_EULA_DOCUMENTS} (B9): join some");
            return Err(Rejection::new(Code::TooManyDocuments, "legal.documents", message));
        }
        for (index, document) in self.documents.iter().enumerate() {
            let field = format!("legal.documents[{index}].url");
            if document.url.is_empty() {
                return Err(Rejection::new(Code::FieldMissing, field, "say where the document can be read"));
            }
            check_words(&document.url, &field, 2_048)?;
        }
        Ok(())
    }
}
