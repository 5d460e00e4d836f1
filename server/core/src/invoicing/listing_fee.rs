//! The listing fee: AWS's share (H1, since 2024-01-05; the same table before, section 0 row 15).

use std::collections::BTreeMap;

use super::{ChargeType, InvoiceLine, ResaleRow, Revenue, Tax};
use crate::agreement::{Agreement, Family, Origin};
use crate::catalog::offer::is_server_product;
use crate::catalog::{Marketplace, Offer, ProductType};
use crate::ids::{AccountId, AgreementId, OfferId};
use crate::money::{Money, Rate};
use crate::rejection::Broken;
use crate::time::Timestamp;

const fn percent_tenths(tenths: u32) -> Rate {
    Rate::from_hundredths_of_percent(tenths * 10)
}

/// The share of what is sold on a public offer.
fn public_rate(product_type: ProductType) -> Rate {
    match is_server_product(product_type) {
        true => percent_tenths(200),
        false => percent_tenths(30),
    }
}

/// The share of professional services, whatever their value.
const PROFESSIONAL_SERVICES: Rate = percent_tenths(5);

/// The share of what is sold on a private offer, by the contract's value before taxes (Q9): the whole amount
/// takes the rate of its class. The classes are in US dollars.
fn private_rate(contract_value: Money, renewal: bool) -> Rate {
    let currency = contract_value.currency();
    let million =
        10_000 * i128::from(currency.hundredths_per_dollar()) * 10_i128.pow(currency.minor_digits());
    match contract_value.minor() {
        _ if renewal => percent_tenths(15),
        value if value < million => percent_tenths(30),
        value if value < 10 * million => percent_tenths(20),
        _ => percent_tenths(15),
    }
}

/// What AWS takes on top of what resellers sell, of the wholesale (J1).
const RESALE: Rate = percent_tenths(5);

/// What AWS takes on top of sales to South Korea.
const SOUTH_KOREA: Rate = percent_tenths(10);

/// Since when: 2025-04-01.
const SOUTH_KOREA_SINCE: Timestamp = Timestamp::from_days(20_179);

/// What is added to the share of a sale to a country.
fn surcharge(country: &str, issued_at: Timestamp) -> Rate {
    match country == "KR" && issued_at >= SOUTH_KOREA_SINCE {
        true => SOUTH_KOREA,
        false => percent_tenths(0),
    }
}

/// The share that AWS takes of an agreement's charges; of what a reseller sells, of the wholesale.
pub fn rate(offer: &Offer, product_type: ProductType, agreement: &Agreement) -> Result<Rate, Broken> {
    let renewal = agreement.origin == Origin::Renewed || offer.renewal_kind.is_some();
    let (value, more) = match &offer.resale {
        None => (agreement.contract_value()?, percent_tenths(0)),
        Some(_) => (agreement.wholesale_value(), RESALE),
    };
    let share = match offer.is_private() {
        _ if product_type == ProductType::ProfessionalServices => PROFESSIONAL_SERVICES,
        true => private_rate(value, renewal),
        false => public_rate(product_type),
    };
    Ok(share.plus(more))
}

