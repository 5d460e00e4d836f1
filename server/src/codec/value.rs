//! The values that the stored messages are made of: ids, times, numbers and enums.
//!
//! What is called `to_journal` cannot fail. What reads takes the name of the field, so that an error says
//! where it is.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use souk_core::agreement::{AgreementStatus, InstalmentState, Origin};
use souk_core::catalog::{
    BilledBy, DimensionType, EntitlementValueKind, ProductType, RenewalKind, UsageCategory,
};
use souk_core::ids::{AccountId, DimensionKey};
use souk_core::invoicing::{AdjustmentReason, ChargeType, InvoiceKind};
use souk_core::money::{Currency, Money, UnitPrice};
use souk_core::quantity::QuantitySum;
use souk_core::rules::{ClientTime, IdenticalRetry, OfferIdColumn, Profile};
use souk_core::terms::{RateCard, UpfrontKind};
use souk_core::time::{BillingMonth, TermDuration, Timestamp, UsageHour};
use souk_proto::journal::v1 as journal;

use super::CodecError;

/// What is always written.
pub(super) fn required<T>(value: Option<T>, field: &str) -> Result<T, CodecError> {
    value.ok_or_else(|| CodecError::absent(field))
}

/// A message that is always written.
pub(super) fn message<M, T>(
    value: Option<M>,
    field: &str,
    read: impl FnOnce(M) -> Result<T, CodecError>,
) -> Result<T, CodecError> {
    read(required(value, field)?).map_err(|e| e.within(field))
}

/// Messages in a row.
pub(super) fn list<M, T>(
    items: Vec<M>,
    field: &str,
    read: impl Fn(M) -> Result<T, CodecError>,
) -> Result<Vec<T>, CodecError> {
    let one = |(index, item)| read(item).map_err(|e: CodecError| e.within(&format!("{field}[{index}]")));
    items.into_iter().enumerate().map(one).collect()
}

/// An id, which is never empty.
pub(super) fn id<T>(text: &str, make: fn(&str) -> T, field: &str) -> Result<T, CodecError> {
    match text.is_empty() {
        true => Err(CodecError::absent(field)),
        false => Ok(make(text)),
    }
}

/// A content hash: 16 bytes, the most significant first.
pub(super) fn hash(bytes: &[u8], field: &str) -> Result<u128, CodecError> {
    let hash: [u8; 16] = bytes.try_into().map_err(|_| match bytes.len() {
        0 => CodecError::absent(field),
        length => CodecError::invalid(field, &format!("{length} bytes long")),
    })?;
    Ok(u128::from_be_bytes(hash))
}

/// An account by its number.
pub(super) fn account(number: Option<u64>, field: &str) -> Result<AccountId, CodecError> {
    let number = required(number, field)?;
    AccountId::from_number(number).ok_or_else(|| CodecError::invalid(field, &number))
}

/// A moment in microseconds.
pub(super) fn time(micros: i64, field: &str) -> Result<Timestamp, CodecError> {
    Timestamp::from_micros(micros).ok_or_else(|| CodecError::invalid(field, &micros))
}

/// A moment that is always written.
pub(super) fn required_time(micros: Option<i64>, field: &str) -> Result<Timestamp, CodecError> {
    time(required(micros, field)?, field)
}

/// A moment that may be absent.
pub(super) fn optional_time(micros: Option<i64>, field: &str) -> Result<Option<Timestamp>, CodecError> {
    micros.map(|micros| time(micros, field)).transpose()
}

/// An hour by its index.
pub(super) fn hour(index: Option<i32>, field: &str) -> Result<UsageHour, CodecError> {
    let index = required(index, field)?;
    UsageHour::from_index(index).ok_or_else(|| CodecError::invalid(field, &index))
}

/// A month by its index.
pub(super) fn month(index: Option<i32>, field: &str) -> Result<BillingMonth, CodecError> {
    let index = required(index, field)?;
    BillingMonth::from_index(index).ok_or_else(|| CodecError::invalid(field, &index))
}

/// A day, counted from 1970.
pub(super) fn date(days: i32, field: &str) -> Result<NaiveDate, CodecError> {
    NaiveDate::from_epoch_days(days).ok_or_else(|| CodecError::invalid(field, &days))
}

/// A whole number in digits, in the one way it is written.
pub(super) fn integer(digits: &str, field: &str) -> Result<i128, CodecError> {
    if digits.is_empty() {
        return Err(CodecError::absent(field));
    }
    let read = digits.parse::<i128>().ok().filter(|number| number.to_string() == digits);
    read.ok_or_else(|| CodecError::invalid(field, &format!("{digits:?}")))
}

/// A sum of quantities in millionths.
pub(super) fn quantity_sum(digits: &str, field: &str) -> Result<QuantitySum, CodecError> {
    integer(digits, field).map(QuantitySum)
}

/// A unit price.
pub(super) fn price(scaled: Option<i64>, field: &str) -> Result<UnitPrice, CodecError> {
    let scaled = required(scaled, field)?;
    UnitPrice::from_scaled(scaled).ok_or_else(|| CodecError::invalid(field, &scaled))
}

/// Money in a currency's smallest units.
pub(super) fn money(digits: &str, currency: Currency, field: &str) -> Result<Money, CodecError> {
    integer(digits, field).map(|minor| Money::from_minor(minor, currency))
}

/// A currency by its code.
pub(super) fn currency(code: &str, field: &str) -> Result<Currency, CodecError> {
    // The core reads no code as US dollars; here it is written always.
    Currency::parse(code).filter(|_| !code.is_empty()).ok_or_else(|| CodecError::absent(field))
}

