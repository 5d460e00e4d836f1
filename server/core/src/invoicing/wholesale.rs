//! What a reseller owes the manufacturer of what it sells (J1): the same quantity at the wholesale price, for the same
//! part of a term, rounded once as the line is.

use super::{Explanation, Proration};
use crate::agreement::{Agreement, UpfrontPurchase};
use crate::catalog::{CountedIn, Offer, Resale};
use crate::ids::DimensionKey;
use crate::money::{Amount, Currency, Money, UnitPrice};
use crate::quantity::QuantitySum;
use crate::rejection::Broken;
use crate::time::TermDuration;

/// Of usage; none where no reseller sells.
pub fn of_usage(
    offer: &Offer,
    key: &DimensionKey,
    quantity: QuantitySum,
    counted_in: CountedIn,
    currency: Currency,
) -> Result<Option<Money>, Broken> {
    let price = offer.resale.as_ref().map(|_| offer.wholesale_usage_price(key)).transpose()?;
    Ok(price.map(|price| price.times(quantity, currency).part(1, counted_in.per_unit())))
}

/// Of units that are bought for a duration, or for a part of it.
pub fn of_units(
    offer: &Offer,
    purchase: &UpfrontPurchase,
    key: &DimensionKey,
    quantity: QuantitySum,
    proration: Option<Proration>,
) -> Result<Option<Money>, Broken> {
    let exact = |resale: &Resale| exact(offer, resale, purchase.duration, key, quantity, purchase.currency);
    let exact = offer.resale.as_deref().map(exact).transpose()?;
    Ok(exact.map(|exact| Explanation { exact, segments: Vec::new(), proration }.amount()))
}

/// Of everything that a purchase buys: lines that are rounded each, or one line for one price.
pub fn of_purchase(offer: &Offer, purchase: &UpfrontPurchase) -> Result<Option<Money>, Broken> {
    let Some(resale) = &offer.resale else { return Ok(None) };
    let mut rounded = Money::zero(purchase.currency);
    let mut together = 0;
    for (key, &units) in &purchase.quantities {
        let quantity = QuantitySum::whole(units);
        let exact = exact(offer, resale, purchase.duration, key, quantity, purchase.currency)?;
        rounded = rounded.plus(exact.round());
        together += exact.scaled();
    }
    Ok(Some(match purchase.fixed_price {
        None => rounded,
        Some(_) => Amount::new(together, purchase.currency).round(),
    }))
}

/// Of an instalment, as much as it is of the price: together the instalments owe what the purchase does, to the cent.
pub fn of_instalment(agreement: &Agreement, purchase: &UpfrontPurchase, number: u32) -> Option<Money> {
    let whole = purchase.wholesale?;
    let amounts = agreement.instalments.iter().map(|instalment| i128::from(instalment.amount.scaled()));
    let until = |number: u32| -> Money {
        let paid: i128 = amounts.clone().take(number as usize).sum();
        whole.part(paid, amounts.clone().sum())
    };
    Some(until(number).plus(until(number.saturating_sub(1)).negated()))
}

fn exact(
    offer: &Offer,
    resale: &Resale,
    duration: TermDuration,
    key: &DimensionKey,
    quantity: QuantitySum,
    currency: Currency,
) -> Result<Amount, Broken> {
    Ok(known(offer, key, resale.upfront_price(duration, key))?.times(quantity, currency))
}

/// An offer is released with the wholesale price of everything that it sells.
fn known(offer: &Offer, key: &DimensionKey, price: Option<UnitPrice>) -> Result<UnitPrice, Broken> {
    price.ok_or_else(|| Broken(format!("offer {} sells \"{key}\" without a wholesale price", offer.id)))
}
