//! Entitlements: what a buyer's contracts on a product entitle it to at a time (aws-api B).
//!
//! They follow from the agreements; nothing is kept. Annual cover entitles to nothing: it lowers what is billed.

use super::{Agreement, Family, UpfrontPurchase};
use crate::ids::{AccountId, AgreementId, DimensionKey, LicenseArn, ProductId};
use crate::terms::UpfrontKind;
use crate::time::Timestamp;

/// Units of a dimension that a live contract entitles its buyer to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entitlement {
    /// Of what.
    pub dimension: DimensionKey,
    /// How many.
    pub quantity: u64,
    /// From when on.
    pub start: Timestamp,
    /// Until when at least: the end of the purchase, at which it renews itself if it does.
    pub expires: Timestamp,
    /// The licence of the agreement.
    pub licence: LicenseArn,
    /// Whose.
    pub buyer: AccountId,
    /// The agreement under which it was bought.
    pub agreement: AgreementId,
}

impl Entitlement {
    /// The entitlements on a product that are live at a time, of one buyer of the family or of all, in
    /// [order](Self::order).
    pub fn of_family(
        family: &Family,
        buyer: Option<AccountId>,
        product: &ProductId,
        at: Timestamp,
    ) -> Vec<Entitlement> {
        let of_product = family.agreements().filter(|a| a.product == *product && a.covers(at));
        Entitlement::of_agreements(of_product, buyer, |p| is_live_contract(p, at))
    }

    /// Those that begin after a time: of future-dated agreements (E3).
    pub fn scheduled(
        family: &Family,
        buyer: Option<AccountId>,
        product: &ProductId,
        at: Timestamp,
    ) -> Vec<Entitlement> {
        let of_product = family.agreements().filter(|a| a.product == *product && a.is_active());
        Entitlement::of_agreements(of_product, buyer, |p| p.kind == UpfrontKind::Contract && at < p.start)
    }

    fn of_agreements<'a>(
        agreements: impl Iterator<Item = &'a Agreement>,
        buyer: Option<AccountId>,
        counts: impl Fn(&UpfrontPurchase) -> bool,
    ) -> Vec<Entitlement> {
        let wanted = agreements.filter(|a| buyer.is_none_or(|buyer| a.buyer == buyer));
        let mut entitlements: Vec<_> =
            wanted.flat_map(|agreement| of_agreement(agreement, &counts)).collect();
        entitlements.sort_by(|a, b| a.order().cmp(&b.order()));
        entitlements
    }

    /// Its place among others of the product: no two have the same.
    pub fn order(&self) -> (AccountId, &AgreementId, &DimensionKey) {
        (self.buyer, &self.agreement, &self.dimension)
    }
}

/// An agreement holds one live contract at most.
fn of_agreement(
    agreement: &Agreement,
    counts: impl Fn(&UpfrontPurchase) -> bool,
) -> impl Iterator<Item = Entitlement> {
    let contract = agreement.purchases.iter().find(|purchase| counts(purchase));
    contract.into_iter().flat_map(|contract| {
        contract.quantities.iter().map(|(dimension, &quantity)| Entitlement {
            dimension: dimension.clone(),
            quantity,
            start: contract.start,
            expires: contract.end,
            licence: agreement.licence.clone(),
            buyer: agreement.buyer,
            agreement: agreement.id.clone(),
        })
    })
}

