use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::catalog::TaxLiability;
use crate::ids::{AccountId, InvoiceId, OfferId, ProductId};
use crate::invoicing::{ChargeType, InvoiceKind, Tax};
use crate::money::{Currency, Rate};
use crate::time::{BillingMonth, Timestamp};

fn usd(cents: i128) -> Money {
    Money::from_minor(cents, Currency::Usd)
}

fn account(number: u64) -> AccountId {
    AccountId::from_number(number).unwrap()
}

fn revenue(seller: u64, billed: i128, fee_hundredths: u32, tax: Option<(TaxLiability, i128)>) -> Revenue {
    let fee_rate = Rate::from_hundredths_of_percent(fee_hundredths);
    Revenue {
        charge_type: ChargeType::Contract,
        seller: account(seller),
        buyer: account(1),
        product: ProductId::new("prod-1"),
        offer: OfferId::new("offer-1"),
        dimension: None,
        billed: usd(billed),
        fee_rate,
        fee: usd(billed).share(fee_rate).negated(),
        refunded: usd(0),
        fee_refund: usd(0),
        tax: tax.map(|(liable, cents)| Tax { liable, amount: usd(cents) }),
    }
}

fn standing(revenue: Vec<Revenue>, collected_at: Option<Timestamp>) -> Standing {
    let issued_at = Timestamp::parse("2025-06-02T00:00:00Z").unwrap();
    let quantity = crate::quantity::QuantitySum::whole(1);
    let line = |row: &Revenue| {
        let exact =
            crate::money::Amount::new(row.billed.plus(row.refunded).minor() * 10_i128.pow(12), Currency::Usd);
        crate::invoicing::InvoiceLine {
            charge_type: row.charge_type,
            seller: row.seller,
            buyer: row.buyer,
            product: row.product.clone(),
            offer: row.offer.clone(),
            agreement: crate::ids::AgreementId::new("agmt-1"),
            dimension: None,
            quantity,
            unit_price: crate::money::UnitPrice::ZERO,
            amount: exact.round(),
            start: issued_at,
            end: issued_at,
            explanation: crate::invoicing::Explanation { exact, segments: Vec::new(), proration: None },
        }
    };
    let invoice = Invoice {
        id: InvoiceId::new("IN-1"),
        payer: account(1),
        entity: "AWS Inc.".to_owned(),
        currency: Currency::Usd,
        kind: InvoiceKind::Upfront,
        month: BillingMonth::parse("2025-06").unwrap(),
        issued_at,
        due_at: None,
        lines: revenue.iter().map(line).collect(),
        revenue,
        correction: None,
    };
    Standing { invoice: Arc::new(invoice), corrects: None, collected_at, uncollected: usd(0) }
}

fn balances(entries: &[Entry]) -> BTreeMap<Holder, i128> {
    let mut balances = BTreeMap::new();
    for posting in entries.iter().flat_map(|entry| &entry.postings) {
        *balances.entry(posting.holder).or_default() += posting.amount.minor();
    }
    balances
}

/// F-15 and F-16: a charge of 1000.00 with a fee of 3 %.
#[test]
fn f_15_f_16_the_tax_is_paid_out_when_the_seller_is_liable() {
    for (liable, tax, invoice, seller, aws) in [
        (TaxLiability::Aws, 20_600, 120_600, 97_000, 23_600),
        (TaxLiability::Seller, 6_000, 106_000, 103_000, 3_000),
    ] {
        let open = standing(vec![revenue(9, 100_000, 300, Some((liable, tax)))], None);
        assert_eq!(open.invoice.total_with_tax(), usd(invoice));
        let owed = balances(&entries(&open));
        assert_eq!(owed[&Holder::Payer(account(1))], -invoice);
        assert_eq!((owed[&Holder::Seller(account(9))], owed[&Holder::Aws]), (seller, aws));
        let paid = Standing { collected_at: Some(open.invoice.issued_at), ..open };
        let settled = balances(&entries(&paid));
        let holders = [Holder::Payer(account(1)), Holder::Seller(account(9)), Holder::Bank, Holder::Aws];
        assert_eq!(holders.map(|holder| settled[&holder]), [0, 0, -aws, aws]);
    }
}

/// F-05 in the words of the feed.
#[test]
fn f_05_a_refund_is_the_same_with_other_signs() {
    let charged = revenue(9, 24_300, 300, None);
    let memo = Revenue {
        billed: usd(0),
        fee: usd(0),
        refunded: usd(-24_300),
        fee_refund: usd(729),
        ..charged.clone()
    };
    let told = |revenue: &Revenue| {
        shares(revenue).map(|(share, amount)| format!("{} {amount}", share.as_str())).collect::<Vec<_>>()
    };
    assert_eq!(told(&charged), ["SELLER_REV_SHARE 243.00", "AWS_REV_SHARE -7.29"]);
    assert_eq!(told(&memo), ["SELLER_REV_SHARE_REFUND -243.00", "AWS_REV_SHARE_REFUND 7.29"]);
}

proptest! {
    /// Whatever is charged, given back and taxed, each entry sums to zero, and what is collected and disbursed leaves
    /// payers and sellers nothing.
    #[test]
    fn every_entry_sums_to_zero(
        rows in proptest::collection::vec((1_u64..5, 0_i128..10_000_000, 0_u32..3_000, any::<bool>(), 0_i128..100_000), 1..6),
        back in any::<bool>(),
    ) {
        let rows = rows.into_iter().map(|(seller, billed, fee, sellers, tax)| {
            let liable = if sellers { TaxLiability::Seller } else { TaxLiability::Aws };
            let sign = if back { -1 } else { 1 };
            let row = revenue(seller + 10, billed, fee, Some((liable, sign * tax)));
            match back {
                false => row,
                true => Revenue {
                    billed: usd(0),
                    fee: usd(0),
                    refunded: row.billed.negated(),
                    fee_refund: row.fee.negated(),
                    ..row
                },
            }
        });
        let standing = standing(rows.collect(), Timestamp::parse("2025-06-20T00:00:00Z"));
        let entries = entries(&standing);
        prop_assert_eq!(entries.len(), 3);
        prop_assert!(entries.iter().all(Entry::is_balanced));
        for (holder, balance) in balances(&entries) {
            prop_assert!(balance == 0 || matches!(holder, Holder::Aws | Holder::Bank), "{:?} {}", holder, balance);
        }
    }
}
