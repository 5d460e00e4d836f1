//! The agreement feed: a record when an agreement begins, when something is bought or amended under it, and when it ends.

use std::collections::BTreeMap;

use super::super::cells::side;
use super::super::{Asks, Report, ReportInput, Row};
use super::offers::revision_at;
use super::record::Record;
use crate::agreement::{Agreement, AgreementStatus, Origin, UpfrontPurchase};
use crate::catalog::Side;
use crate::ids::{AgreementId, LicenseArn};
use crate::money::Money;
use crate::rejection::Broken;
use crate::terms::UpfrontKind;
use crate::time::Timestamp;

/// The feed.
pub const AGREEMENTS: Report = Report {
    name: "agreementfeed_v1",
    title: "Agreement feed",
    columns: &[
        "valid_from",
        "insert_date",
        "update_date",
        "delete_date",
        "Status",
        "estimated_agreement_value",
        "currency_code",
        "agreement_id",
        "license_ids",
        "proposer_account_id",
        "acceptor_account_id",
        "offer_revision_at_acceptance",
        "offer_set_id",
        "start_time",
        "end_time",
        "acceptance_time",
        "intent",
        "preceding_agreement_id",
        "status_reason_code",
        "recipient_account_id",
    ],
    asks: Asks::AgreementFeed,
    rows,
};

fn rows(input: &ReportInput<'_>) -> Result<Vec<Row>, Broken> {
    let mut chains: BTreeMap<&LicenseArn, BTreeMap<u32, &AgreementId>> = BTreeMap::new();
    for agreement in input.agreements {
        chains.entry(&agreement.licence).or_default().insert(agreement.number, &agreement.id);
    }
    let mut records = Vec::new();
    for agreement in input.agreements {
        let chain = chains.get(&agreement.licence);
        let preceding = chain.and_then(|chain| chain.range(..agreement.number).next_back());
        let preceding = preceding.map_or_else(String::new, |(_, id)| id.to_string());
        for (at, intent) in moments(agreement) {
            records.push(record(input, agreement, &preceding, at, intent)?);
        }
    }
    Ok(super::rows(input, records))
}

/// The moments at which an agreement became what it was from then on, and what its buyer intended last.
fn moments(agreement: &Agreement) -> BTreeMap<Timestamp, &'static str> {
    let first = first_intent(agreement);
    let mut moments = BTreeMap::from([(agreement.accepted_at, first)]);
    let purchases = agreement.purchases.iter().filter(|purchase| purchase.kind != UpfrontKind::Monthly);
    for bought in purchases.map(|purchase| agreement.bought_at(purchase)) {
        moments.entry(bought).or_insert("AMEND");
    }
    if let Some(ended) = agreement.ended_at {
        let last = moments.range(..=ended).next_back().map_or(first, |(_, intent)| *intent);
        moments.entry(ended).or_insert(last);
    }
    moments
}

/// What an agreement was at a moment.
fn record(
    input: &ReportInput<'_>,
    agreement: &Agreement,
    preceding: &str,
    at: Timestamp,
    intent: &str,
) -> Result<Record, Broken> {
    let has_ended = agreement.ended_at.is_some_and(|ended| ended <= at);
    let status = if has_ended { agreement.status } else { AgreementStatus::Active };
    let end = if has_ended { agreement.ended_at } else { agreement.planned_end };
    let side = side(input, &agreement.offer)?;
    let value = value_at(agreement, at, side)?;
    let (acceptor, _) = side.parties(agreement.buyer, agreement.payer);
    let offer = input.market.known_offer(&agreement.offer)?;
    let cells = vec![
        word(status).to_owned(),
        value.to_string(),
        value.currency().to_string(),
        agreement.id.to_string(),
        agreement.licence.to_string(),
        agreement.seller.to_string(),
        acceptor.to_string(),
        revision_at(input, offer, agreement.accepted_at).to_string(),
        String::new(),
        agreement.start.to_string(),
        end.map_or_else(String::new, |end| end.to_string()),
        agreement.accepted_at.to_string(),
        intent.to_owned(),
        preceding.to_owned(),
        String::new(),
        input.seller.to_string(),
    ];
    Ok(Record::written(agreement.id.to_string(), at, cells))
}

/// What was agreed by then to be paid to the seller, without usage and monthly fees.
fn value_at(agreement: &Agreement, at: Timestamp, side: Side) -> Result<Money, Broken> {
    let by_then = |purchase: &&UpfrontPurchase| agreement.bought_at(purchase) <= at;
    let purchases = agreement.purchases.iter().filter(by_then).cloned().collect();
    Agreement { purchases, ..agreement.clone() }.value_on(side)
}

fn first_intent(agreement: &Agreement) -> &'static str {
    match agreement.origin {
        Origin::Renewed => "RENEW",
        Origin::FellBack => "REPLACE",
        Origin::Accepted if agreement.initial_id == agreement.id => "NEW",
        Origin::Accepted => "REPLACE",
    }
}

fn word(status: AgreementStatus) -> &'static str {
    match status {
        AgreementStatus::Active => "ACTIVE",
        AgreementStatus::Cancelled => "CANCELLED",
        AgreementStatus::Expired => "EXPIRED",
        AgreementStatus::Renewed => "RENEWED",
        AgreementStatus::Replaced => "REPLACED",
    }
}
