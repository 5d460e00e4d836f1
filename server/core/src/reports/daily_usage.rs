//! The daily usage feed: what was used on the day before, by user, agreement, region, dimension and price.

use super::cells::{in_priced_units, usage_unit};
use super::daily_business::usage::offering;
use super::{Asks, Report, ReportInput, Row};
use crate::catalog::{CountedIn, Product};
use crate::ids::{content_hash, letters};
use crate::money::decimal::fixed;
use crate::rating::DailyUsage;
use crate::rejection::Broken;
use crate::time::timestamp::report_date;

/// The feed.
pub const DAILY_USAGE: Report = Report {
    name: "daily_usage_v1",
    title: "Daily usage feed",
    columns: &[
        "valid_from",
        "insert_date",
        "update_date",
        "delete_date",
        "usage_feed_id",
        "usage_date",
        "product_id",
        "agreement_id",
        "end_user_account_id",
        "payer_account_id",
        "region",
        "dimension_key",
        "usage_unit",
        "usage_quantity",
        "pricing_currency",
        "estimated_revenue_in_pricing_currency",
        "recipient_account_id",
        "offer_id",
        "usage_rate_per_unit_in_pricing_currency",
        "charge_item_description",
    ],
    asks: Asks::UsageOfDay,
    rows,
};

/// Decimals of quantities.
const QUANTITY_PLACES: u32 = 2;
/// Decimals of rates.
const RATE_PLACES: u32 = 6;

/// A day's rows are written when it is over, and never again.
fn rows(input: &ReportInput<'_>) -> Result<Vec<Row>, Broken> {
    let mut rows = Vec::new();
    for usage in &input.daily.usage {
        let product = input.market.known_product(&usage.product)?;
        let (day, written) = (usage.day.to_string(), input.day.made_at().to_string());
        let mut row = vec![day, written.clone(), written, String::new(), id(input, usage)];
        row.extend([
            report_date(usage.day),
            usage.product.to_string(),
            usage.agreement.to_string(),
            usage.buyer.to_string(),
            usage.payer.to_string(),
            usage.region.to_string(),
            usage.dimension.to_string(),
            unit(product, usage)?,
        ]);
        row.extend(amounts(usage));
        row.push(input.seller.to_string());
        row.push(usage.offer.to_string());
        row.push(rate(usage));
        row.push(offering(product, &usage.dimension, usage.kind).to_owned());
        rows.push(row);
    }
    Ok(rows)
}

/// What the rate is of: seconds are told in hours, so that the rate is the price and its error does not grow with the
/// quantity, as that of a second's rate with six decimals would.
fn unit(product: &Product, usage: &DailyUsage) -> Result<String, Broken> {
    match usage.counted_in {
        CountedIn::Seconds => Ok("hours".to_owned()),
        CountedIn::Units => usage_unit(product, &usage.dimension),
    }
}

/// Quantity, currency and revenue, which is rounded once.
fn amounts(usage: &DailyUsage) -> [String; 3] {
    let quantity = in_priced_units(usage.quantity, usage.counted_in, QUANTITY_PLACES);
    [
        fixed(quantity, QUANTITY_PLACES, QUANTITY_PLACES),
        usage.currency.to_string(),
        usage.revenue().to_string(),
    ]
}

fn rate(usage: &DailyUsage) -> String {
    fixed(usage.unit_price.scaled().into(), crate::money::unit_price::PRICE_DECIMALS, RATE_PLACES)
}

/// Forty letters and digits, the same each time that the day is told.
fn id(input: &ReportInput<'_>, usage: &DailyUsage) -> String {
    let parts = [
        input.seller.to_string(),
        report_date(usage.day),
        usage.buyer.to_string(),
        usage.agreement.to_string(),
        usage.region.to_string(),
        usage.dimension.to_string(),
        format!("{:?}", usage.kind),
        usage.unit_price.to_string(),
    ];
    let parts = parts.each_ref().map(String::as_str);
    ["daily usage", "daily usage, continued"].map(|kind| letters(content_hash(kind, &parts), 20)).concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Side;
    use crate::ids::{AccountId, AgreementId, DimensionKey, OfferId, ProductId, Region};
    use crate::money::{Currency, PriceDecimals, UnitPrice};
    use crate::quantity::{Quantity, QuantitySum};
    use crate::rating::UsageKind;
    use crate::time::Timestamp;

    fn usage(quantity: &str, rate: &str) -> DailyUsage {
        let buyer = AccountId::from_number(1).unwrap();
        DailyUsage {
            day: Timestamp::MIN,
            buyer,
            payer: buyer,
            product: ProductId::new("prod-1"),
            dimension: DimensionKey::new("users"),
            region: Region::new("us-east-1"),
            agreement: AgreementId::new("agmt-1"),
            offer: OfferId::new("offer-1"),
            kind: UsageKind::Billed,
            unit_price: UnitPrice::parse(rate, PriceDecimals::Metered).unwrap(),
            currency: Currency::Usd,
            quantity: QuantitySum(Quantity::parse(quantity).unwrap().millionths().into()),
            counted_in: CountedIn::Units,
            side: Side::Seller,
        }
    }

    #[test]
    fn f_23_quantity_and_revenue_have_two_decimals_and_the_rate_six() {
        for (quantity, price, expected) in [
            ("24.00", "0.500000", ["24.00", "12.00", "0.500000"]),
            ("1000.00", "0.005500", ["1000.00", "5.50", "0.005500"]),
            ("1", "2", ["1.00", "2.00", "2.000000"]),
            // More decimals are rounded half up, the revenue from the exact quantity and rate.
            ("0.005", "1", ["0.01", "0.01", "1.000000"]),
            ("0.004999", "100", ["0.00", "0.50", "100.000000"]),
            ("10", "0.00000050", ["10.00", "0.00", "0.000001"]),
            ("1000000", "0.00000049", ["1000000.00", "0.49", "0.000000"]),
        ] {
            let usage = usage(quantity, price);
            let [told, currency, revenue] = amounts(&usage);
            assert_eq!([told, revenue, rate(&usage)], expected, "{quantity} at {price}");
            assert_eq!(currency, "USD");
        }
    }
    #[test]
    fn p2_seconds_are_told_in_hours_at_the_price_of_an_hour() {
        for (seconds, price, expected) in [
            // 1,230 / 3,600 = 0.341666...: 2.05, not 0.34 x 6.00.
            ("1230", "6", ["0.34", "2.05", "6.000000"]),
            ("3600", "6", ["1.00", "6.00", "6.000000"]),
            // 18 seconds are half a hundredth of an hour, and 17 are less.
            ("18", "6", ["0.01", "0.03", "6.000000"]),
            ("17", "6", ["0.00", "0.03", "6.000000"]),
            // A thousand pods for a day: a rate of a second, 0.000003, would tell 259.20.
            ("86400000", "0.01", ["24000.00", "240.00", "0.010000"]),
        ] {
            let usage = DailyUsage { counted_in: CountedIn::Seconds, ..usage(seconds, price) };
            let [told, _, revenue] = amounts(&usage);
            assert_eq!([told, revenue, rate(&usage)], expected, "{seconds} at {price}");
        }
    }
}
