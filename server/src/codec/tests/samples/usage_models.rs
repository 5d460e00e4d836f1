//! Samples of models of use: cover by contracts, free trials, monthly fees, own licences and demonstrations.

use souk_core::catalog::{BilledBy, CountedIn, PriceSource};
use souk_core::metering::{Inference, Run};
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
        counted_in: CountedIn::Units,
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

/// Runs, and what they add.
pub fn runs() -> [Event; 2] {
    let run = |from: &str, until: &str| Run { from: time(from), until: time(until) };
    let runs = vec![
        (SeriesHandle(7), run("2025-03-10T10:00:05Z", "2025-03-10T10:20:35Z")),
        (SeriesHandle(9), run("2025-03-10T10:59:59Z", "2025-03-10T11:00:01Z")),
    ];
    let mut added = UsageColumns::default();
    for (handle, hour, seconds) in [(7, 10, 1_230), (9, 10, 59), (9, 11, 1)] {
        let hour = UsageHour::containing(time(&format!("2025-03-10T{hour}:00:00Z")));
        added.push(SeriesHandle(handle), hour, seconds * 1_000_000);
    }
    [Event::RunsTold(runs), Event::UsageAdded(added)]
}

/// Inferences.
pub fn inferences() -> Event {
    let call = |status, units| Inference { at: time("2025-03-10T10:00:05.5Z"), status, units };
    let name = |name: &str| content_hash("inference", &[name]);
    let handle = SeriesHandle(7);
    Event::InferencesTold(vec![(handle, name("one"), call(200, 3)), (handle, name("two"), call(503, 1))])
}

/// Usage counted in seconds.
pub fn seconds() -> Invoice {
    let mut invoice = usage_invoice();
    for line in &mut invoice.lines {
        line.explanation.segments = vec![RatedSegment { counted_in: CountedIn::Seconds, ..segment() }];
    }
    invoice
}

/// Products of which runs and inferences are told.
pub fn told() -> Change {
    let told =
        |(key, billed_by)| Dimension { billed_by: Some(billed_by), ..dimension(key, DimensionType::Metered) };
    let kinds = [("pods", BilledBy::Second), ("ml.m5", BilledBy::Minute), ("calls", BilledBy::Inference)];
    let dimensions = kinds.map(told);
    Change::ProductCreated(Product { dimensions: dimensions.into(), ..product() })
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
