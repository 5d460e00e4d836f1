//! Terms and rate cards, and what a buyer configures of them. Which terms go together on which product is
//! decided in the core; here a price becomes a price and a duration a duration.

use std::collections::BTreeMap;

use souk_core::ids::DimensionKey;
use souk_core::money::{Currency, PriceDecimals, UnitPrice};
use souk_core::rejection::{Code, Rejection};
use souk_core::terms::configurable_upfront::UpfrontConfiguration;
use souk_core::terms::{Byol, ConfigurableUpfront, RateCard, Term, Terms, UpfrontRateCard, UsageBased};
use souk_core::time::TermDuration;
use souk_proto::agreement::v1 as agreement;
use souk_proto::terms::v1 as proto;

use super::contract_terms::{
    from_proto_fixed_upfront, from_proto_legal, from_proto_payment_schedule, from_proto_renewal,
    from_proto_validity, to_proto_fixed_upfront, to_proto_legal, to_proto_payment_schedule, to_proto_renewal,
    to_proto_validity,
};
use super::usage_terms::{
    from_proto_free_trial, from_proto_recurring_payment, to_proto_free_trial, to_proto_recurring_payment,
};

/// Reads the terms of an offer; fields begin with `terms`.
///
/// # Errors
/// An empty or repeated term, a currency that is not taken, a text that is no price or no duration.
pub fn from_proto_terms(terms: Vec<proto::Term>) -> Result<Terms, Rejection> {
    let read =
        |(index, term)| from_proto_term(term).map_err(|r: Rejection| r.within(&format!("terms[{index}]")));
    Terms::from_list(terms.into_iter().enumerate().map(read).collect::<Result<_, _>>()?)
}

/// The terms of an offer, in the order of the contract.
pub fn to_proto_terms(terms: &Terms) -> Vec<proto::Term> {
    terms.to_list().iter().map(to_proto_term).collect()
}

/// Reads one term.
///
/// # Errors
/// As [`from_proto_terms`], with fields relative to the term.
pub fn from_proto_term(term: proto::Term) -> Result<Term, Rejection> {
    match term.term {
        None => {
            let message = "an empty term: name one of usageBasedPricing, configurableUpfrontPricing, \
                           fixedUpfrontPricing, paymentSchedule, validity, renewal, legal, \
                           freeTrialPricing, \
                           recurringPayment and byolPricing";
            Err(Rejection::new(Code::FieldMissing, "", message))
        }
        Some(proto::term::Term::UsageBasedPricing(term)) => {
            from_proto_usage_based(&term).map(Term::UsageBased).map_err(|r| r.within("usageBasedPricing"))
        }
        Some(proto::term::Term::ConfigurableUpfrontPricing(term)) => from_proto_configurable_upfront(&term)
            .map(Term::ConfigurableUpfront)
            .map_err(|r| r.within("configurableUpfrontPricing")),
        Some(proto::term::Term::FixedUpfrontPricing(term)) => from_proto_fixed_upfront(&term)
            .map(Term::FixedUpfront)
            .map_err(|r| r.within("fixedUpfrontPricing")),
        Some(proto::term::Term::PaymentSchedule(term)) => from_proto_payment_schedule(&term)
            .map(Term::PaymentSchedule)
            .map_err(|r| r.within("paymentSchedule")),
        Some(proto::term::Term::Validity(term)) => {
            from_proto_validity(&term).map(Term::Validity).map_err(|r| r.within("validity"))
        }
        Some(proto::term::Term::Renewal(term)) => {
            from_proto_renewal(&term).map(Term::Renewal).map_err(|r| r.within("renewal"))
        }
        Some(proto::term::Term::Legal(term)) => {
            from_proto_legal(term).map(Term::Legal).map_err(|r| r.within("legal"))
        }
        Some(proto::term::Term::FreeTrialPricing(term)) => {
            from_proto_free_trial(&term).map(Term::FreeTrial).map_err(|r| r.within("freeTrialPricing"))
        }
        Some(proto::term::Term::ByolPricing(proto::ByolPricingTerm {})) => Ok(Term::Byol(Byol)),
        Some(proto::term::Term::RecurringPayment(term)) => from_proto_recurring_payment(&term)
            .map(Term::RecurringPayment)
            .map_err(|r| r.within("recurringPayment")),
    }
}

