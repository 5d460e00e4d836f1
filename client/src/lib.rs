//! A typed client of Souk's gRPC services.
//!
//! [`SoukClient`] has one method for each call of the contract, in one file for each service. Arguments and
//! results are plain values and the messages of `souk_proto`; nothing is parsed or rendered here. What the
//! client adds to the generated code:
//!
//! * a deadline for every call, retries included ([`Settings::deadline`]);
//! * retries with exponential back-off and jitter, for the calls that may be repeated and only for them: the
//!   table with the reasons is in `safety.rs` ([`Call`]);
//! * [`UsageStream`], which keeps a bounded number of messages in flight, and [`ColumnsStream`], which meters
//!   thousands of rows a message and outlives its connections;
//! * lists read to their end (`all_accounts` and its like);
//! * [`ClientError`], which carries the server's stable reason and the fields that it found wrong.
//!
//! ```no_run
//! # async fn example() -> Result<(), souk_client::ClientError> {
//! let client = souk_client::SoukClient::connect("http://127.0.0.1:7625").await?;
//! for agreement in client.all_agreements("default", &Default::default()).await? {
//!     println!("{} {}", agreement.agreement_id, agreement.license_arn);
//! }
//! # Ok(())
//! # }
//! ```

mod account;
mod agreement;
mod billing;
mod catalog;
mod client;
mod columns;
mod columns_stream;
mod error;
mod fault;
mod metering;
mod paging;
mod partner;
mod reporting;
mod resale;
mod resend;
mod retry;
mod safety;
mod sandbox;
mod settings;
mod usage_stream;

pub use agreement::{Accepted, AgreementFilter, EntitlementFilter};
pub use billing::{ExplainedLine, InvoiceFilter};
pub use catalog::OfferFilter;
pub use client::{MESSAGE_SIZE_MAX, SoukClient};
pub use columns::{ColumnRow, Columns};
pub use columns_stream::{ColumnsAnswer, ColumnsAnswers, ColumnsOutcome, ColumnsSender, ColumnsStream};
pub use error::{ClientError, Refusal, Violation};
pub use metering::{
    BATCH_RECORDS_MAX, INFERENCES_MAX, REPORTS_MAX, RUNS_MAX, RecordFilter, STREAM_RECORDS_MAX,
};
pub use paging::{PAGE_SIZE_MAX, Page, PageRequest};
pub use reporting::{ExportChunks, Report, ReportRows};
pub use safety::{Call, Safety};
pub use sandbox::{EventFilter, TurnedClock};
pub use settings::{RetryPolicy, Settings};
/// The messages of the contract, of which arguments and results are made.
pub use souk_proto as proto;
pub use usage_stream::{StreamEnded, UsageAnswers, UsageSender, UsageStream};
