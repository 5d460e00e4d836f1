//! The doors through which usage goes, and how messages and answers are written on the wire.
//!
//! The generator shares its machine with the server, so a message is written straight into its bytes: what never
//! changes of a record is prepared once for each series, and answers are read where they lie. Tests compare with
//! what the generated code reads and writes.
//!
//! | door | call | rows of a message |
//! |---|---|---|
//! | `unary` | BatchMeterUsage over gRPC | 25 |
//! | `strings` | StreamUsage | 5,000 |
//! | `columns` | StreamColumns | 65,536 |
//! | `aws` | BatchMeterUsage as AWS SDKs send it: JSON over HTTP, signed | 25 |
//!
//! Instance-hours go through ReportInstanceHours, except by columns.

pub mod answer;
pub mod aws;
pub mod columns;
pub mod grpc;
pub mod protobuf;
pub mod records;

pub use answer::{Answer, Status};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::plan::{FeedKind, ProbeKind};

/// Through what usage goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Door {
    /// BatchMeterUsage over gRPC.
    Unary,
    /// StreamUsage.
    Strings,
    /// StreamColumns.
    Columns,
    /// BatchMeterUsage of AWS: JSON over HTTP, signed.
    Aws,
}

impl Door {
    /// Rows of a message at most.
    #[must_use]
    pub fn rows_max(self) -> usize {
        match self {
            Door::Unary | Door::Aws => 25,
            Door::Strings => 5_000,
            Door::Columns => 65_536,
        }
    }

    /// Rows of a message when nobody says.
    #[must_use]
    pub fn rows_usual(self) -> usize {
        match self {
            Door::Unary | Door::Aws => 25,
            Door::Strings => 1_000,
            Door::Columns => 8_192,
        }
    }

    /// Whether messages go over streams, which keep their order.
    #[must_use]
    pub fn is_stream(self) -> bool {
        matches!(self, Door::Strings | Door::Columns)
    }

    /// As the command line names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Door::Unary => "unary",
            Door::Strings => "strings",
            Door::Columns => "columns",
            Door::Aws => "aws",
        }
    }

    /// With what a wrong message must be refused.
    #[must_use]
    pub fn refusal(self, kind: ProbeKind) -> &'static str {
        match (self, kind) {
            (Door::Aws, ProbeKind::Late | ProbeKind::Future) => "TimestampOutOfBoundsException",
            (Door::Aws, ProbeKind::Dimension) => "InvalidUsageDimensionException",
            (Door::Aws, ProbeKind::Product) => "InvalidProductCodeException",
            (_, ProbeKind::Late | ProbeKind::Future) => "TIMESTAMP_OUT_OF_BOUNDS",
            (_, ProbeKind::Dimension) => "DIMENSION_UNKNOWN",
            (_, ProbeKind::Product) => "PRODUCT_UNKNOWN",
            (_, ProbeKind::Handle) => "SERIES_HANDLE_UNKNOWN",
            (_, ProbeKind::Lengths) => "COLUMNS_INVALID",
        }
    }
}

/// Reports of instance-hours in a message when nobody says.
#[must_use]
pub fn reports_usual(door: Door, batch: usize) -> usize {
    match door {
        Door::Unary | Door::Aws => batch.max(25),
        Door::Strings | Door::Columns => batch.min(souk_client::REPORTS_MAX),
    }
}

/// The call that the messages of a feed are asked with, over gRPC.
#[must_use]
pub fn path(kind: FeedKind, door: Door) -> &'static str {
    match (kind, door) {
        (FeedKind::Reports, _) => "/souk.metering.v1.MeteringService/ReportInstanceHours",
        (FeedKind::Columns, _) => "/souk.metering.v1.UsageColumnsService/StreamColumns",
        (FeedKind::Records, Door::Strings) => "/souk.metering.v1.MeteringService/StreamUsage",
        (FeedKind::Records, _) => "/souk.metering.v1.MeteringService/BatchMeterUsage",
    }
}
