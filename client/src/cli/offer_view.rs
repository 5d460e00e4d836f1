//! How offers, their terms and their price changes are shown.

use std::collections::BTreeMap;

use souk_proto::catalog::v1::{GetOfferResponse, Offer, PriceChange};
use souk_proto::terms::v1::term::Term as Kind;
use souk_proto::terms::v1::{ScheduledPayment, Term, UpfrontRateCard};

use super::error::CliError;
use super::output::{Column, View, number, text};
use super::{json, time};

/// An offer just released.
pub fn released(offer: &Offer) -> Result<View, CliError> {
    Ok(with_terms(View::of_facts(facts(offer), json::of(offer)?), "Terms", &offer.terms))
}

/// An offer with what became of it.
pub fn whole(answer: &GetOfferResponse) -> Result<View, CliError> {
    let nothing = Offer::default();
    let offer = answer.offer.as_ref().unwrap_or(&nothing);
    let mut facts = facts(offer);
    facts.push(("visibility", answer.offer_visibility.clone()));
    if !answer.paid_listing_due.is_empty() {
        facts.push(("paid_listing_due", answer.paid_listing_due.clone()));
    }
    if !offer.resale_authorization_id.is_empty() {
        facts.push(("seller_account_id", answer.seller_account_id.clone()));
    }
    let changes = answer.price_changes.iter().flat_map(change_rows).collect();
    let mut view = with_terms(View::of_facts(facts, json::of(answer)?), "Terms", &offer.terms);
    if !answer.wholesale_terms.is_empty() {
        view = with_terms(view, "Wholesale prices", &answer.wholesale_terms);
    }
    Ok(view.with_sheet("Price changes", change_columns(), changes))
}

/// A change of prices.
pub fn price_change(change: &PriceChange) -> Result<View, CliError> {
    Ok(View::of_list(change_columns(), change_rows(change), json::of(change)?))
}

/// The columns of a list of offers.
pub fn columns() -> Vec<Column> {
    let mut columns: Vec<_> = ["offer_id", "product_id", "name"].map(text).into();
    columns.extend([number("private_buyers"), text("availability_end_date"), text("terms")]);
    columns
}

/// The row of an offer.
pub fn row(offer: &Offer) -> Vec<String> {
    let terms: Vec<_> = offer.terms.iter().map(term_word).collect();
    vec![
        offer.offer_id.clone(),
        offer.product_id.clone(),
        offer.name.clone(),
        offer.buyer_account_ids.len().to_string(),
        offer.availability_end_date.clone(),
        terms.join(", "),
    ]
}

fn facts(offer: &Offer) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("offer_id", offer.offer_id.clone()),
        ("product_id", offer.product_id.clone()),
        ("name", offer.name.clone()),
    ];
    if !offer.buyer_account_ids.is_empty() {
        facts.push(("buyers", offer.buyer_account_ids.join(", ")));
        facts.push(("availability_end_date", offer.availability_end_date.clone()));
    }
    if !offer.resale_authorization_id.is_empty() {
        facts.push(("resale_authorization_id", offer.resale_authorization_id.clone()));
    }
    facts
}

/// Adds a sheet of terms.
pub fn with_terms(view: View, title: &'static str, terms: &[Term]) -> View {
    let columns =
        vec![text("term"), text("duration"), text("dimension"), number("price"), text("currency_code")];
    view.with_sheet(title, columns, terms.iter().flat_map(term_rows).collect())
}

/// A term's name in the contract, such as `usage_based_pricing`.
fn term_word(term: &Term) -> String {
    let json = json::of(term).unwrap_or_default();
    let name = json.as_object().and_then(|object| object.keys().next()).cloned().unwrap_or_default();
    let word = |c: char| match c.is_ascii_uppercase() {
        true => format!("_{}", c.to_ascii_lowercase()),
        false => c.to_string(),
    };
    name.chars().map(word).collect()
}

