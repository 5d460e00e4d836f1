//! Limits and conventions that AWS moved over the years, or leaves open: one value per sandbox.

use crate::time::timestamp::HOUR_MICROS;

/// Until when usage is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeteringWindow {
    /// Less than so many hours old, and the month before only until 06:00 UTC on the 1st. MeterUsage has
    /// [its own](METER_USAGE_HOURS).
    Hours(u32),
    /// Any past hour of a month that is not closed.
    OpenMonth,
}

/// What reports print as the offer id of public offers (Q10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfferIdColumn {
    /// Blank unless the offer is private.
    Legacy,
    /// Always filled.
    Dashboard,
}

/// What answers a record that repeats a metered one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdenticalRetry {
    /// Success, with the first record's id.
    Success,
    /// DuplicateRecord.
    DuplicateRecord,
}

/// Whose time the timestamps of AWS requests and answers show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientTime {
    /// The sandbox's.
    Sandbox,
    /// The machine's: programs stamp its time and live in the sandbox's.
    Machine,
}

const MINUTE_MICROS: i64 = 60 * 1_000_000;

/// A named set of defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// The limits of AWS's source documents.
    Source,
    /// The limits of the guides of 2026.
    Y2026,
}

/// The rules of a sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Where the defaults came from.
    pub profile: Profile,
    /// Dimensions of a product.
    pub max_dimensions: u32,
    /// Buyers of a private offer.
    pub max_private_offer_buyers: u32,
    /// Months that a private contract may last (B10).
    pub max_private_contract_months: u32,
    /// Days that a private usage offer may last (B11).
    pub max_private_usage_days: u32,
    /// Payments of a payment schedule (B6).
    pub max_instalments: u32,
    /// Payment schedules are for buyers who pay by invoice (B6).
    pub instalments_need_invoice_terms: bool,
    /// Private offers may let contracts renew themselves (E4).
    pub private_auto_renewal: bool,
    /// How long after its release a private offer can be seen and accepted (B16).
    pub private_offer_propagation_micros: i64,
    /// Of a contract with consumption, usage is billed above what the contract entitles to in the hour (P8).
    pub subtracts_entitlements: bool,
    /// Until when usage is accepted.
    pub metering_window: MeteringWindow,
    /// Price cuts reach existing subscribers at once.
    pub decreases_immediate: bool,
    /// What reports print as the offer id of public offers.
    pub offer_id_column: OfferIdColumn,
    /// What answers a record that repeats a metered one.
    pub identical_retry: IdenticalRetry,
    /// Whose time the timestamps of AWS requests and answers show.
    pub client_time: ClientTime,
    /// Calls of the AWS port are limited as on AWS.
    pub aws_quotas: bool,
    /// How far into the future a record may be stamped (G.9).
    pub future_skew_micros: i64,
    /// Usage of the month before is accepted until 06:00 UTC on the 1st even when it is older than the window (G.2).
    pub grace_extends_window: bool,
    /// How long a registration token holds (G.3).
    pub registration_token_micros: i64,
    /// An unknown customer identifier refuses the whole request (G.4).
    pub unknown_identifier_refused: bool,
    /// A request may hold a product code and licences together (G.5).
    pub product_code_with_license: bool,
    /// The cap of tags holds for all allocations of a record together (G.6).
    pub tags_capped_per_record: bool,
    /// A record repeats another only if its allocations are the same, too (G.10).
    pub retry_compares_allocations: bool,
    /// A dry run is answered with an error (G.11).
    pub dry_run_refused: bool,
}

impl Rules {
    /// The defaults of a profile.
    pub fn of(profile: Profile) -> Rules {
        let source = Rules {
            profile,
            max_dimensions: 24,
            max_private_offer_buyers: 25,
            max_private_contract_months: 60,
            max_private_usage_days: 1_095,
            max_instalments: 60,
            instalments_need_invoice_terms: true,
            private_auto_renewal: false,
            private_offer_propagation_micros: 45 * MINUTE_MICROS,
            subtracts_entitlements: false,
            metering_window: MeteringWindow::Hours(24),
            decreases_immediate: false,
            offer_id_column: OfferIdColumn::Legacy,
            identical_retry: IdenticalRetry::Success,
            client_time: ClientTime::Sandbox,
            aws_quotas: false,
            future_skew_micros: 5 * MINUTE_MICROS,
            grace_extends_window: false,
            registration_token_micros: 4 * HOUR_MICROS,
            unknown_identifier_refused: true,
            product_code_with_license: false,
            tags_capped_per_record: false,
            retry_compares_allocations: false,
            dry_run_refused: false,
        };
        match profile {
            Profile::Source => source,
            Profile::Y2026 => Rules {
                max_dimensions: 200,
                decreases_immediate: true,
                max_private_contract_months: 144,
                max_private_usage_days: 4_380,
                max_instalments: 86,
                instalments_need_invoice_terms: false,
                private_auto_renewal: true,
                ..source
            },
        }
    }
}

/// Records of one BatchMeterUsage request.
pub const MAX_BATCH_RECORDS: usize = 25;
/// Records of one message of a stream, and reports of one request of instance-hours.
pub const MAX_STREAM_RECORDS: usize = 5_000;
/// How many hours old a record of MeterUsage may be (aws-api A.3).
pub const METER_USAGE_HOURS: u32 = 6;
/// Allocations of one record.
pub const MAX_ALLOCATIONS: usize = 2_500;
/// Tags of one allocation.
pub const MAX_ALLOCATION_TAGS: usize = 5;
/// How long a client token names its call: 24 hours.
pub const CLIENT_TOKEN_MICROS: i64 = 24 * HOUR_MICROS;
/// How far into the future a sandbox may let records be stamped: an hour.
pub const FUTURE_SKEW_MICROS_MAX: i64 = HOUR_MICROS;
/// How long a sandbox may let private offers take to be seen: a day.
pub const PROPAGATION_MICROS_MAX: i64 = 24 * HOUR_MICROS;
/// How long a sandbox may let registration tokens hold: a week.
pub const REGISTRATION_TOKEN_MICROS_MAX: i64 = 7 * 24 * HOUR_MICROS;
/// How long after an agreement's end its last usage may be sent: an hour.
pub const LAST_RECORDS_MICROS: i64 = HOUR_MICROS;
/// Days of notice before existing subscribers pay a changed price.
pub const NOTICE_DAYS: u64 = 90;