/// A duration.
pub(super) fn to_journal_duration(duration: TermDuration) -> journal::TermDuration {
    use journal::term_duration::Length;
    let length = match duration {
        TermDuration::Days(days) => Length::Days(days),
        TermDuration::Months(months) => Length::Months(months),
    };
    journal::TermDuration { length: Some(length) }
}

/// A duration.
pub(super) fn from_journal_duration(duration: journal::TermDuration) -> Result<TermDuration, CodecError> {
    use journal::term_duration::Length;
    match required(duration.length, "length")? {
        Length::Days(days) => Ok(TermDuration::Days(days)),
        Length::Months(months) => Ok(TermDuration::Months(months)),
    }
}

/// Prices by dimension.
pub(super) fn to_journal_rate_card(card: &RateCard) -> Vec<journal::DimensionPrice> {
    let price = |(key, price): (&DimensionKey, &UnitPrice)| journal::DimensionPrice {
        dimension: key.to_string(),
        scaled_price: Some(price.scaled()),
    };
    card.iter().map(price).collect()
}

/// Prices by dimension.
pub(super) fn from_journal_rate_card(
    card: Vec<journal::DimensionPrice>,
    field: &str,
) -> Result<RateCard, CodecError> {
    let read = |entry: journal::DimensionPrice| {
        let key = id(&entry.dimension, DimensionKey::new, "dimension")?;
        Ok((key, price(entry.scaled_price, "scaled_price")?))
    };
    by_key(list(card, field, read)?, field)
}

/// Units by dimension.
pub(super) fn to_journal_units(units: &BTreeMap<DimensionKey, u64>) -> Vec<journal::DimensionUnits> {
    let one = |(key, &units): (&DimensionKey, &u64)| journal::DimensionUnits {
        dimension: key.to_string(),
        units: Some(units),
    };
    units.iter().map(one).collect()
}

/// Units by dimension.
pub(super) fn from_journal_units(
    units: Vec<journal::DimensionUnits>,
    field: &str,
) -> Result<BTreeMap<DimensionKey, u64>, CodecError> {
    let read = |entry: journal::DimensionUnits| {
        let key = id(&entry.dimension, DimensionKey::new, "dimension")?;
        Ok((key, required(entry.units, "units")?))
    };
    by_key(list(units, field, read)?, field)
}

/// A map from its entries: no key stands twice.
pub(super) fn by_key<K: Ord + std::fmt::Display, V>(
    entries: Vec<(K, V)>,
    field: &str,
) -> Result<BTreeMap<K, V>, CodecError> {
    let mut map = BTreeMap::new();
    for (index, (key, value)) in entries.into_iter().enumerate() {
        if map.contains_key(&key) {
            return Err(CodecError::invalid(
                &format!("{field}[{index}]"),
                &format!("another entry of {key}"),
            ));
        }
        map.insert(key, value);
    }
    Ok(map)
}

/// A set from its items: none stands twice.
pub(super) fn unique<T: Ord>(items: Vec<T>, field: &str) -> Result<BTreeSet<T>, CodecError> {
    let count = items.len();
    let set: BTreeSet<T> = items.into_iter().collect();
    match set.len() == count {
        true => Ok(set),
        false => Err(CodecError::invalid(field, "a list in which something stands twice")),
    }
}

/// An enum of the core that is stored as a number.
pub(super) trait Stored: Sized {
    /// The number.
    fn to_journal(self) -> i32;
    /// The value of a number.
    fn from_journal(number: i32, field: &str) -> Result<Self, CodecError>;
}

/// Pairs the enums of the core with those of the journal, which have the same names.
macro_rules! stored_enums {
    ($($name:ident { $($value:ident)* })*) => {$(
        impl Stored for $name {
            fn to_journal(self) -> i32 {
                let stored = match self { $($name::$value => journal::$name::$value,)* };
                stored.into()
            }

            fn from_journal(number: i32, field: &str) -> Result<$name, CodecError> {
                match journal::$name::try_from(number) {
                    $(Ok(journal::$name::$value) => Ok($name::$value),)*
                    Ok(journal::$name::Unspecified) | Err(_) => Err(CodecError::absent(field)),
                }
            }
        }
    )*};
}

stored_enums! {
    AdjustmentReason {
        IncorrectTermsAccepted IncorrectMetering TestEnvironmentCharges AlternativeProcurementChannel
        UnintendedRenewal BuyerDissatisfaction Other
    }
    AgreementStatus { Active Cancelled Expired Renewed Replaced }
    BilledBy { Second Minute Inference }
    ChargeType { Usage Annual Contract Monthly }
    ClientTime { Sandbox Machine }
    DimensionType { Metered ExternallyMetered Entitled }
    EntitlementValueKind { Integer Double Boolean String }
    IdenticalRetry { Success DuplicateRecord }
    InstalmentState { Pending Invoiced Cancelled }
    InvoiceKind { Usage Upfront Instalment CreditMemo }
    OfferIdColumn { Legacy Dashboard }
    Origin { Accepted Renewed FellBack }
    ProductType { Ami Container Saas MachineLearning ProfessionalServices }
    Profile { Source Y2026 }
    RenewalKind { ExistingOnMarketplace MovingToMarketplace }
    UpfrontKind { Annual Contract Monthly }
    UsageCategory { Users Hosts Bandwidth Data Tiers Units }
}
