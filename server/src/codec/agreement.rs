//! Agreements and what is bought upfront under them.

use souk_core::agreement::{
    Agreement, AgreementStatus, Instalment, InstalmentState, Origin, UpfrontPurchase,
};
use souk_core::ids::{AgreementId, LicenseArn, OfferId, ProductId};
use souk_core::money::UnitPrice;
use souk_core::terms::UpfrontKind;
use souk_core::terms::configurable_upfront::UpfrontConfiguration;
use souk_proto::journal::v1 as journal;

use super::CodecError;
use super::resale::from_journal_wholesale;
use super::value::{
    Stored, account, currency, from_journal_duration, from_journal_rate_card, from_journal_units, id, list,
    message, money, optional_time, price, required, required_time, to_journal_duration, to_journal_rate_card,
    to_journal_units,
};

pub(super) fn to_journal_agreement(agreement: &Agreement) -> journal::Agreement {
    let Agreement {
        id,
        number,
        initial_id,
        licence,
        buyer,
        payer,
        seller,
        product,
        offer,
        origin,
        accepted_at,
        start,
        planned_end,
        status,
        ended_at,
        purchases,
        instalments,
    } = agreement;
    journal::Agreement {
        agreement_id: id.to_string(),
        number: Some(*number),
        initial_agreement_id: initial_id.to_string(),
        license_arn: licence.to_string(),
        buyer: Some(buyer.number()),
        payer: Some(payer.number()),
        seller: Some(seller.number()),
        product_id: product.to_string(),
        offer_id: offer.to_string(),
        origin: origin.to_journal(),
        accepted_micros: Some(accepted_at.micros()),
        start_micros: Some(start.micros()),
        planned_end_micros: planned_end.map(|end| end.micros()),
        status: status.to_journal(),
        end_micros: ended_at.map(|end| end.micros()),
        purchases: purchases.iter().map(to_journal_purchase).collect(),
        instalments: instalments.iter().map(to_journal_instalment).collect(),
    }
}

pub(super) fn from_journal_agreement(agreement: journal::Agreement) -> Result<Agreement, CodecError> {
    Ok(Agreement {
        id: id(&agreement.agreement_id, AgreementId::new, "agreement_id")?,
        number: required(agreement.number, "number")?,
        initial_id: id(&agreement.initial_agreement_id, AgreementId::new, "initial_agreement_id")?,
        licence: id(&agreement.license_arn, LicenseArn::new, "license_arn")?,
        buyer: account(agreement.buyer, "buyer")?,
        payer: account(agreement.payer, "payer")?,
        seller: account(agreement.seller, "seller")?,
        product: id(&agreement.product_id, ProductId::new, "product_id")?,
        offer: id(&agreement.offer_id, OfferId::new, "offer_id")?,
        origin: Origin::from_journal(agreement.origin, "origin")?,
        accepted_at: required_time(agreement.accepted_micros, "accepted_micros")?,
        start: required_time(agreement.start_micros, "start_micros")?,
        planned_end: optional_time(agreement.planned_end_micros, "planned_end_micros")?,
        status: AgreementStatus::from_journal(agreement.status, "status")?,
        ended_at: optional_time(agreement.end_micros, "end_micros")?,
        purchases: list(agreement.purchases, "purchases", from_journal_purchase)?,
        instalments: list(agreement.instalments, "instalments", from_journal_instalment)?,
    })
}

fn to_journal_instalment(instalment: &Instalment) -> journal::Instalment {
    let Instalment { due, amount, state } = instalment;
    journal::Instalment {
        due_micros: Some(due.micros()),
        scaled_amount: Some(amount.scaled()),
        state: state.to_journal(),
    }
}

fn from_journal_instalment(instalment: journal::Instalment) -> Result<Instalment, CodecError> {
    Ok(Instalment {
        due: required_time(instalment.due_micros, "due_micros")?,
        amount: price(instalment.scaled_amount, "scaled_amount")?,
        state: InstalmentState::from_journal(instalment.state, "state")?,
    })
}

pub(super) fn to_journal_purchase(purchase: &UpfrontPurchase) -> journal::UpfrontPurchase {
    let UpfrontPurchase {
        number,
        kind,
        duration,
        quantities,
        unit_prices,
        fixed_price,
        in_instalments,
        currency,
        start,
        end,
        auto_renew,
        ended_early_at,
        amends,
        added_value,
        wholesale,
    } = purchase;
    journal::UpfrontPurchase {
        number: Some(*number),
        kind: kind.to_journal(),
        duration: Some(to_journal_duration(*duration)),
        quantities: to_journal_units(quantities),
        unit_prices: to_journal_rate_card(unit_prices),
        currency_code: currency.code().to_owned(),
        start_micros: Some(start.micros()),
        end_micros: Some(end.micros()),
        auto_renew: Some(*auto_renew),
        scaled_fixed_price: fixed_price.map(UnitPrice::scaled),
        in_instalments: in_instalments.then_some(true),
        amended_micros: ended_early_at.map(|at| at.micros()),
        amends: *amends,
        added_value_minor: added_value.map(|value| value.minor().to_string()),
        wholesale_minor: wholesale.map(|value| value.minor().to_string()),
    }
}

pub(super) fn from_journal_purchase(
    purchase: journal::UpfrontPurchase,
) -> Result<UpfrontPurchase, CodecError> {
    let currency = currency(&purchase.currency_code, "currency_code")?;
    let fixed_price = purchase.scaled_fixed_price.map(|scaled| price(Some(scaled), "scaled_fixed_price"));
    let added = purchase.added_value_minor.map(|digits| money(&digits, currency, "added_value_minor"));
    Ok(UpfrontPurchase {
        fixed_price: fixed_price.transpose()?,
        in_instalments: purchase.in_instalments.unwrap_or(false),
        ended_early_at: optional_time(purchase.amended_micros, "amended_micros")?,
        amends: purchase.amends,
        added_value: added.transpose()?,
        wholesale: from_journal_wholesale(purchase.wholesale_minor.as_ref(), currency)?,
        number: required(purchase.number, "number")?,
        kind: UpfrontKind::from_journal(purchase.kind, "kind")?,
        duration: message(purchase.duration, "duration", from_journal_duration)?,
        quantities: from_journal_units(purchase.quantities, "quantities")?,
        unit_prices: from_journal_rate_card(purchase.unit_prices, "unit_prices")?,
        currency,
        start: required_time(purchase.start_micros, "start_micros")?,
        end: required_time(purchase.end_micros, "end_micros")?,
        auto_renew: required(purchase.auto_renew, "auto_renew")?,
    })
}

pub(super) fn to_journal_configuration(
    configuration: &UpfrontConfiguration,
) -> journal::UpfrontConfiguration {
    let UpfrontConfiguration { duration, quantities, auto_renew } = configuration;
    journal::UpfrontConfiguration {
        duration: duration.map(to_journal_duration),
        quantities: to_journal_units(quantities),
        auto_renew: Some(*auto_renew),
    }
}

pub(super) fn from_journal_configuration(
    configuration: journal::UpfrontConfiguration,
) -> Result<UpfrontConfiguration, CodecError> {
    Ok(UpfrontConfiguration {
        duration: configuration.duration.map(from_journal_duration).transpose()?,
        quantities: from_journal_units(configuration.quantities, "quantities")?,
        auto_renew: required(configuration.auto_renew, "auto_renew")?,
    })
}