fn term_rows(term: &Term) -> Vec<Vec<String>> {
    let name = term_word(term);
    match &term.term {
        Some(Kind::UsageBasedPricing(usage)) => {
            price_rows(&name, "", &usage.rate_card, &usage.currency_code).collect()
        }
        Some(Kind::ConfigurableUpfrontPricing(upfront)) => upfront
            .rate_cards
            .iter()
            .flat_map(|card| price_rows(&name, &card.duration, &card.prices, &upfront.currency_code))
            .collect(),
        Some(Kind::FixedUpfrontPricing(fixed)) => {
            let grants: Vec<_> = fixed.grants.iter().map(|(key, units)| format!("{key}={units}")).collect();
            let granted = grants.join(", ");
            vec![cells([&name, &fixed.duration, &granted, &fixed.price, &fixed.currency_code])]
        }
        Some(Kind::PaymentSchedule(schedule)) => {
            let payments = schedule.schedule.iter();
            let row = |p: &ScheduledPayment| {
                cells([&name, &p.charge_date, "", &p.charge_amount, &schedule.currency_code])
            };
            payments.map(row).collect()
        }
        Some(Kind::Validity(validity)) if !validity.agreement_duration.is_empty() => {
            vec![cells([&name, &validity.agreement_duration, "", "", ""])]
        }
        // Whatever else it says, as the contract writes it.
        Some(_) => {
            let json = json::of(term).unwrap_or_default();
            let said = json.as_object().and_then(|object| object.values().next());
            let said = said.filter(|said| said.as_object().is_none_or(|fields| !fields.is_empty()));
            vec![cells([&name, "", &said.map(ToString::to_string).unwrap_or_default(), "", ""])]
        }
        None => vec![cells([&name, "", "", "", ""])],
    }
}

fn price_rows<'a>(
    term: &'a str,
    duration: &'a str,
    prices: &'a BTreeMap<String, String>,
    currency: &'a str,
) -> impl Iterator<Item = Vec<String>> + 'a {
    prices.iter().map(move |(dimension, price)| cells([term, duration, dimension, price, currency]))
}

fn change_columns() -> Vec<Column> {
    let mut columns: Vec<_> =
        ["notice_time", "existing_subscribers_from", "duration", "dimension"].map(text).into();
    columns.push(number("price"));
    columns
}

fn change_rows(change: &PriceChange) -> Vec<Vec<String>> {
    let notice = time::show(change.notice_time.as_ref());
    let from = time::show(change.existing_subscribers_from.as_ref());
    let usage = UpfrontRateCard { duration: String::new(), prices: change.rate_card.clone() };
    std::iter::once(&usage)
        .chain(&change.upfront_rate_cards)
        .flat_map(|card| {
            card.prices
                .iter()
                .map(|(dimension, price)| cells([&notice, &from, &card.duration, dimension, price]))
        })
        .collect()
}

fn cells(cells: [&str; 5]) -> Vec<String> {
    cells.map(str::to_owned).into()
}

#[cfg(test)]
mod tests {
    use souk_proto::terms::v1::{
        ConfigurableUpfrontPricingTerm, FixedUpfrontPricingTerm, LegalDocument, LegalTerm,
        PaymentScheduleTerm, RenewalTerm, UsageBasedPricingTerm, ValidityTerm,
    };

    use super::*;

