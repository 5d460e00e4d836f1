//! A day's usage: what it is expected to cost, as the lines of the month do.

use super::*;
use crate::catalog::{Resale, Side};
use crate::rating::{DailyUsage, UsageKind, usage_of_day};

/// Kind, quantity, price and revenue of a day of the month, for a seller.
fn told(sandbox: &Sandbox, seller: u64, day: i64) -> Vec<(UsageKind, String, String, String)> {
    let family = sandbox.family(account(1)).unwrap();
    let day = second(86_400 * day);
    let show = |usage: DailyUsage| {
        let DailyUsage { kind, quantity, unit_price, .. } = &usage;
        (*kind, quantity.to_string(), unit_price.to_string(), usage.revenue().to_string())
    };
    usage_of_day(sandbox, family, account(seller), day).unwrap().into_iter().map(show).collect()
}

fn usage(kind: UsageKind, [quantity, price, revenue]: [&str; 3]) -> (UsageKind, String, String, String) {
    (kind, quantity.to_owned(), price.to_owned(), revenue.to_owned())
}

#[test]
fn p2_a_days_seconds_cost_a_part_of_an_hour() {
    let mut sandbox = sold(ProductType::Container, BilledBy::Second, 600, 0, 0);
    tell(&mut sandbox, &[(100, "pod-1", 36_005, 37_235), (101, "pod-2", 90_000, 90_001)]);
    assert_eq!(told(&sandbox, 9, 0), [usage(UsageKind::Billed, ["1230", "6.00", "2.05"])]);
    assert_eq!(told(&sandbox, 9, 1), [usage(UsageKind::Billed, ["60", "6.00", "0.10"])]);
    assert_eq!(told(&sandbox, 9, 2), []);
}

#[test]
fn p2_a_days_cover_is_of_seconds() {
    let mut sandbox = sold(ProductType::Container, BilledBy::Second, 600, 1, 0);
    // Account 102 has bought one for each hour: half an hour of the second pod is left over.
    tell(&mut sandbox, &[(102, "pod-1", 0, 3_600), (102, "pod-2", 0, 1_800)]);
    assert_eq!(
        told(&sandbox, 9, 0),
        [
            usage(UsageKind::Billed, ["1800", "6.00", "3.00"]),
            usage(UsageKind::Annual, ["3600", "0.00", "0.00"])
        ]
    );
}

#[test]
fn b21_what_was_paid_for_upfront_is_contract_usage() {
    let mut sandbox = sold(ProductType::MachineLearning, BilledBy::Minute, 500, 0, 0);
    let mut offer = sandbox.market().offers()[&OfferId::new("offer-2")].clone();
    offer.id = OfferId::new("offer-contract");
    offer.targeting.buyer_accounts = [account(100)].into();
    let price = UnitPrice::from_scaled(100_000_000_000).unwrap();
    let (currency, duration) = (Currency::Usd, Some(TermDuration::Days(1)));
    offer.terms.fixed_upfront = Some(FixedUpfront { currency, price, duration, grants: [].into() });
    sandbox.apply_change(&Change::OfferCreated(offer.clone()));
    let family = sandbox.family(account(1));
    let events = accept_offer(sandbox.market(), family, &offer.id, account(100), None, second(0)).unwrap();
    events.iter().for_each(|event| sandbox.apply(event));
    tell(&mut sandbox, &[(100, "i-1", 82_800, 90_000)]);
    assert_eq!(told(&sandbox, 9, 0), [usage(UsageKind::Entitled, ["3600", "0.00", "0.00"])]);
    assert_eq!(told(&sandbox, 9, 1), [usage(UsageKind::Billed, ["3600", "5.00", "5.00"])]);
}

#[test]
fn j1_each_seller_is_told_its_price_of_what_is_resold_and_others_nothing() {
    for (shows_buyer, customer, payer) in [(false, 8, 8), (true, 100, 1)] {
        let mut sandbox = sold(ProductType::Container, BilledBy::Second, 500, 0, 0);
        let mut offer = sandbox.market().offers()[&OfferId::new("offer-2")].clone();
        offer.id = OfferId::new("offer-resold");
        offer.targeting.buyer_accounts = [account(100)].into();
        let wholesale = Terms { usage_based: offer.terms.usage_based.clone(), ..Terms::default() };
        let authorization = crate::ids::ResaleAuthorizationId::new("resaleauthz-1");
        offer.resale = Some(Box::new(Resale { authorization, reseller: account(8), shows_buyer, wholesale }));
        let price = UnitPrice::from_scaled(600_000_000).unwrap();
        let card = &mut offer.terms.usage_based.as_mut().unwrap().rate_card;
        card.insert(DimensionKey::new("a"), price);
        sandbox.apply_change(&Change::OfferCreated(offer.clone()));
        let family = sandbox.family(account(1));
        let events =
            accept_offer(sandbox.market(), family, &offer.id, account(100), None, second(0)).unwrap();
        events.iter().for_each(|event| sandbox.apply(event));
        // Account 101 goes on with the manufacturer's public offer.
        tell(&mut sandbox, &[(100, "pod-1", 3_600, 4_830), (101, "pod-2", 3_600, 4_830)]);
        let resold = ["1230", "5.00", "1.71"];
        assert_eq!(told(&sandbox, 8, 0), [usage(UsageKind::Billed, ["1230", "6.00", "2.05"])]);
        assert_eq!(told(&sandbox, 9, 0), [resold, resold].map(|row| usage(UsageKind::Billed, row)));
        assert_eq!(told(&sandbox, 7, 0), []);
        let family = sandbox.family(account(1)).unwrap();
        let of = |seller| usage_of_day(&sandbox, family, account(seller), second(0)).unwrap();
        let parties = |usage: &DailyUsage| (usage.buyer, usage.payer, usage.side.is_manufacturers());
        assert_eq!(parties(&of(8)[0]), (account(100), account(1), false));
        assert_eq!(parties(&of(9)[0]), (account(customer), account(payer), true));
        assert_eq!(parties(&of(9)[1]), (account(101), account(1), false));
        assert_eq!(of(9)[1].side, Side::Seller);
    }
}
