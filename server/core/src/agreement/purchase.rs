//! What a buyer's choice buys upfront on an offer.

use super::UpfrontPurchase;
use super::acceptance::Refusal;
use crate::catalog::{Offer, Product};
use crate::invoicing::wholesale;
use crate::money::{Currency, UnitPrice};
use crate::rejection::{Code, Rejection};
use crate::terms::configurable_upfront::{MAX_UNITS, UpfrontConfiguration};
use crate::terms::{ConfigurableUpfront, FixedUpfront, FreeTrial, RateCard, UpfrontKind};
use crate::time::{TermDuration, Timestamp};

/// What a configuration buys on an offer at `now`, and what a reseller owes the manufacturer of it.
pub fn of_configuration(
    offer: &Offer,
    product: &Product,
    configuration: Option<&UpfrontConfiguration>,
    now: Timestamp,
    number: u32,
) -> Result<Option<UpfrontPurchase>, Refusal> {
    let Some(purchase) = chosen(offer, product, configuration, now, number)? else { return Ok(None) };
    let wholesale = wholesale::of_purchase(offer, &purchase)?;
    Ok(Some(UpfrontPurchase { wholesale, ..purchase }))
}

fn chosen(
    offer: &Offer,
    product: &Product,
    configuration: Option<&UpfrontConfiguration>,
    now: Timestamp,
    number: u32,
) -> Result<Option<UpfrontPurchase>, Rejection> {
    if let Some(fixed) = &offer.terms.fixed_upfront {
        return of_fixed_price(offer, product, fixed, configuration, now, number).map(Some);
    }
    match (configuration, &offer.terms.configurable_upfront) {
        (Some(configuration), Some(upfront)) => {
            configured(offer, product, upfront, configuration, now, number).map(Some)
        }
        (None, None) => Ok(None),
        (None, Some(_)) => match ConfigurableUpfront::kind(product) {
            UpfrontKind::Annual | UpfrontKind::Monthly => Ok(None),
            UpfrontKind::Contract if offer.terms.free_trial.is_some() => {
                Ok(offer.terms.free_trial.as_ref().map(|trial| tried(offer, trial, now, number)))
            }
            UpfrontKind::Contract => {
                refuse("", format!("{} sells a contract: say for how long and how much of what", offer.id))
            }
        },
        (Some(_), None) => refuse("", format!("{} sells nothing upfront: leave it out", offer.id)),
    }
}

fn refuse<T>(field: &str, message: String) -> Result<T, Rejection> {
    Err(Rejection::new(Code::ConfigurationInvalid, format!("configuration{field}"), message))
}

/// Units of dimensions, at the prices of the duration chosen.
fn configured(
    offer: &Offer,
    product: &Product,
    upfront: &ConfigurableUpfront,
    configuration: &UpfrontConfiguration,
    now: Timestamp,
    number: u32,
) -> Result<UpfrontPurchase, Rejection> {
    let Some(duration) = configuration.duration else {
        let message = format!("{} is sold for several durations: choose one, such as P12M", offer.id);
        return Err(Rejection::new(Code::FieldMissing, "configuration.duration", message));
    };
    let Some(prices) = offer.upfront_prices(duration, |notice| notice <= now) else {
        let message = format!("{} sells nothing for {duration}", offer.id);
        return Err(Rejection::new(Code::DurationNotAllowed, "configuration.duration", message));
    };
    if configuration.quantities.is_empty() {
        return refuse(".quantities", "say how much of which dimension".to_owned());
    }
    let mut unit_prices = RateCard::new();
    for (key, &units) in &configuration.quantities {
        let field = format!(".quantities[{key}]");
        let Some(&price) = prices.get(key) else {
            return refuse(&field, format!("{} sells no \"{key}\" for {duration}", offer.id));
        };
        if !(1..=MAX_UNITS).contains(&units) {
            return refuse(&field, format!("{units} units; it must be 1 to {MAX_UNITS}"));
        }
        unit_prices.insert(key.clone(), price);
    }
    check_renewal(offer, configuration)?;
    let (start, end) = period(offer, duration, now);
    Ok(UpfrontPurchase {
        number,
        kind: ConfigurableUpfront::kind(product),
        duration,
        quantities: configuration.quantities.clone(),
        unit_prices,
        fixed_price: None,
        in_instalments: false,
        currency: upfront.currency,
        start,
        end,
        auto_renew: configuration.auto_renew,
        ended_early_at: None,
        amends: None,
        added_value: None,
        wholesale: None,
    })
}

/// A contract that is tried for free: it ends with its days.
fn tried(offer: &Offer, trial: &FreeTrial, now: Timestamp, number: u32) -> UpfrontPurchase {
    let upfront = offer.terms.configurable_upfront.as_ref();
    UpfrontPurchase {
        number,
        kind: UpfrontKind::Contract,
        duration: trial.duration,
        quantities: trial.grants.clone(),
        unit_prices: RateCard::new(),
        fixed_price: Some(UnitPrice::ZERO),
        in_instalments: false,
        currency: upfront.map_or(Currency::Usd, |upfront| upfront.currency),
        start: now,
        end: trial.duration.after(now),
        auto_renew: false,
        ended_early_at: None,
        amends: None,
        added_value: None,
        wholesale: None,
    }
}

/// Everything that a fixed upfront price buys; the buyer chooses at most that it renews itself.
fn of_fixed_price(
    offer: &Offer,
    product: &Product,
    fixed: &FixedUpfront,
    configuration: Option<&UpfrontConfiguration>,
    now: Timestamp,
    number: u32,
) -> Result<UpfrontPurchase, Rejection> {
    if let Some(configuration) = configuration {
        if configuration.duration.is_some() || !configuration.quantities.is_empty() {
            let message =
                format!("{} has one price for all it grants: leave duration and quantities out", offer.id);
            return refuse("", message);
        }
        check_renewal(offer, configuration)?;
    }
    let duration = fixed.lasts(&offer.terms);
    let (start, end) = period(offer, duration, now);
    Ok(UpfrontPurchase {
        number,
        kind: ConfigurableUpfront::kind(product),
        duration,
        quantities: fixed.grants.clone(),
        unit_prices: RateCard::new(),
        fixed_price: Some(fixed.price),
        in_instalments: offer.terms.payment_schedule.is_some(),
        currency: fixed.currency,
        start,
        end,
        auto_renew: configuration.is_some_and(|configuration| configuration.auto_renew),
        ended_early_at: None,
        amends: None,
        added_value: None,
        wholesale: None,
    })
}

/// The dates that the offer names, else the duration from now.
fn period(offer: &Offer, duration: TermDuration, now: Timestamp) -> (Timestamp, Timestamp) {
    let dates = offer.terms.validity.and_then(|validity| validity.dates());
    dates.map_or_else(|| (now, duration.after(now)), |dates| dates.period())
}

fn check_renewal(offer: &Offer, configuration: &UpfrontConfiguration) -> Result<(), Rejection> {
    if configuration.auto_renew && offer.terms.renewal.is_none() {
        let message = format!("{} holds no renewal term: leave autoRenew out", offer.id);
        return Err(Rejection::new(Code::RenewalNotOffered, "configuration.autoRenew", message));
    }
    Ok(())
}