    fn prices<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
        pairs.map(|(dimension, price)| (dimension.to_owned(), price.to_owned())).into()
    }

    #[test]
    fn an_offer_is_shown_with_a_row_for_each_price() {
        let terms = [
            Kind::UsageBasedPricing(UsageBasedPricingTerm {
                currency_code: "USD".to_owned(),
                rate_card: prices([("m5.large", "0.10"), ("m5.xlarge", "0.2")]),
            }),
            Kind::ConfigurableUpfrontPricing(ConfigurableUpfrontPricingTerm {
                currency_code: "USD".to_owned(),
                rate_cards: vec![UpfrontRateCard {
                    duration: "P12M".to_owned(),
                    prices: prices([("m5.large", "700.000")]),
                }],
            }),
            Kind::Validity(ValidityTerm { agreement_duration: "P24M".to_owned(), ..Default::default() }),
            Kind::Renewal(RenewalTerm::default()),
            Kind::FixedUpfrontPricing(FixedUpfrontPricingTerm {
                currency_code: "USD".to_owned(),
                price: "3000.00".to_owned(),
                duration: "P18M".to_owned(),
                grants: [("m5.large".to_owned(), 2), ("m5.xlarge".to_owned(), 1)].into(),
            }),
            Kind::PaymentSchedule(PaymentScheduleTerm {
                currency_code: "USD".to_owned(),
                schedule: vec![ScheduledPayment {
                    charge_date: "2026-06-01".to_owned(),
                    charge_amount: "3000.00".to_owned(),
                }],
            }),
            Kind::Legal(LegalTerm {
                documents: vec![LegalDocument {
                    url: "https://example.com".to_owned(),
                    ..Default::default()
                }],
            }),
        ];
        let answer = GetOfferResponse {
            offer: Some(Offer {
                offer_id: "offer-1".to_owned(),
                product_id: "prod-1".to_owned(),
                name: "For you".to_owned(),
                buyer_account_ids: vec!["222222222222".to_owned()],
                availability_end_date: "2026-03-31".to_owned(),
                terms: terms.map(|term| Term { term: Some(term) }).into(),
                ..Offer::default()
            }),
            offer_visibility: "Private".to_owned(),
            price_changes: vec![PriceChange {
                notice_time: time::parse("2026-03-01").ok(),
                existing_subscribers_from: time::parse("2026-05-30").ok(),
                rate_card: prices([("m5.large", "0.12")]),
                upfront_rate_cards: Vec::new(),
            }],
            ..GetOfferResponse::default()
        };
        insta::assert_snapshot!(whole(&answer).unwrap().to_table(), @r#"
        Offer id               offer-1
        Product id             prod-1
        Name                   For you
        Buyers                 222222222222
        Availability end date  2026-03-31
        Visibility             Private

        Terms
        Term                          Duration    Dimension                                        Price  Currency code
        ----------------------------- ----------- ---------------------------------------------- -------- --------------
        usage_based_pricing                       m5.large                                          0.10  USD
        usage_based_pricing                       m5.xlarge                                          0.2  USD
        configurable_upfront_pricing  P12M        m5.large                                       700.000  USD
        validity                      P24M
        renewal
        fixed_upfront_pricing         P18M        m5.large=2, m5.xlarge=1                        3000.00  USD
        payment_schedule              2026-06-01                                                 3000.00  USD
        legal                                     {"documents":[{"url":"https://example.com"}]}

        Price changes
        Notice time           Existing subscribers from  Duration  Dimension  Price
        --------------------- -------------------------- --------- ---------- ------
        2026-03-01T00:00:00Z  2026-05-30T00:00:00Z                 m5.large    0.12
        "#);
    }

    #[test]
    fn a_resellers_offer_is_shown_with_its_seller_and_the_wholesale() {
        let usage = |price| {
            let rate_card = prices([("users", price)]);
            let usage = UsageBasedPricingTerm { currency_code: "USD".to_owned(), rate_card };
            vec![Term { term: Some(Kind::UsageBasedPricing(usage)) }]
        };
        let answer = GetOfferResponse {
            offer: Some(Offer {
                offer_id: "offer-1".to_owned(),
                product_id: "prod-1".to_owned(),
                buyer_account_ids: vec!["222222222222".to_owned()],
                availability_end_date: "2026-03-31".to_owned(),
                resale_authorization_id: "resaleauthz-1".to_owned(),
                terms: usage("0.45"),
                ..Offer::default()
            }),
            offer_visibility: "Private".to_owned(),
            seller_account_id: "444444444444".to_owned(),
            wholesale_terms: usage("0.40"),
            ..GetOfferResponse::default()
        };
        insta::assert_snapshot!(whole(&answer).unwrap().to_table(), @r"
        Offer id                 offer-1
        Product id               prod-1
        Name
        Buyers                   222222222222
        Availability end date    2026-03-31
        Resale authorization id  resaleauthz-1
        Visibility               Private
        Seller account id        444444444444

        Terms
        Term                 Duration  Dimension  Price  Currency code
        -------------------- --------- ---------- ------ --------------
        usage_based_pricing            users       0.45  USD

        Wholesale prices
        Term                 Duration  Dimension  Price  Currency code
        -------------------- --------- ---------- ------ --------------
        usage_based_pricing            users       0.40  USD
        ");
    }
}
