//! What resellers sell.

use souk_core::catalog::{Resale, ResaleAuthorization, WholesalePricing};
use souk_core::ids::ResaleAuthorizationId;
use souk_core::invoicing::ResaleRow;

use super::*;

const WHOLESALE: i128 = 300_015;

/// The partition's events by name.
pub fn partition() -> Vec<(&'static str, Event)> {
    let resold = Agreement { seller: account(3), purchases: vec![bought()], ..super::agreement() };
    vec![
        ("agreement_accepted_of_a_reseller", Event::AgreementAccepted(resold)),
        ("invoice_issued_by_a_reseller", Event::InvoiceIssued(Arc::new(invoice()))),
        ("invoice_issued_by_a_reseller_as_a_credit", Event::InvoiceIssued(Arc::new(credit()))),
    ]
}

/// The changes by name.
pub fn control() -> Vec<(&'static str, Change)> {
    vec![
        ("resale_authorized_by_prices", Change::ResaleAuthorized(by_prices())),
        ("resale_authorized_by_a_discount", Change::ResaleAuthorized(by_a_discount())),
        (
            "resale_restricted",
            Change::ResaleRestricted { authorization: id(), at: time("2025-03-10T12:00:00Z") },
        ),
        ("offer_created_by_a_reseller", Change::OfferCreated(offer())),
    ]
}

fn id() -> ResaleAuthorizationId {
    ResaleAuthorizationId::derive(&product_id(), 1)
}

fn wholesale() -> Terms {
    let rate_cards = vec![UpfrontRateCard { duration: ANNUAL, prices: prices("1000.05") }];
    Terms {
        usage_based: Some(UsageBased { currency: Currency::Usd, rate_card: prices("0.1") }),
        configurable_upfront: Some(ConfigurableUpfront { currency: Currency::Usd, rate_cards }),
        ..Terms::default()
    }
}

fn by_prices() -> ResaleAuthorization {
    ResaleAuthorization {
        id: id(),
        product: product_id(),
        reseller: account(3),
        name: "for the north".to_owned(),
        description: "two buyers".to_owned(),
        single_use: true,
        until: NaiveDate::from_ymd_opt(2025, 12, 31),
        pricing: WholesalePricing::Terms(Box::new(wholesale())),
        buyer_accounts: [account(1), account(2)].into(),
        granted_at: time("2025-01-01T00:00:00Z"),
        restricted_at: Some(time("2025-02-01T00:00:00Z")),
    }
}

fn by_a_discount() -> ResaleAuthorization {
    ResaleAuthorization {
        single_use: false,
        until: None,
        pricing: WholesalePricing::Discount(Rate::from_hundredths_of_percent(1_250)),
        buyer_accounts: [].into(),
        restricted_at: None,
        ..by_prices()
    }
}

fn offer() -> Offer {
    let resale =
        Resale { authorization: id(), reseller: account(3), shows_buyer: true, wholesale: wholesale() };
    Offer { resale: Some(Box::new(resale)), ..private_offer() }
}

fn bought() -> UpfrontPurchase {
    UpfrontPurchase { wholesale: Some(Money::from_minor(WHOLESALE, Currency::Usd)), ..purchase() }
}

fn rows(cost: i128, cost_refund: i128) -> [Revenue; 2] {
    let money = |minor| Money::from_minor(minor, Currency::Usd);
    let reseller = Revenue {
        seller: account(3),
        fee_rate: Rate::from_hundredths_of_percent(0),
        fee: money(0),
        resale: Some(ResaleRow::Reseller {
            manufacturer: account(999_999_999_999),
            wholesale_fee_rate: Rate::from_hundredths_of_percent(350),
            cost: money(cost),
            cost_refund: money(cost_refund),
        }),
        ..upfront_revenue()
    };
    let manufacturer = Revenue {
        billed: money(-cost),
        refunded: money(-cost_refund),
        fee_rate: Rate::from_hundredths_of_percent(350),
        fee: money(cost * 35 / 1_000),
        resale: Some(ResaleRow::Manufacturer { reseller: account(3), shows_buyer: true }),
        ..upfront_revenue()
    };
    [reseller, manufacturer]
}

fn invoice() -> Invoice {
    let wholesale = Some(Money::from_minor(WHOLESALE, Currency::Usd));
    Invoice {
        lines: vec![InvoiceLine { seller: account(3), wholesale, ..upfront_line() }],
        revenue: rows(-WHOLESALE, 0).into(),
        ..upfront_invoice()
    }
}

fn credit() -> Invoice {
    Invoice { kind: InvoiceKind::CreditMemo, revenue: rows(0, WHOLESALE).into(), ..invoice() }
}
