use super::*;
use crate::agreement::AgreementStatus;
use crate::catalog::Targeting;
use crate::ids::{AccountId, AgreementId, DimensionKey, LicenseArn, OfferId, ProductId};
use crate::money::{Currency, UnitPrice};
use crate::terms::{RateCard, Terms};
use crate::time::TermDuration;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn account(number: u64) -> AccountId {
    AccountId::from_number(number).unwrap()
}

fn purchase(number: u32, kind: UpfrontKind, start: Timestamp) -> UpfrontPurchase {
    let duration = TermDuration::Months(12);
    UpfrontPurchase {
        number,
        kind,
        duration,
        quantities: [(DimensionKey::new("large"), 3)].into(),
        unit_prices: RateCard::new(),
        fixed_price: None,
        in_instalments: false,
        currency: Currency::Usd,
        start,
        end: duration.after(start),
        auto_renew: false,
        ended_early_at: None,
        amends: None,
        added_value: None,
        wholesale: None,
    }
}

fn agreement(origin: Origin, purchases: Vec<UpfrontPurchase>) -> Agreement {
    let start = purchases.first().unwrap().start;
    Agreement {
        id: AgreementId::new("agmt-1"),
        number: 1,
        initial_id: AgreementId::new("agmt-1"),
        licence: LicenseArn::new("arn"),
        buyer: account(1),
        payer: account(1),
        seller: account(9),
        product: ProductId::new("prod-1"),
        offer: OfferId::new("offer-1"),
        origin,
        accepted_at: start,
        start,
        planned_end: None,
        status: AgreementStatus::Active,
        ended_at: None,
        purchases,
        instalments: Vec::new(),
    }
}

fn offer(buyers: &[u64]) -> Offer {
    Offer {
        id: OfferId::new("offer-1"),
        product: ProductId::new("prod-1"),
        name: String::new(),
        targeting: Targeting {
            buyer_accounts: buyers.iter().map(|&number| account(number)).collect(),
            ..Targeting::default()
        },
        accept_by: None,
        renewal_kind: None,
        resale: None,
        terms: Terms::default(),
        released_at: at("2025-01-01T00:00:00Z"),
        visible_from: at("2025-01-01T00:00:00Z"),
        price_changes: Vec::new(),
    }
}

/// The windows of the last purchase of an agreement, in days from its start.
fn days(agreement: &Agreement, offer: &Offer) -> Option<(u32, Option<u32>, Option<u32>)> {
    let last = agreement.purchases.last().unwrap();
    let after = |end| days_until(last.start, end);
    let windows = RefundWindows::of(agreement, last, offer)?;
    Some((after(windows.full), windows.pro_rata.map(after), windows.downgrade.map(after)))
}

#[test]
fn f_10_the_windows_of_an_annual_subscription() {
    let bought = at("2025-03-01T00:00:00Z");
    let agreement = agreement(Origin::Accepted, vec![purchase(1, UpfrontKind::Annual, bought)]);
    let windows = RefundWindows::of(&agreement, &agreement.purchases[0], &offer(&[])).unwrap();
    for (days_after, full, pro_rata, downgrade) in [
        (2, true, true, true),
        (14, false, true, true),
        (15, false, false, true),
        (30, false, false, true),
        (31, false, false, false),
    ] {
        let now = bought.plus_days(days_after);
        assert_eq!(now <= windows.full, full, "{days_after} days: all of it");
        assert_eq!(Some(now) <= windows.pro_rata, pro_rata, "{days_after} days: by days");
        assert_eq!(Some(now) <= windows.downgrade, downgrade, "{days_after} days: units");
    }
}

#[test]
fn what_renewed_itself_comes_back_for_longer() {
    let (start, next) = (at("2025-03-01T10:00:00Z"), at("2026-03-01T10:00:00Z"));
    let first = purchase(1, UpfrontKind::Annual, start);
    for (case, second, full) in [
        ("the same, where the first ended", purchase(2, UpfrontKind::Annual, next), 14),
        ("the same, a day before", purchase(2, UpfrontKind::Annual, at("2026-02-28T10:00:00Z")), 2),
        (
            "other quantities",
            UpfrontPurchase { quantities: [].into(), ..purchase(2, UpfrontKind::Annual, next) },
            2,
        ),
    ] {
        let agreement = agreement(Origin::Accepted, vec![first.clone(), second]);
        assert_eq!(days(&agreement, &offer(&[])), Some((full, Some(14), Some(30))), "{case}");
    }
    // What amends it has its windows.
    for (case, origin, second, full) in [
        ("an amendment", Origin::Accepted, purchase(1, UpfrontKind::Annual, start), 2),
        ("an amendment of a renewal", Origin::Renewed, purchase(1, UpfrontKind::Contract, start), 14),
    ] {
        let amendment = UpfrontPurchase { amends: Some(1), ..purchase(2, second.kind, start.plus_days(1)) };
        let agreement = agreement(origin, vec![second, amendment]);
        let last = agreement.purchases.last().unwrap();
        let windows = RefundWindows::of(&agreement, last, &offer(&[])).unwrap();
        assert_eq!(windows.full, start.plus_days(full), "{case}");
    }
    let contract = purchase(1, UpfrontKind::Contract, start);
    for (origin, full) in [(Origin::Renewed, 14), (Origin::Accepted, 2)] {
        let agreement = agreement(origin, vec![contract.clone()]);
        assert_eq!(days(&agreement, &offer(&[])), Some((full, None, None)), "{origin:?}");
    }
}

#[test]
fn private_offers_trials_and_monthly_fees_have_no_windows() {
    let start = at("2025-03-01T10:00:00Z");
    let of = |purchase, buyers: &[u64]| days(&agreement(Origin::Accepted, vec![purchase]), &offer(buyers));
    assert_eq!(of(purchase(1, UpfrontKind::Annual, start), &[1]), None);
    assert_eq!(of(purchase(1, UpfrontKind::Monthly, start), &[]), None);
    let trial =
        UpfrontPurchase { fixed_price: Some(UnitPrice::ZERO), ..purchase(1, UpfrontKind::Contract, start) };
    assert_eq!(of(trial, &[]), None);
}
