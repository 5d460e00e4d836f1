//! Samples of models of use: cover by contracts, free trials, monthly fees, own licences and demonstrations.

use souk_core::catalog::PriceSource;
use souk_core::rating::Demonstration;
use souk_core::terms::{Byol, FreeTrial, RecurringPayment};

use super::*;

/// A month of hours.
pub fn segment() -> RatedSegment {
    RatedSegment {
        start: UsageHour::containing(time("2025-03-01T00:00:00Z")),
        end: UsageHour::containing(time("2025-04-01T00:00:00Z")),
        metered_hours: 2,
        metered: QuantitySum(8_500_000),
        subscriptions: 3,
        entitled: 0,
        covered: QuantitySum(6_000_000),
        trial: QuantitySum::whole(0),
        source: PriceSource::Offer,
    }
}

/// Usage of which a contract covers something and a trial takes something.
pub fn tried() -> Invoice {
    let mut invoice = usage_invoice();
    for line in &mut invoice.lines {
        line.explanation.segments =
            vec![RatedSegment { entitled: 3, trial: QuantitySum(500_000), ..segment() }];
    }
    invoice
}

/// A public offer with a trial.
pub fn trial() -> Offer {
    let grants = BTreeMap::from([(key(), 5)]);
    Offer {
        terms: Terms {
            free_trial: Some(FreeTrial { duration: TermDuration::Days(31), grants }),
            ..Terms::default()
        },
        ..private_offer()
    }
}

/// A public offer with a monthly fee.
pub fn monthly() -> Offer {
    let price = UnitPrice::parse("49.999", PriceDecimals::Upfront).unwrap();
    Offer {
        terms: Terms {
            recurring_payment: Some(RecurringPayment { currency: Currency::Usd, price }),
            ..Terms::default()
        },
        ..private_offer()
    }
}

/// The next month of a container's fee.
pub fn month() -> Event {
    let price = UnitPrice::parse("99", PriceDecimals::Upfront).unwrap();
    Event::UpfrontPurchased {
        payer: account(1),
        agreement: agreement().id,
        purchase: UpfrontPurchase {
            kind: UpfrontKind::Monthly,
            duration: TermDuration::Months(1),
            quantities: BTreeMap::new(),
            unit_prices: RateCard::new(),
            fixed_price: Some(price),
            ..purchase()
        },
        renews: Some(1),
    }
}

/// A public offer for which buyers bring their licences.
pub fn own_licences() -> Offer {
    Offer { terms: Terms { byol: Some(Byol), ..Terms::default() }, ..private_offer() }
}

/// Usage that was shown for free.
pub fn demonstrated() -> Event {
    let demonstration = Demonstration {
        month: super::month("2025-03"),
        buyer: account(2),
        product: product_id(),
        dimension: key(),
        quantity: QuantitySum::whole(12),
    };
    Event::Demonstrated { payer: account(1), demonstration }
}
