use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::catalog::TaxLiability;
use crate::ids::{AccountId, InvoiceId, OfferId, ProductId};
use crate::invoicing::{ChargeType, InvoiceKind, ResaleRow, Tax};
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
        resale: None,
        agreements: Vec::new(),
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
            wholesale: None,
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
        lines: revenue.iter().filter(|row| !row.is_manufacturers()).map(line).collect(),
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

/// An amendment from one type to another charges less of the old: its tax is less, too, and nothing is given back.
#[test]
fn a12_a_negative_charge_is_no_refund_and_neither_is_its_tax() {
    for (liable, share) in [(TaxLiability::Seller, "SELLER_TAX_SHARE"), (TaxLiability::Aws, "AWS_TAX_SHARE")]
    {
        let told = |revenue: &Revenue| shares(revenue).map(|(share, _)| share.as_str()).collect::<Vec<_>>();
        let less = revenue(9, -100_000, 300, Some((liable, -20_000)));
        assert_eq!(told(&less), ["SELLER_REV_SHARE", "AWS_REV_SHARE", share]);
        let zero = usd(0);
        let (refunded, fee_refund) = (less.billed, less.fee);
        let back = Revenue { billed: zero, fee: zero, refunded, fee_refund, ..less };
        let refund = format!("{share}_REFUND");
        assert_eq!(told(&back), ["SELLER_REV_SHARE_REFUND", "AWS_REV_SHARE_REFUND", refund.as_str()]);
    }
}

const BUYER: u64 = 1;
const RESELLER: u64 = 777_788_889_999;
const MANUFACTURER: u64 = 111_122_223_333;

/// The two rows of AWS's own example: the buyer pays 100.00 and 20.60 of tax; the reseller owes the manufacturer 80.00,
/// which hold 6.50 of tax. Its fees of 0.20 and of 10 % are the example's: no rule of Souk's makes them.
fn resold() -> Vec<Revenue> {
    let reseller = Revenue {
        fee: usd(-20),
        resale: Some(ResaleRow::Reseller {
            manufacturer: account(MANUFACTURER),
            wholesale_fee_rate: Rate::from_hundredths_of_percent(1_000),
            cost: usd(-8_000),
            cost_refund: usd(0),
        }),
        ..revenue(RESELLER, 10_000, 0, Some((TaxLiability::Aws, 2_060)))
    };
    let manufacturer = Revenue {
        resale: Some(ResaleRow::Manufacturer { reseller: account(RESELLER), shows_buyer: false }),
        ..revenue(MANUFACTURER, 7_350, 1_000, Some((TaxLiability::Seller, 650)))
    };
    vec![reseller, manufacturer]
}

/// What a seller is to get by each share, as AWS writes them, and in all.
fn told(seller: u64, row: usize) -> (Vec<String>, i128) {
    let standing = standing(resold(), None);
    let entries = entries(&standing);
    assert!(entries.iter().all(Entry::is_balanced), "{entries:?}");
    let mine = shares(&standing.invoice.revenue[row]);
    let told = mine.map(|(share, amount)| format!("{} {amount}", share.as_str())).collect();
    (told, balances(&entries)[&Holder::Seller(account(seller))])
}

#[test]
fn f_12_a_reseller_gets_what_the_buyer_pays_less_the_wholesale_and_its_fee() {
    let shares =
        ["SELLER_REV_SHARE 100.00", "SELLER_REV_SHARE -80.00", "AWS_REV_SHARE -0.20", "AWS_TAX_SHARE 20.60"];
    assert_eq!(told(RESELLER, 0), (shares.map(str::to_owned).into(), 1_980));
}

#[test]
fn f_13_a_manufacturer_gets_the_wholesale_less_the_fee() {
    let shares = ["SELLER_REV_SHARE 73.50", "AWS_REV_SHARE -7.35", "SELLER_TAX_SHARE 6.50"];
    assert_eq!(told(MANUFACTURER, 1), (shares.map(str::to_owned).into(), 7_265));
}

#[test]
fn f_12_f_13_what_was_collected_is_paid_out_to_both_sellers() {
    let open = standing(resold(), None);
    let paid = Standing { collected_at: Some(open.invoice.issued_at), ..open };
    let settled = balances(&entries(&paid));
    let sellers = [RESELLER, MANUFACTURER].map(|seller| settled[&Holder::Seller(account(seller))]);
    // AWS keeps its tax and the two fees.
    assert_eq!((settled[&Holder::Payer(account(BUYER))], sellers), (0, [0, 0]));
    assert_eq!((settled[&Holder::Aws], settled[&Holder::Bank]), (2_815, -2_815));
}

proptest! {
    /// Whatever is charged, given back and taxed, each entry sums to zero, and what is collected and disbursed leaves
    /// payers and sellers nothing.
    #[test]
    fn every_entry_sums_to_zero(
        rows in proptest::collection::vec(
            (1_u64..5, 0_i128..10_000_000, 0_u32..3_000, any::<bool>(), 0_i128..100_000, proptest::option::of(0_i128..10_000_000)),
            1..6,
        ),
        back in any::<bool>(),
    ) {
        let rows = rows.into_iter().flat_map(|(seller, billed, fee, sellers, tax, wholesale)| {
            let liable = if sellers { TaxLiability::Seller } else { TaxLiability::Aws };
            let sign = if back { -1 } else { 1 };
            let row = revenue(seller + 10, billed, fee, Some((liable, sign * tax)));
            let given_back = |row: Revenue| Revenue {
                billed: usd(0),
                fee: usd(0),
                refunded: row.billed.negated(),
                fee_refund: row.fee.negated(),
                ..row
            };
            let row = if back { given_back(row) } else { row };
            let Some(wholesale) = wholesale else { return vec![row] };
            let behind = Revenue {
                resale: Some(ResaleRow::Manufacturer { reseller: row.seller, shows_buyer: true }),
                ..revenue(20, wholesale, fee, None)
            };
            let (cost, cost_refund) = if back { (0, wholesale) } else { (-wholesale, 0) };
            let resale = Some(ResaleRow::Reseller {
                manufacturer: behind.seller,
                wholesale_fee_rate: behind.fee_rate,
                cost: usd(cost),
                cost_refund: usd(cost_refund),
            });
            vec![Revenue { resale, ..row }, if back { given_back(behind) } else { behind }]
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
