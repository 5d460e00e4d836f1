//! The facts of the demo's year as plain rows: restated here, or read from the marketplace's file and the flights.

use chrono::{Days, Months};
use souk_proto::catalog::v1::{Offer, ProductType};
use souk_proto::sandbox::v1::SandboxDocument;
use souk_proto::terms::v1::term::Term;
use souk_server::demo::flights;
use souk_tests::naive::{self, Time, at};

const YEAR_BEGINS: &str = "2013-01-01T00:00:00Z";
const AMERICAN: &str = "201300000001";
const JETBLUE: &str = "201300000012";
const CONTRAIL: &str = "prod-contrail";
const GATEHOUSE: &str = "prod-gatehouse";

/// The plain facts: the file's marketplace, what happens in the year besides, and the flights.
pub fn market(document: &SandboxDocument) -> naive::Market {
    let payers = document.accounts.iter().map(|account| {
        let own = account.payer_account_id.is_empty();
        let payer = if own { &account.account_id } else { &account.payer_account_id };
        (account.account_id.clone(), payer.clone())
    });
    let products = document.products.iter().map(|product| {
        let entity = seller_entity(document, &product.seller_account_id);
        let server = product.product_type() != ProductType::Saas;
        (product.product_id.clone(), naive::Product { entity, server })
    });
    let offers = document.offers.iter().map(|offer| {
        let facts = naive::Offer {
            free: false,
            product: offer.product_id.clone(),
            private: !offer.buyer_account_ids.is_empty(),
            usage: usage_prices(offer),
            changes: Vec::new(),
        };
        (offer.offer_id.clone(), facts)
    });
    let mut market = naive::Market {
        payers: payers.collect(),
        products: products.collect(),
        offers: offers.collect(),
        agreements: Vec::new(),
        usage: usage(),
        decreases_immediate: false,
    };
    for accepted in &document.agreements {
        let (offer, buyer) = (&accepted.offer_id, &accepted.buyer_account_id);
        assert_eq!(accepted.acceptance_time, None, "everybody subscribes on New Year's Day");
        accept(&mut market, document, offer, buyer, YEAR_BEGINS);
        if let Some(chosen) = &accepted.configuration {
            let units: Vec<_> = chosen.quantities.iter().map(|(key, units)| (&**key, *units)).collect();
            buy_a_year(&mut market, document, buyer, YEAR_BEGINS, &units);
        }
    }
    live_the_year(&mut market, document);
    market
}

/// What happens in the year besides metering.
fn live_the_year(market: &mut naive::Market, document: &SandboxDocument) {
    let change = naive::Change {
        notice: at("2013-03-16T00:00:00Z"),
        usage: [("departures".to_owned(), "0.13".to_owned())].into(),
    };
    market.offers.get_mut("offer-contrail-public").expect("Contrail's public offer").changes.push(change);

    // JetBlue's private offer takes the place of the public one for 120 days, and then gives it back.
    let public =
        market.agreements.iter_mut().find(|a| a.buyer == JETBLUE && a.offer == "offer-contrail-public");
    public.expect("JetBlue's subscription").end = Some(at("2013-05-10T00:00:00Z"));
    accept(market, document, "offer-contrail-jetblue", JETBLUE, "2013-05-10T00:00:00Z");
    let summer = market.agreements.last().expect("JetBlue's summer");
    assert_eq!(summer.end, Some(at("2013-09-07T00:00:00Z")), "120 days from 10 May");
    accept(market, document, "offer-contrail-public", JETBLUE, "2013-09-07T00:00:00Z");

    buy_a_year(market, document, AMERICAN, "2013-06-01T00:00:00Z", &[("m5.large", 2)]);
    buy_a_year(market, document, JETBLUE, "2013-09-15T00:00:00Z", &[("m5.large", 4)]);
}

