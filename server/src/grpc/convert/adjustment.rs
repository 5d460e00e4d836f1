//! What a seller gives back.

use souk_core::ids::{AgreementId, InvoiceId};
use souk_core::invoicing::AdjustmentReason;
use souk_core::invoicing::adjustment::{Adjustment, MAX_ADJUSTMENTS};
use souk_core::money::Amount;
use souk_core::rejection::{Code, Rejection};
use souk_proto::billing::v1 as proto;

use super::terms::from_proto_currency;
use super::{from_proto_enum, required_text};

/// Characters of a description at most.
const DESCRIPTION_MAX: usize = 1_000;
/// Characters of a client token at most.
const TOKEN_MAX: usize = 64;

/// Reads one to five adjustments; fields begin with `adjustments`.
///
/// # Errors
/// None or too many, and what is wrong with one.
pub fn from_proto_adjustments(adjustments: Vec<proto::Adjustment>) -> Result<Vec<Adjustment>, Rejection> {
    let count = adjustments.len();
    if !(1..=MAX_ADJUSTMENTS).contains(&count) {
        let message = format!(
            "{count} adjustments; a request holds 1 to {MAX_ADJUSTMENTS} (I2): send several requests"
        );
        return Err(Rejection::new(Code::TooManyAdjustments, "adjustments", message));
    }
    let read = |(index, adjustment)| {
        from_proto_adjustment(adjustment).map_err(|r: Rejection| r.within(&format!("adjustments[{index}]")))
    };
    adjustments.into_iter().enumerate().map(read).collect()
}

fn from_proto_adjustment(adjustment: proto::Adjustment) -> Result<Adjustment, Rejection> {
    let currency = from_proto_currency(&adjustment.currency_code, "currencyCode")?;
    let text = &adjustment.adjustment_amount;
    let amount = Amount::parse(text, currency).ok_or_else(|| {
        let message =
            format!("\"{text}\" is not an amount: give a decimal above 0 with at most 8 decimals (I2)");
        Rejection::new(Code::AdjustmentAmountInvalid, "adjustmentAmount", message)
    })?;
    let token = required_text(&adjustment.client_token, "clientToken")?;
    for (words, longest, field) in
        [(token, TOKEN_MAX, "clientToken"), (&adjustment.description, DESCRIPTION_MAX, "description")]
    {
        souk_core::catalog::product::check_words(words, field, longest)?;
    }
    Ok(Adjustment {
        invoice: InvoiceId::new(required_text(&adjustment.original_invoice_id, "originalInvoiceId")?),
        agreement: AgreementId::new(required_text(&adjustment.agreement_id, "agreementId")?),
        amount,
        reason: from_proto_reason(adjustment.adjustment_reason_code)?,
        client_token: token.to_owned(),
        description: adjustment.description,
    })
}

fn from_proto_reason(number: i32) -> Result<AdjustmentReason, Rejection> {
    use proto::AdjustmentReason as Reason;
    Ok(match from_proto_enum(number, "adjustmentReasonCode")? {
        Reason::IncorrectTermsAccepted => AdjustmentReason::IncorrectTermsAccepted,
        Reason::IncorrectMetering => AdjustmentReason::IncorrectMetering,
        Reason::TestEnvironmentCharges => AdjustmentReason::TestEnvironmentCharges,
        Reason::AlternativeProcurementChannel => AdjustmentReason::AlternativeProcurementChannel,
        Reason::UnintendedRenewal => AdjustmentReason::UnintendedRenewal,
        Reason::BuyerDissatisfaction => AdjustmentReason::BuyerDissatisfaction,
        Reason::Other => AdjustmentReason::Other,
        Reason::Unspecified => {
            let message = "a reason is required, such as INCORRECT_METERING or OTHER";
            return Err(Rejection::new(Code::FieldMissing, "adjustmentReasonCode", message));
        }
    })
}

/// Why something was given back.
pub fn to_proto_reason(reason: AdjustmentReason) -> proto::AdjustmentReason {
    use proto::AdjustmentReason as Reason;
    match reason {
        AdjustmentReason::IncorrectTermsAccepted => Reason::IncorrectTermsAccepted,
        AdjustmentReason::IncorrectMetering => Reason::IncorrectMetering,
        AdjustmentReason::TestEnvironmentCharges => Reason::TestEnvironmentCharges,
        AdjustmentReason::AlternativeProcurementChannel => Reason::AlternativeProcurementChannel,
        AdjustmentReason::UnintendedRenewal => Reason::UnintendedRenewal,
        AdjustmentReason::BuyerDissatisfaction => Reason::BuyerDissatisfaction,
        AdjustmentReason::Other => Reason::Other,
    }
}
