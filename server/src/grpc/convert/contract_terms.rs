//! The terms of private contracts: fixed upfront prices, payment schedules, documents, dates and renewals.

use souk_core::ids::DimensionKey;
use souk_core::money::{PriceDecimals, Rate, UnitPrice};
use souk_core::rejection::{Code, Rejection};
use souk_core::terms::renewal::{Uplift, UpliftRange};
use souk_core::terms::{
    FixedUpfront, Legal, LegalDocument, LegalDocumentKind, PaymentSchedule, Renewal, ScheduledPayment,
    Validity, ValidityDates,
};
use souk_proto::terms::v1 as proto;

use super::terms::{from_proto_currency, from_proto_term_duration, to_proto_quantities};
use super::time::{from_proto_optional_date, to_proto_date};
use super::{from_proto_enum, required};

/// Reads one price for everything.
///
/// # Errors
/// A currency that is not taken, a text that is no price or no duration.
pub fn from_proto_fixed_upfront(term: &proto::FixedUpfrontPricingTerm) -> Result<FixedUpfront, Rejection> {
    let duration = &term.duration;
    let duration = (!duration.is_empty()).then(|| from_proto_term_duration(duration, "duration"));
    Ok(FixedUpfront {
        currency: from_proto_currency(&term.currency_code, "currencyCode")?,
        price: from_proto_price(&term.price, "price")?,
        duration: duration.transpose()?,
        grants: term.grants.iter().map(|(key, units)| (DimensionKey::new(key), *units)).collect(),
    })
}

/// One price for everything.
pub fn to_proto_fixed_upfront(term: &FixedUpfront) -> proto::FixedUpfrontPricingTerm {
    proto::FixedUpfrontPricingTerm {
        currency_code: term.currency.code().to_owned(),
        price: term.price.to_string(),
        duration: term.duration.map(|duration| duration.to_string()).unwrap_or_default(),
        grants: to_proto_quantities(&term.grants),
    }
}

/// Reads instalments.
///
/// # Errors
/// A currency that is not taken, a text that is no date or no amount.
pub fn from_proto_payment_schedule(term: &proto::PaymentScheduleTerm) -> Result<PaymentSchedule, Rejection> {
    let read = |(index, payment): (usize, &proto::ScheduledPayment)| {
        let path = format!("schedule[{index}]");
        let date = from_proto_optional_date(&payment.charge_date, &format!("{path}.chargeDate"))?;
        Ok(ScheduledPayment {
            charge_date: required(date, &format!("{path}.chargeDate"))?,
            amount: from_proto_price(&payment.charge_amount, &format!("{path}.chargeAmount"))?,
        })
    };
    Ok(PaymentSchedule {
        currency: from_proto_currency(&term.currency_code, "currencyCode")?,
        payments: term.schedule.iter().enumerate().map(read).collect::<Result<_, _>>()?,
    })
}

/// Instalments.
pub fn to_proto_payment_schedule(term: &PaymentSchedule) -> proto::PaymentScheduleTerm {
    let write = |payment: &ScheduledPayment| proto::ScheduledPayment {
        charge_date: to_proto_date(payment.charge_date),
        charge_amount: payment.amount.to_string(),
    };
    proto::PaymentScheduleTerm {
        currency_code: term.currency.code().to_owned(),
        schedule: term.payments.iter().map(write).collect(),
    }
}

/// Reads the life of an agreement: a duration, or two dates.
///
/// # Errors
/// Neither or both, a text that is no duration or no date.
pub fn from_proto_validity(term: &proto::ValidityTerm) -> Result<Validity, Rejection> {
    let proto::ValidityTerm { agreement_duration, agreement_start_date, agreement_end_date } = term;
    let first_day = from_proto_optional_date(agreement_start_date, "agreementStartDate")?;
    let last_day = from_proto_optional_date(agreement_end_date, "agreementEndDate")?;
    match (first_day, last_day, agreement_duration.is_empty()) {
        (None, None, _) => {
            let duration = from_proto_term_duration(agreement_duration, "agreementDuration")?;
            Ok(Validity::Lasting(duration))
        }
        (Some(first_day), Some(last_day), true) => Ok(Validity::Dated(ValidityDates { first_day, last_day })),
        (Some(_), Some(_), false) => {
            let message = "give a duration or the first and the last day, not both";
            Err(Rejection::new(Code::FieldInvalid, "agreementDuration", message))
        }
        (None, Some(_), _) => {
            Err(Rejection::new(Code::FieldMissing, "agreementStartDate", "a last day needs a first one"))
        }
        (Some(_), None, _) => {
            Err(Rejection::new(Code::FieldMissing, "agreementEndDate", "a first day needs a last one"))
        }
    }
}