fn is_live_contract(purchase: &UpfrontPurchase, at: Timestamp) -> bool {
    purchase.kind == UpfrontKind::Contract && (purchase.start..purchase.until()).contains(&at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::{AgreementStatus, Origin};
    use crate::ids::OfferId;
    use crate::money::Currency;
    use crate::terms::RateCard;
    use crate::time::{BillingMonth, TermDuration};

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(&format!("{text}Z")).unwrap()
    }

    fn account(number: u64) -> AccountId {
        AccountId::from_number(number).unwrap()
    }

    fn product() -> ProductId {
        ProductId::new("prod-1")
    }

    /// The agreement of this number: a contract of twelve months that renews itself.
    fn agreement(number: u32, buyer: u64, start: &str, quantities: &[(&str, u64)]) -> Agreement {
        let (id, start) = (AgreementId::new(&format!("agmt-{number}")), at(start));
        let end = start.plus_months(12);
        Agreement {
            number,
            initial_id: id.clone(),
            licence: LicenseArn::new(&format!("licence-{number}")),
            id,
            buyer: account(buyer),
            payer: account(1),
            seller: account(9),
            product: product(),
            offer: OfferId::new("offer-1"),
            origin: Origin::Accepted,
            accepted_at: start,
            start,
            planned_end: Some(end),
            status: AgreementStatus::Active,
            ended_at: None,
            instalments: Vec::new(),
            purchases: vec![UpfrontPurchase {
                number: 1,
                kind: UpfrontKind::Contract,
                duration: TermDuration::Months(12),
                quantities: quantities.iter().map(|&(key, units)| (DimensionKey::new(key), units)).collect(),
                unit_prices: RateCard::new(),
                currency: Currency::Usd,
                start,
                end,
                auto_renew: true,
                fixed_price: None,
                in_instalments: false,
                ended_early_at: None,
                amends: None,
                added_value: None,
                wholesale: None,
            }],
        }
    }

    fn family(agreements: Vec<Agreement>) -> Family {
        let mut family = Family::new(account(1), BillingMonth::containing(at("2025-01-01T00:00:00")));
        agreements.into_iter().for_each(|agreement| family.add_agreement(agreement));
        family
    }

    /// Agreement, dimension, quantity and end of each entitlement.
    fn found(family: &Family, buyer: Option<u64>, moment: &str) -> Vec<String> {
        let show = |e: Entitlement| format!("{} {} {} {}", e.agreement, e.dimension, e.quantity, e.expires);
        let of = Entitlement::of_family(family, buyer.map(account), &product(), at(moment));
        of.into_iter().map(show).collect()
    }

    #[test]
    fn a_contract_entitles_from_its_first_moment_up_to_its_end() {
        let family = family(vec![agreement(1, 2, "2025-03-10T12:00:00", &[("users", 25), ("gb", 7)])]);
        let both = ["agmt-1 gb 7 2026-03-10T12:00:00Z", "agmt-1 users 25 2026-03-10T12:00:00Z"];
        for (moment, entitled) in [
            ("2025-03-10T11:59:59", false),
            ("2025-03-10T12:00:00", true),
            ("2026-03-10T11:59:59", true),
            ("2026-03-10T12:00:00", false),
        ] {
            let expected = if entitled { both.to_vec() } else { Vec::new() };
            assert_eq!(found(&family, Some(2), moment), expected, "{moment}");
        }
        assert!(found(&family, Some(1), "2025-06-01T00:00:00").is_empty(), "of another buyer");
        let other = ProductId::new("prod-2");
        assert_eq!(Entitlement::of_family(&family, None, &other, at("2025-06-01T00:00:00")), []);
    }

    #[test]
    fn a_contract_that_ended_early_entitles_to_nothing() {
        let mut ended = agreement(1, 2, "2025-03-10T12:00:00", &[("users", 25)]);
        ended.status = AgreementStatus::Cancelled;
        ended.ended_at = Some(at("2025-06-01T00:00:00"));
        let family = family(vec![ended]);
        assert_eq!(found(&family, None, "2025-05-31T23:59:59").len(), 1);
        assert!(found(&family, None, "2025-06-01T00:00:00").is_empty());
    }

    #[test]
    fn a_renewed_contract_goes_on_under_its_new_agreement() {
        let mut old = agreement(1, 2, "2025-03-10T12:00:00", &[("users", 25)]);
        old.status = AgreementStatus::Renewed;
        old.ended_at = Some(at("2026-03-10T12:00:00"));
        let family = family(vec![old, agreement(2, 2, "2026-03-10T12:00:00", &[("users", 25)])]);
        assert_eq!(found(&family, None, "2026-03-10T11:00:00"), ["agmt-1 users 25 2026-03-10T12:00:00Z"]);
        assert_eq!(found(&family, None, "2026-03-10T12:00:00"), ["agmt-2 users 25 2027-03-10T12:00:00Z"]);
    }

    #[test]
    fn annual_cover_entitles_to_nothing() {
        let mut annual = agreement(1, 2, "2025-03-10T12:00:00", &[("m5.large", 3)]);
        annual.purchases.iter_mut().for_each(|purchase| purchase.kind = UpfrontKind::Annual);
        assert!(found(&family(vec![annual]), None, "2025-06-01T00:00:00").is_empty());
    }

    #[test]
    fn entitlements_are_in_the_order_of_buyers_agreements_and_dimensions() {
        let family = family(vec![
            agreement(1, 3, "2025-03-10T12:00:00", &[("users", 1)]),
            agreement(2, 2, "2025-03-11T12:00:00", &[("users", 2), ("gb", 3)]),
            agreement(3, 2, "2025-03-09T12:00:00", &[("users", 4)]),
        ]);
        let all = Entitlement::of_family(&family, None, &product(), at("2025-06-01T00:00:00"));
        let quantities: Vec<_> = all.iter().map(|entitlement| entitlement.quantity).collect();
        assert_eq!(quantities, [3, 2, 4, 1]);
        assert_eq!(found(&family, Some(3), "2025-06-01T00:00:00").len(), 1);
    }
}