/// One term.
pub fn to_proto_term(term: &Term) -> proto::Term {
    let term = match term {
        Term::UsageBased(UsageBased { currency, rate_card }) => {
            proto::term::Term::UsageBasedPricing(proto::UsageBasedPricingTerm {
                currency_code: currency.code().to_owned(),
                rate_card: to_proto_rate_card(rate_card),
            })
        }
        Term::ConfigurableUpfront(ConfigurableUpfront { currency, rate_cards }) => {
            proto::term::Term::ConfigurableUpfrontPricing(proto::ConfigurableUpfrontPricingTerm {
                currency_code: currency.code().to_owned(),
                rate_cards: to_proto_upfront_cards(rate_cards),
            })
        }
        Term::FixedUpfront(term) => proto::term::Term::FixedUpfrontPricing(to_proto_fixed_upfront(term)),
        Term::PaymentSchedule(term) => proto::term::Term::PaymentSchedule(to_proto_payment_schedule(term)),
        Term::Validity(term) => proto::term::Term::Validity(to_proto_validity(*term)),
        Term::Renewal(term) => proto::term::Term::Renewal(to_proto_renewal(*term)),
        Term::Legal(term) => proto::term::Term::Legal(to_proto_legal(term)),
        Term::RecurringPayment(term) => proto::term::Term::RecurringPayment(to_proto_recurring_payment(term)),
        Term::Byol(Byol) => proto::term::Term::ByolPricing(proto::ByolPricingTerm {}),
        Term::FreeTrial(term) => proto::term::Term::FreeTrialPricing(to_proto_free_trial(term)),
    };
    proto::Term { term: Some(term) }
}

/// Reads prices by dimension; a wrong one is named as `field[key]`.
///
/// # Errors
/// The first text that is no price.
pub fn from_proto_rate_card(
    card: &BTreeMap<String, String>,
    decimals: PriceDecimals,
    field: &str,
) -> Result<RateCard, Rejection> {
    let read = |(key, text): (&String, &String)| {
        let price = UnitPrice::parse(text, decimals).map_err(|why| {
            Rejection::new(
                Code::PriceInvalid,
                format!("{field}[{key}]"),
                format!("\"{text}\" is not a price: {why}"),
            )
        })?;
        Ok((DimensionKey::new(key), price))
    };
    card.iter().map(read).collect()
}

/// Prices by dimension.
pub fn to_proto_rate_card(card: &RateCard) -> BTreeMap<String, String> {
    card.iter().map(|(key, price)| (key.to_string(), price.to_string())).collect()
}

/// Reads the cards of several durations; a wrong one is named as `field[index]`.
///
/// # Errors
/// The first text that is no price or no duration.
pub fn from_proto_upfront_cards(
    cards: &[proto::UpfrontRateCard],
    field: &str,
) -> Result<Vec<UpfrontRateCard>, Rejection> {
    let read = |(index, card): (usize, &proto::UpfrontRateCard)| {
        let path = format!("{field}[{index}]");
        let duration = from_proto_term_duration(&card.duration, &format!("{path}.duration"))?;
        let prices = from_proto_rate_card(&card.prices, PriceDecimals::Upfront, &format!("{path}.prices"))?;
        Ok(UpfrontRateCard { duration, prices })
    };
    cards.iter().enumerate().map(read).collect()
}

/// The cards of several durations.
pub fn to_proto_upfront_cards(cards: &[UpfrontRateCard]) -> Vec<proto::UpfrontRateCard> {
    let write = |card: &UpfrontRateCard| proto::UpfrontRateCard {
        duration: card.duration.to_string(),
        prices: to_proto_rate_card(&card.prices),
    };
    cards.iter().map(write).collect()
}

/// Reads what a buyer chose; whether it is on sale is decided in the core.
///
/// # Errors
/// A text that is no duration.
pub fn from_proto_configuration(
    configuration: agreement::UpfrontConfiguration,
) -> Result<UpfrontConfiguration, Rejection> {
    let agreement::UpfrontConfiguration { duration, quantities, auto_renew } = configuration;
    Ok(UpfrontConfiguration {
        duration: (!duration.is_empty())
            .then(|| from_proto_term_duration(&duration, "duration"))
            .transpose()?,
        quantities: quantities.iter().map(|(key, units)| (DimensionKey::new(key), *units)).collect(),
        auto_renew,
    })
}

/// What a buyer chose.
pub fn to_proto_configuration(configuration: &UpfrontConfiguration) -> agreement::UpfrontConfiguration {
    let UpfrontConfiguration { duration, quantities, auto_renew } = configuration;
    agreement::UpfrontConfiguration {
        duration: duration.map(|duration| duration.to_string()).unwrap_or_default(),
        quantities: to_proto_quantities(quantities),
        auto_renew: *auto_renew,
    }
}