fn accept(market: &mut naive::Market, document: &SandboxDocument, offer: &str, buyer: &str, start: &str) {
    let start = at(start);
    let end = agreement_end(offer_of(document, offer), start);
    let id = format!("agreement {}", market.agreements.len());
    let (buyer, offer) = (buyer.to_owned(), offer.to_owned());
    market.agreements.push(naive::Agreement { id, buyer, offer, start, end, purchases: Vec::new() });
}

/// A year of Gatehouse's instances, under the buyer's only agreement on it.
fn buy_a_year(
    market: &mut naive::Market,
    document: &SandboxDocument,
    buyer: &str,
    start: &str,
    units: &[(&str, u64)],
) {
    let offers = &market.offers;
    let mine = |a: &&mut naive::Agreement| a.buyer == buyer && offers[&a.offer].product == GATEHOUSE;
    let agreement = market.agreements.iter_mut().find(mine).expect("a subscription to Gatehouse");
    let start = at(start);
    agreement.purchases.push(naive::Purchase {
        start,
        end: start + Months::new(12),
        covers: true,
        quantities: units.iter().map(|(key, units)| ((*key).to_owned(), *units)).collect(),
        unit_prices: annual_prices(offer_of(document, &agreement.offer)),
    });
}

/// An offer of the marketplace.
pub fn offer_of<'a>(document: &'a SandboxDocument, id: &str) -> &'a Offer {
    document.offers.iter().find(|offer| offer.offer_id == id).expect("an offer of the marketplace")
}

fn terms(offer: &Offer) -> impl Iterator<Item = &Term> {
    offer.terms.iter().filter_map(|term| term.term.as_ref())
}

fn usage_prices(offer: &Offer) -> naive::Prices {
    let mut cards = terms(offer).filter_map(|term| match term {
        Term::UsageBasedPricing(term) => Some(&term.rate_card),
        _ => None,
    });
    let card = cards.next().expect("every offer of the demo prices usage");
    card.iter().map(|(key, price)| (key.clone(), price.clone())).collect()
}

fn annual_prices(offer: &Offer) -> naive::Prices {
    let mut cards = terms(offer).filter_map(|term| match term {
        Term::ConfigurableUpfrontPricing(term) => term.rate_cards.iter().find(|card| card.duration == "P12M"),
        _ => None,
    });
    let card = cards.next().expect("annual prices");
    card.prices.iter().map(|(key, price)| (key.clone(), price.clone())).collect()
}

fn agreement_end(offer: &Offer, start: Time) -> Option<Time> {
    let duration = terms(offer).find_map(|term| match term {
        Term::Validity(term) => Some(term.agreement_duration.as_str()),
        _ => None,
    })?;
    let number = |unit: char| duration.strip_prefix('P')?.strip_suffix(unit)?.parse::<u32>().ok();
    let after_months = number('M').map(|months| start + Months::new(months));
    let after_days = number('D').map(|days| start + Days::new(days.into()));
    Some(after_months.or(after_days).expect("a duration in months or days"))
}

/// What the airlines use, flight by flight.
fn usage() -> Vec<naive::Usage> {
    let mut usage = Vec::new();
    for flown in flights::by_day().expect("the flights").into_values().flatten() {
        let buyer = flown.account().expect("an account");
        let mut used = |product: &str, dimension: &str, quantity: String| {
            usage.push(naive::Usage {
                buyer: buyer.to_owned(),
                product: product.to_owned(),
                dimension: dimension.to_owned(),
                hour: flown.hour,
                quantity,
            });
        };
        for (dimension, quantity) in flown.analysed() {
            used(CONTRAIL, dimension, quantity);
        }
        for (dimension, count) in flown.instances() {
            used(GATEHOUSE, dimension, count.to_string());
        }
    }
    usage
}

fn seller_entity(document: &SandboxDocument, seller: &str) -> String {
    let account = document.accounts.iter().find(|account| account.account_id == seller);
    let profile = account.and_then(|account| account.seller.as_ref()).expect("a seller");
    let named = profile.invoicing_entity.clone();
    if named.is_empty() { "AWS Inc.".to_owned() } else { named }
}