/// The revenue of an invoice's lines: fees are rounded here, per row of the report.
pub fn revenue<'a>(
    market: &Marketplace,
    agreement_of: impl Fn(&AgreementId) -> Option<&'a Agreement>,
    lines: &[InvoiceLine],
    issued_at: Timestamp,
) -> Result<Vec<Revenue>, Broken> {
    let mut runs: Vec<(_, Sums)> = Vec::new();
    let mut last: Option<(&InvoiceLine, Rate)> = None;
    let mut rates: BTreeMap<&AgreementId, Rate> = BTreeMap::new();
    for line in lines {
        // Lines of one agreement stand together, and have one rate.
        let same = last.filter(|(last, _)| last.agreement == line.agreement && last.product == line.product);
        let fee_rate = match same {
            Some((_, rate)) => rate,
            None => {
                let agreement = agreement_of(&line.agreement).ok_or_else(|| {
                    Broken(format!("agreement {} of an invoice line does not exist", line.agreement))
                })?;
                let product = market.known_product(&line.product)?;
                let country = &market.known_account(agreement.buyer)?.address.country;
                let share = rate(market.known_offer(&line.offer)?, product.product_type, agreement)?;
                share.plus(surcharge(country, issued_at))
            }
        };
        if same.is_none() {
            rates.insert(&line.agreement, fee_rate);
        }
        last = Some((line, fee_rate));
        let charge_type = line.charge_type.of_row();
        let dimension = line.dimension.as_ref().filter(|_| charge_type != ChargeType::Usage);
        let key = ((charge_type, line.seller, line.buyer), (&line.product, &line.offer, dimension, fee_rate));
        // Lines of one row mostly stand together, too.
        match runs.last_mut().filter(|(last, _)| *last == key) {
            Some((_, sums)) => sums.add(Sums::of(line)),
            None => runs.push((key, Sums::of(line))),
        }
    }
    runs.sort_by_key(|(key, _)| *key);
    runs.dedup_by(|(next, more), (key, sums)| {
        let is_same = next == key;
        if is_same {
            sums.add(*more);
        }
        is_same
    });
    let mut rows = Vec::with_capacity(runs.len());
    for (index, (key, Sums { billed, wholesale })) in runs.iter().enumerate() {
        let (of_whom, (product, offer, dimension, fee_rate)) = *key;
        let (billed, wholesale) = (*billed, *wholesale);
        // Rows that differ in the rate alone stand side by side.
        let beside = [index.checked_sub(1), index.checked_add(1)].into_iter().flatten();
        let mut beside = beside.filter_map(|index| runs.get(index));
        let is_alike = beside.any(|((whom, what), _)| {
            *whom == of_whom && (what.0, what.1, what.2) == (product, offer, dimension)
        });
        let agreements = match is_alike {
            false => Vec::new(),
            true => agreements_of(lines, offer, of_whom.2, &rates, fee_rate),
        };
        let (charge_type, seller, buyer) = of_whom;
        let (product, offer, dimension) = (product.clone(), offer.clone(), dimension.cloned());
        let zero = Money::zero(billed.currency());
        let tax = market.known_account(buyer)?.tax;
        let row = Revenue {
            charge_type,
            seller,
            buyer,
            product,
            offer,
            dimension,
            billed,
            fee_rate,
            fee: billed.share(fee_rate).negated(),
            refunded: zero,
            fee_refund: zero,
            tax: tax.map(|tax| Tax { liable: tax.liable, amount: billed.share(tax.percent) }),
            resale: None,
            agreements,
        };
        match wholesale {
            None => rows.push(row),
            Some(wholesale) => rows.extend(resold(market, row, wholesale)?),
        }
    }
    Ok(rows)
}

/// The agreements of a buyer on an offer that have lines at a rate, in their order.
fn agreements_of(
    lines: &[InvoiceLine],
    offer: &OfferId,
    buyer: AccountId,
    rates: &BTreeMap<&AgreementId, Rate>,
    fee_rate: Rate,
) -> Vec<AgreementId> {
    let mine = lines.iter().filter(|line| line.offer == *offer && line.buyer == buyer);
    let at_rate = mine.filter(|line| rates.get(&line.agreement) == Some(&fee_rate));
    let mut agreements: Vec<_> = at_rate.map(|line| line.agreement.clone()).collect();
    agreements.sort_unstable();
    agreements.dedup();
    agreements
}

/// What lines sum up to.
#[derive(Clone, Copy)]
struct Sums {
    billed: Money,
    wholesale: Option<Money>,
}

impl Sums {
    fn of(line: &InvoiceLine) -> Sums {
        Sums { billed: line.amount, wholesale: line.wholesale }
    }

    fn add(&mut self, more: Sums) {
        self.billed = self.billed.plus(more.billed);
        self.wholesale = self.wholesale.into_iter().chain(more.wholesale).reduce(Money::plus);
    }
}

/// A row of what a reseller sells becomes two: the reseller's, of which AWS takes nothing, and the manufacturer's, of
/// which it takes the fee (J1). No tax is charged between the two.
fn resold(market: &Marketplace, row: Revenue, wholesale: Money) -> Result<[Revenue; 2], Broken> {
    let resale = market.known_offer(&row.offer)?.resale.as_ref();
    let resale = resale.ok_or_else(|| Broken(format!("{} is sold by no reseller", row.offer)))?;
    let manufacturer = market.known_product(&row.product)?.seller;
    let zero = Money::zero(row.billed.currency());
    let (reseller, fee_rate) = (row.seller, row.fee_rate);
    let behind = Revenue {
        seller: manufacturer,
        billed: wholesale,
        fee: wholesale.share(fee_rate).negated(),
        tax: None,
        resale: Some(ResaleRow::Manufacturer { reseller, shows_buyer: resale.shows_buyer }),
        ..row.clone()
    };
    let cost = wholesale.negated();
    let before = Revenue {
        fee_rate: percent_tenths(0),
        fee: zero,
        resale: Some(ResaleRow::Reseller {
            manufacturer,
            wholesale_fee_rate: fee_rate,
            cost,
            cost_refund: zero,
        }),
        ..row
    };
    Ok([before, behind])
}

