//! The contract of Souk: messages, clients and servers generated from the .proto files beside this crate.
//!
//! There is one module for each package, named after it: package `souk.metering.v1` is [`metering::v1`].
//! What the fields mean is said in the .proto files and kept, with its comments, in [`FILE_DESCRIPTOR_SET`].
//! `api.snap` lists the whole contract, one line an item. [`document`] reads and writes the messages as YAML; [`reasons`]
//! lists the codes of refusals; other logic has no place here.

pub mod document;
pub mod reasons;

/// All packages and what they import as an encoded `google.protobuf.FileDescriptorSet`, with comments.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/souk.descriptors.bin"));

/// Declares the module of one package: its area and its version 1.
macro_rules! packages {
    ($($(#[$words:meta])* $area:ident = $package:literal;)*) => {
        $(
            $(#[$words])*
            pub mod $area {
                /// Version 1.
                #[allow(missing_docs, clippy::all, reason = "generated code")]
                pub mod v1 {
                    tonic::include_proto!($package);
                }
            }
        )*
    };
}

packages! {
    /// The accounts of a sandbox: sellers, buyers and payers.
    account = "souk.account.v1";
    /// Agreements: offers that buyers accepted.
    agreement = "souk.agreement.v1";
    /// Invoices, and the reason for every cent on them.
    billing = "souk.billing.v1";
    /// Products and offers: what sellers publish.
    catalog = "souk.catalog.v1";
    /// Faults that the AWS port makes on purpose.
    fault = "souk.fault.v1";
    /// What the logs store.
    journal = "souk.journal.v1";
    /// Hourly usage.
    metering = "souk.metering.v1";
    /// What AWS's partner programs decide by numbers.
    partner = "souk.partner.v1";
    /// The seller reports.
    reporting = "souk.reporting.v1";
    /// Sandboxes: isolated marketplaces, each with its own clock, catalog and ledger.
    sandbox = "souk.sandbox.v1";
    /// The terms an offer is made of.
    terms = "souk.terms.v1";
}