/// Units by dimension.
pub fn to_proto_quantities(quantities: &BTreeMap<DimensionKey, u64>) -> BTreeMap<String, u64> {
    quantities.iter().map(|(key, units)| (key.to_string(), *units)).collect()
}

/// Reads the duration of a term.
///
/// # Errors
/// An absent duration, and one of another form.
pub fn from_proto_term_duration(text: &str, field: &str) -> Result<TermDuration, Rejection> {
    if text.is_empty() {
        let message = "a duration is required: days or months in ISO 8601, such as P30D or P12M";
        return Err(Rejection::new(Code::FieldMissing, field, message));
    }
    TermDuration::parse(text).ok_or_else(|| {
        let message =
            format!("\"{text}\" is not a duration: give days or months in ISO 8601, such as P30D or P12M");
        Rejection::new(Code::FieldInvalid, field, message)
    })
}

/// Reads a currency; US dollars when there is none.
///
/// # Errors
/// Every other currency.
pub fn from_proto_currency(code: &str, field: &str) -> Result<Currency, Rejection> {
    Currency::parse(code).ok_or_else(|| {
        let message = format!(
            "prices in \"{code}\" are not supported: give USD, or of private offers EUR, GBP, AUD, JPY or INR"
        );
        Rejection::new(Code::CurrencyNotSupported, field, message)
    })
}

fn from_proto_usage_based(term: &proto::UsageBasedPricingTerm) -> Result<UsageBased, Rejection> {
    Ok(UsageBased {
        currency: from_proto_currency(&term.currency_code, "currencyCode")?,
        rate_card: from_proto_rate_card(&term.rate_card, PriceDecimals::Metered, "rateCard")?,
    })
}