/// Looks an agreement up in its family.
pub fn in_family<'a>(family: &'a Family) -> impl Fn(&AgreementId) -> Option<&'a Agreement> {
    |id| family.agreement(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;

    /// F-01, the rows of public and private offers and renewals.
    #[test]
    fn f_01_the_listing_fee_follows_kind_and_value() {
        let usd = |cents| Money::from_minor(cents, Currency::Usd);
        assert_eq!(public_rate(ProductType::Saas).to_string(), "3 %");
        assert_eq!(public_rate(ProductType::Ami).to_string(), "20 %");
        for (value, renewal, expected) in [
            (99_999_999, false, "3 %"),
            (100_000_000, false, "2 %"),
            (999_999_999, false, "2 %"),
            (1_000_000_000, false, "1.5 %"),
            (500_000, true, "1.5 %"),
        ] {
            assert_eq!(private_rate(usd(value), renewal).to_string(), expected, "{value}");
        }
    }

    #[test]
    fn the_classes_of_the_fee_are_in_us_dollars() {
        for (value, currency, expected) in [
            (89_999_999, Currency::Eur, "3 %"),
            (90_000_000, Currency::Eur, "2 %"),
            (900_000_000, Currency::Eur, "1.5 %"),
            (79_999_999, Currency::Gbp, "3 %"),
            (80_000_000, Currency::Gbp, "2 %"),
            (150_000_000, Currency::Aud, "2 %"),
            // Yen have no decimals.
            (149_999_999, Currency::Jpy, "3 %"),
            (150_000_000, Currency::Jpy, "2 %"),
            (1_500_000_000, Currency::Jpy, "1.5 %"),
            (8_499_999_999, Currency::Inr, "3 %"),
            (8_500_000_000, Currency::Inr, "2 %"),
        ] {
            let rate = private_rate(Money::from_minor(value, currency), false);
            assert_eq!(rate.to_string(), expected, "{value} {currency}");
        }
    }

    /// F-01, the row of South Korea, and professional services.
    #[test]
    fn f_01_sales_to_south_korea_cost_a_percent_more_since_april_2025() {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        let small = private_rate(Money::from_minor(500_000, Currency::Usd), false);
        for (country, issued, expected) in [
            ("KR", "2025-04-01T00:00:00Z", "4 %"),
            ("KR", "2025-03-31T23:59:59Z", "3 %"),
            ("JP", "2025-04-01T00:00:00Z", "3 %"),
            ("", "2025-04-01T00:00:00Z", "3 %"),
        ] {
            assert_eq!(
                small.plus(surcharge(country, at(issued))).to_string(),
                expected,
                "{country} {issued}"
            );
        }
        assert_eq!(PROFESSIONAL_SERVICES.to_string(), "0.5 %");
    }

    /// F-01, the rows of resellers: a half percent more of the wholesale, beside whatever else applies.
    #[test]
    fn f_01_what_resellers_sell_costs_half_a_percent_more() {
        let small = Money::from_minor(500_000, Currency::Usd);
        let since = Timestamp::parse("2025-04-01T00:00:00Z").unwrap();
        for (rate, expected) in [
            (private_rate(small, false).plus(RESALE), "3.5 %"),
            (private_rate(small, true).plus(RESALE).plus(surcharge("KR", since)), "3 %"),
            (PROFESSIONAL_SERVICES.plus(RESALE), "1 %"),
        ] {
            assert_eq!(rate.to_string(), expected);
        }
    }

    /// F-04: the fee is rounded, and the net is the sum of the rounded parts.
    #[test]
    fn f_04_the_fee_is_rounded_before_the_net() {
        let billed = Money::from_minor(50, Currency::Usd);
        let fee = billed.share(percent_tenths(30)).negated();
        assert_eq!((fee.to_string(), billed.plus(fee).to_string()), ("-0.02".into(), "0.48".into()));
    }
}