/// The life of an agreement.
pub fn to_proto_validity(term: Validity) -> proto::ValidityTerm {
    match term {
        Validity::Lasting(duration) => {
            proto::ValidityTerm { agreement_duration: duration.to_string(), ..Default::default() }
        }
        Validity::Dated(ValidityDates { first_day, last_day }) => proto::ValidityTerm {
            agreement_start_date: to_proto_date(first_day),
            agreement_end_date: to_proto_date(last_day),
            ..Default::default()
        },
    }
}

/// Reads by how much a price rises with each renewal.
///
/// # Errors
/// Both a percentage and a range, and a text that is no percentage.
pub fn from_proto_renewal(term: &proto::RenewalTerm) -> Result<Renewal, Rejection> {
    let Some(increase) = &term.price_increase else { return Ok(Renewal { uplift: None }) };
    let fixed = &increase.fixed_percentage;
    let uplift = match (&increase.percentage_range, fixed.is_empty()) {
        (None, _) => {
            let percent = from_proto_percentage(fixed, "priceIncrease.fixedPercentage")?;
            Uplift { percent, range: None }
        }
        (Some(range), true) => {
            let path = "priceIncrease.percentageRange";
            let least = from_proto_percentage(&range.minimum, &format!("{path}.minimum"))?;
            let most = from_proto_percentage(&range.maximum, &format!("{path}.maximum"))?;
            let percent = from_proto_percentage(&range.default, &format!("{path}.default"))?;
            Uplift { percent, range: Some(UpliftRange { least, most }) }
        }
        (Some(_), false) => {
            let message = "give a fixed percentage or a range, not both";
            return Err(Rejection::new(Code::FieldInvalid, "priceIncrease", message));
        }
    };
    Ok(Renewal { uplift: Some(uplift) })
}

/// By how much a price rises with each renewal.
pub fn to_proto_renewal(term: Renewal) -> proto::RenewalTerm {
    let increase = |uplift: Uplift| match uplift.range {
        None => proto::PriceIncrease { fixed_percentage: uplift.percent.number(), percentage_range: None },
        Some(UpliftRange { least, most }) => proto::PriceIncrease {
            fixed_percentage: String::new(),
            percentage_range: Some(proto::PercentageRange {
                minimum: least.number(),
                maximum: most.number(),
                default: uplift.percent.number(),
            }),
        },
    };
    proto::RenewalTerm { price_increase: term.uplift.map(increase) }
}

/// Reads the documents that a buyer agrees to.
///
/// # Errors
/// A document of no type.
pub fn from_proto_legal(term: proto::LegalTerm) -> Result<Legal, Rejection> {
    let read = |(index, document): (usize, proto::LegalDocument)| {
        let field = format!("documents[{index}].type");
        let kind = match from_proto_enum(document.r#type, &field)? {
            proto::LegalDocumentType::CustomEula => LegalDocumentKind::CustomEula,
            proto::LegalDocumentType::StandardEula => LegalDocumentKind::StandardEula,
            proto::LegalDocumentType::Unspecified => {
                let message = "a type is required: CUSTOM_EULA or STANDARD_EULA";
                return Err(Rejection::new(Code::FieldMissing, field, message));
            }
        };
        Ok(LegalDocument { kind, url: document.url })
    };
    let documents = term.documents.into_iter().enumerate().map(read).collect::<Result<_, _>>()?;
    Ok(Legal { documents })
}

/// The documents that a buyer agrees to.
pub fn to_proto_legal(term: &Legal) -> proto::LegalTerm {
    let write = |document: &LegalDocument| proto::LegalDocument {
        r#type: match document.kind {
            LegalDocumentKind::CustomEula => proto::LegalDocumentType::CustomEula,
            LegalDocumentKind::StandardEula => proto::LegalDocumentType::StandardEula,
        }
        .into(),
        url: document.url.clone(),
    };
    proto::LegalTerm { documents: term.documents.iter().map(write).collect() }
}

/// Reads a price that is paid upfront.
pub(super) fn from_proto_price(text: &str, field: &str) -> Result<UnitPrice, Rejection> {
    UnitPrice::parse(text, PriceDecimals::Upfront)
        .map_err(|why| Rejection::new(Code::PriceInvalid, field, format!("\"{text}\" is not a price: {why}")))
}

fn from_proto_percentage(text: &str, field: &str) -> Result<Rate, Rejection> {
    Rate::parse(text).ok_or_else(|| {
        let message =
            format!("\"{text}\" is not a percentage: give 0 to 100 with at most 2 decimals, such as 7.5");
        Rejection::new(Code::FieldInvalid, field, message)
    })
}
