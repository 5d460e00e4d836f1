//! The keys that sign what RegisterUsage answers, and the tokens that they sign (aws-api A.4, G.7).

mod folder_key;
mod private_key;
pub mod token;

#[cfg(test)]
mod verifier;

pub use folder_key::{FILE, FolderKey};
pub use private_key::{KeyRefused, PrivateKey, SigningFailed};
