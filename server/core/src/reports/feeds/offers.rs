//! The feeds of offers: what they are, of which products, and whom they target. Each change of prices is a revision, which
//! takes the place of the one before.

use super::super::{Asks, Report, ReportInput, Row};
use super::record::Record;
use crate::catalog::Offer;
use crate::ids::opaque;
use crate::rejection::Broken;
use crate::time::Timestamp;

/// What they are.
pub const OFFERS: Report = Report {
    name: "offerfeed_v1",
    title: "Offer feed",
    columns: &[
        "valid_from",
        "insert_date",
        "update_date",
        "delete_date",
        "offer_id",
        "offer_revision",
        "name",
        "expiration_date",
        "opportunity_name",
        "opportunity_description",
        "seller_account_id",
        "opportunity_id",
    ],
    asks: Asks::PublishedFeed,
    rows: offers,
};

/// Of which products.
pub const OFFER_PRODUCTS: Report = Report {
    name: "offerproductfeed_v1",
    title: "Offer product feed",
    columns: &[
        "valid_from",
        "insert_date",
        "update_date",
        "delete_date",
        "offer_id",
        "offer_revision",
        "product_id",
    ],
    asks: Asks::PublishedFeed,
    rows: offer_products,
};

/// Whom they target; of an offer for everybody there is nothing.
pub const OFFER_TARGETS: Report = Report {
    name: "offertargetfeed_v1",
    title: "Offer target feed",
    columns: &[
        "valid_from",
        "insert_date",
        "update_date",
        "delete_date",
        "offer_target_id",
        "offer_id",
        "offer_revision",
        "target_type",
        "polarity",
        "value",
    ],
    asks: Asks::PublishedFeed,
    rows: offer_targets,
};

fn offers(input: &ReportInput<'_>) -> Result<Vec<Row>, Broken> {
    let mut records = Vec::new();
    for (offer, number, at) in revisions(input)? {
        // Ends of periods are told with their last second.
        let expires = offer.expires_at().map(|end| end.last_second().to_string());
        let cells = vec![
            offer.id.to_string(),
            number.to_string(),
            offer.name.clone(),
            expires.unwrap_or_default(),
            String::new(),
            String::new(),
            input.seller.to_string(),
            String::new(),
        ];
        records.push(Record::written(offer.id.to_string(), at, cells));
    }
    Ok(super::rows(input, records))
}

fn offer_products(input: &ReportInput<'_>) -> Result<Vec<Row>, Broken> {
    let record = |(offer, number, at): (&Offer, u32, Timestamp)| {
        let cells = [offer.id.to_string(), number.to_string(), offer.product.to_string()];
        Record::written(offer.id.to_string(), at, cells.into())
    };
    Ok(super::rows(input, revisions(input)?.into_iter().map(record).collect()))
}

fn offer_targets(input: &ReportInput<'_>) -> Result<Vec<Row>, Broken> {
    let mut records = Vec::new();
    for (offer, number, at) in revisions(input)? {
        for (target_type, value) in targets(offer) {
            let id = opaque("offer target", &[offer.id.as_str(), target_type, &value]);
            let cells = vec![
                id.clone(),
                offer.id.to_string(),
                number.to_string(),
                target_type.to_owned(),
                "PositiveTargeting".to_owned(),
                value,
            ];
            records.push(Record::written(id, at, cells));
        }
    }
    Ok(super::rows(input, records))
}

fn targets(offer: &Offer) -> Vec<(&'static str, String)> {
    let targeting = &offer.targeting;
    let buyers = targeting.buyer_accounts.iter().map(|buyer| ("BuyerAccounts", buyer.to_string()));
    let programs = targeting.program.iter().map(|program| ("ParticipatingPrograms", program.clone()));
    let countries = targeting.country_codes.iter().map(|country| ("CountryCodes", country.clone()));
    buyers.chain(programs).chain(countries).collect()
}

/// The revisions of the seller's offers, which are those that it is the seller of record of (J1), with their numbers from 1, and when they were made.
fn revisions<'a>(input: &ReportInput<'a>) -> Result<Vec<(&'a Offer, u32, Timestamp)>, Broken> {
    let mut all = Vec::new();
    for offer in input.market.offers().values() {
        if offer.seller(input.market.known_product(&offer.product)?) != input.seller {
            continue;
        }
        let made = made_at(input, offer).into_iter();
        all.extend((1..).zip(made).map(|(number, at)| (offer, number, at)));
    }
    Ok(all)
}

/// The revision of an offer at a moment.
pub fn revision_at(input: &ReportInput<'_>, offer: &Offer, moment: Timestamp) -> usize {
    made_at(input, offer).into_iter().filter(|at| *at <= moment).count().max(1)
}

/// When its revisions were made, in order.
fn made_at(input: &ReportInput<'_>, offer: &Offer) -> Vec<Timestamp> {
    let changed = offer.price_changes.iter().map(|change| change.notice);
    let grown = input.history.grown_at(&offer.id).iter().copied();
    let mut all: Vec<_> = std::iter::once(offer.released_at).chain(changed).chain(grown).collect();
    all.sort_unstable();
    all
}