fn from_proto_configurable_upfront(
    term: &proto::ConfigurableUpfrontPricingTerm,
) -> Result<ConfigurableUpfront, Rejection> {
    Ok(ConfigurableUpfront {
        currency: from_proto_currency(&term.currency_code, "currencyCode")?,
        rate_cards: from_proto_upfront_cards(&term.rate_cards, "rateCards")?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::{collection, option};
    use souk_core::rejection::Code::{
        CurrencyNotSupported, FieldInvalid, FieldMissing, PriceInvalid, TermDuplicate,
    };

    use super::super::refusal;
    use super::*;

    fn card(prices: &[(&str, &str)]) -> BTreeMap<String, String> {
        prices.iter().map(|(key, price)| ((*key).to_owned(), (*price).to_owned())).collect()
    }

    fn usage(currency: &str, prices: &[(&str, &str)]) -> Option<proto::term::Term> {
        Some(proto::term::Term::UsageBasedPricing(proto::UsageBasedPricingTerm {
            currency_code: currency.to_owned(),
            rate_card: card(prices),
        }))
    }

    fn upfront(currency: &str, duration: &str, prices: &[(&str, &str)]) -> Option<proto::term::Term> {
        Some(proto::term::Term::ConfigurableUpfrontPricing(proto::ConfigurableUpfrontPricingTerm {
            currency_code: currency.to_owned(),
            rate_cards: vec![
                proto::UpfrontRateCard { duration: "P1M".to_owned(), prices: card(&[("users", "1")]) },
                proto::UpfrontRateCard { duration: duration.to_owned(), prices: card(prices) },
            ],
        }))
    }

    fn validity(duration: &str) -> Option<proto::term::Term> {
        Some(proto::term::Term::Validity(proto::ValidityTerm {
            agreement_duration: duration.to_owned(),
            ..Default::default()
        }))
    }

    fn renewal() -> Option<proto::term::Term> {
        Some(proto::term::Term::Renewal(proto::RenewalTerm::default()))
    }

    #[test]
    fn a_wrong_term_is_named_by_its_place() {
        for (term, code, field) in [
            (None, FieldMissing, "terms[1]"),
            (renewal(), TermDuplicate, "terms[1]"),
            (usage("CHF", &[]), CurrencyNotSupported, "terms[1].usageBasedPricing.currencyCode"),
            (usage("usd", &[]), CurrencyNotSupported, "terms[1].usageBasedPricing.currencyCode"),
            (usage("", &[("users", "")]), PriceInvalid, "terms[1].usageBasedPricing.rateCard[users]"),
            (usage("USD", &[("users", "-1")]), PriceInvalid, "terms[1].usageBasedPricing.rateCard[users]"),
            (
                usage("USD", &[("a", "1"), ("b", "1e3")]),
                PriceInvalid,
                "terms[1].usageBasedPricing.rateCard[b]",
            ),
            (usage("USD", &[("a", "0.000000001")]), PriceInvalid, "terms[1].usageBasedPricing.rateCard[a]"),
            (usage("USD", &[("a", "1000000")]), PriceInvalid, "terms[1].usageBasedPricing.rateCard[a]"),
            (
                upfront("CHF", "P12M", &[]),
                CurrencyNotSupported,
                "terms[1].configurableUpfrontPricing.currencyCode",
            ),
            (upfront("", "", &[]), FieldMissing, "terms[1].configurableUpfrontPricing.rateCards[1].duration"),
            (
                upfront("", "1y", &[]),
                FieldInvalid,
                "terms[1].configurableUpfrontPricing.rateCards[1].duration",
            ),
            (
                upfront("", "P1Y", &[("a", "1.0001")]),
                PriceInvalid,
                "terms[1].configurableUpfrontPricing.rateCards[1].prices[a]",
            ),
            (validity(""), FieldMissing, "terms[1].validity.agreementDuration"),
            (validity("30 days"), FieldInvalid, "terms[1].validity.agreementDuration"),
        ] {
            let terms = vec![proto::Term { term: renewal() }, proto::Term { term: term.clone() }];
            let refused = refusal(from_proto_terms(terms));
            assert_eq!(refused, Some((code, field.to_owned())), "{term:?}");
        }
    }

    #[test]
    fn a_wrong_price_says_its_value_and_the_limit() {
        for (text, decimals, words) in [
            (
                "1.123456789",
                PriceDecimals::Metered,
                "\"1.123456789\" is not a price: it may have at most 8 decimals",
            ),
            ("1.0001", PriceDecimals::Upfront, "\"1.0001\" is not a price: it may have at most 3 decimals"),
            ("1000000", PriceDecimals::Metered, "\"1000000\" is not a price: it must be below 1000000"),
        ] {
            let refused = from_proto_rate_card(&card(&[("users", text)]), decimals, "rateCard");
            assert_eq!(refused.map_err(|r| r.message), Err(words.to_owned()));
        }
    }

    #[test]
    fn a_configuration_keeps_what_was_chosen() {
        let chosen = |duration: &str| agreement::UpfrontConfiguration {
            duration: duration.to_owned(),
            quantities: BTreeMap::from([("large".to_owned(), 3)]),
            auto_renew: true,
        };
        let read = from_proto_configuration(chosen("P1Y")).unwrap();
        assert_eq!(to_proto_configuration(&read), chosen("P12M"), "a year is twelve months");
        let refused = refusal(from_proto_configuration(chosen("12")));
        assert_eq!(refused, Some((FieldInvalid, "duration".to_owned())));
        // Where the offer says it, none is chosen.
        let read = from_proto_configuration(chosen("")).unwrap();
        assert_eq!(to_proto_configuration(&read), chosen(""));
    }

    prop_compose! {
        fn rate_card(scaled_max: i64, step: i64)(
            card in collection::btree_map("[a-zA-Z0-9_.-]{1,12}", 0..scaled_max / step, 0..5),
        ) -> RateCard {
            card.iter()
                .map(|(key, steps)| (DimensionKey::new(key), UnitPrice::from_scaled(steps * step).unwrap()))
                .collect()
        }
    }

    fn duration() -> impl Strategy<Value = TermDuration> {
        prop_oneof![
            (1_u32..100_000).prop_map(TermDuration::Days),
            (1_u32..100_000).prop_map(TermDuration::Months)
        ]
    }

    fn upfront_card() -> impl Strategy<Value = UpfrontRateCard> {
        let prices = rate_card(1_000_000_000 * 100_000_000, 100_000);
        (duration(), prices).prop_map(|(duration, prices)| UpfrontRateCard { duration, prices })
    }

    prop_compose! {
        fn terms()(
            rates in option::of(rate_card(1_000_000 * 100_000_000, 1)),
            cards in option::of(collection::vec(upfront_card(), 0..4)),
            validity in option::of(duration()),
            renewal in any::<bool>(),
        ) -> Terms {
            let currency = Currency::Usd;
            Terms {
                usage_based: rates.map(|rate_card| UsageBased { currency, rate_card }),
                configurable_upfront: cards.map(|rate_cards| ConfigurableUpfront { currency, rate_cards }),
                validity: validity.map(souk_core::terms::Validity::Lasting),
                renewal: renewal.then(souk_core::terms::Renewal::default),
                ..Terms::default()
            }
        }
    }

    proptest! {
        #[test]
        fn terms_come_back_as_they_went_out(terms in terms()) {
            prop_assert_eq!(from_proto_terms(to_proto_terms(&terms)), Ok(terms));
        }
    }
}
