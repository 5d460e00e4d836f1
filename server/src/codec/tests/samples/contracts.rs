//! Private contracts, and what becomes of them.

use super::*;
use souk_core::agreement::{Instalment, InstalmentState};
use souk_core::catalog::RenewalKind;
use souk_core::invoicing::{AdjustmentReason, Correction, Proration};
use souk_core::terms::renewal::{Uplift, UpliftRange};
use souk_core::terms::{
    FixedUpfront, Legal, LegalDocument, LegalDocumentKind, PaymentSchedule, ScheduledPayment, ValidityDates,
};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn price(text: &str) -> UnitPrice {
    UnitPrice::parse(text, PriceDecimals::Upfront).unwrap()
}

/// The events of contracts by name.
pub fn partition() -> [(&'static str, Event); 6] {
    [
        ("agreement_accepted_in_instalments", Event::AgreementAccepted(agreement())),
        ("upfront_amended", amended()),
        ("upfront_amended_again", amended_again()),
        ("upfront_refunded", refunded()),
        ("instalment_settled", settled()),
        ("invoice_issued_credit_memo", Event::InvoiceIssued(Arc::new(credit_memo()))),
    ]
}

/// An agreement at a fixed price that is paid in instalments.
fn agreement() -> Agreement {
    let purchase = UpfrontPurchase {
        kind: UpfrontKind::Contract,
        duration: TermDuration::Days(365),
        unit_prices: RateCard::new(),
        fixed_price: Some(price("30000")),
        in_instalments: true,
        auto_renew: false,
        ..purchase()
    };
    let instalment = |due: &str, state| Instalment { due: time(due), amount: price("10000"), state };
    Agreement {
        purchases: vec![purchase],
        instalments: vec![
            instalment("2025-02-01T00:00:00Z", InstalmentState::Invoiced),
            instalment("2025-06-01T00:00:00Z", InstalmentState::Cancelled),
            instalment("2025-10-01T00:00:00Z", InstalmentState::Pending),
        ],
        ..super::agreement()
    }
}

/// A purchase takes another one's place.
fn amended() -> Event {
    let purchase = UpfrontPurchase {
        number: 2,
        start: time("2025-07-02T00:00:00Z"),
        ended_early_at: Some(time("2025-08-02T00:00:00Z")),
        amends: None,
        added_value: Some(Money::from_minor(-12_033, Currency::Usd)),
        ..purchase()
    };
    Event::UpfrontAmended { payer: account(1), agreement: super::agreement().id, amended: 1, purchase }
}

/// A purchase takes the place of one that had taken another one's.
fn amended_again() -> Event {
    let Event::UpfrontAmended { payer, agreement, purchase, .. } = amended() else { unreachable!() };
    let purchase = UpfrontPurchase {
        number: 3,
        start: time("2025-08-02T00:00:00Z"),
        ended_early_at: None,
        amends: Some(2),
        ..purchase
    };
    Event::UpfrontAmended { payer, agreement, amended: 2, purchase }
}

/// A purchase is given back.
fn refunded() -> Event {
    let at = time("2025-03-11T12:00:00Z");
    Event::UpfrontRefunded { payer: account(1), agreement: super::agreement().id, number: 2, at }
}

/// An instalment is invoiced.
fn settled() -> Event {
    Event::InstalmentSettled {
        payer: account(1),
        agreement: super::agreement().id,
        number: 3,
        state: InstalmentState::Invoiced,
    }
}

/// A credit memo, with a line of no one dimension and of a part of a term.
fn credit_memo() -> Invoice {
    let exact = Amount::new(-2_000_000_000_000_000, Currency::Usd);
    let explanation =
        Explanation { exact, segments: Vec::new(), proration: Some(Proration { days: 183, of_days: 365 }) };
    Invoice {
        id: InvoiceId::derive(account(1), 2025, 3),
        kind: InvoiceKind::CreditMemo,
        lines: vec![InvoiceLine {
            charge_type: ChargeType::Contract,
            dimension: None,
            quantity: QuantitySum(-1_000_000),
            amount: explanation.amount(),
            explanation,
            ..upfront_line()
        }],
        revenue: vec![Revenue {
            dimension: None,
            billed: Money::zero(Currency::Usd),
            fee: Money::zero(Currency::Usd),
            refunded: Money::from_minor(-1_003, Currency::Usd),
            fee_refund: Money::from_minor(201, Currency::Usd),
            ..upfront_revenue()
        }],
        correction: Some(Correction {
            invoice: InvoiceId::derive(account(1), 2025, 1),
            agreement: super::agreement().id,
            reason: AdjustmentReason::UnintendedRenewal,
            description: "the buyer meant to leave".to_owned(),
            client_token: "refund-1".to_owned(),
        }),
        ..upfront_invoice()
    }
}

/// A private offer with every term of a contract.
pub fn offer() -> Offer {
    let percent = Rate::from_hundredths_of_percent;
    let payment = |date: &str| ScheduledPayment { charge_date: day(date), amount: price("10000") };
    Offer {
        renewal_kind: Some(RenewalKind::MovingToMarketplace),
        visible_from: time("2025-01-01T00:45:00Z"),
        terms: Terms {
            fixed_upfront: Some(FixedUpfront {
                currency: Currency::Jpy,
                price: price("30000"),
                duration: Some(TermDuration::Months(60)),
                grants: BTreeMap::from([(key(), 5)]),
            }),
            payment_schedule: Some(PaymentSchedule {
                currency: Currency::Jpy,
                payments: ["2025-02-01", "2025-06-01", "2025-10-01"].map(payment).into(),
            }),
            validity: Some(Validity::Dated(ValidityDates {
                first_day: day("2026-01-01"),
                last_day: day("2026-12-31"),
            })),
            renewal: Some(Renewal {
                uplift: Some(Uplift {
                    percent: percent(500),
                    range: Some(UpliftRange { least: percent(250), most: percent(10_000) }),
                }),
            }),
            legal: Some(Legal {
                documents: vec![LegalDocument {
                    kind: LegalDocumentKind::CustomEula,
                    url: "https://example.com/eula.pdf".to_owned(),
                }],
            }),
            ..Terms::default()
        },
        ..private_offer()
    }
}

/// A payer that pays by invoice.
pub fn payer() -> Account {
    Account { invoice_terms: true, ..seller() }
}
