//! `changePrices`: a seller changes prices of a public offer.

use souk_proto::terms::v1::UpfrontRateCard;

use super::Kind;
use crate::scenario::actual;
use crate::scenario::reading::Reading;
use crate::scenario::shape::{Args, Field, Named, Takes, descriptor, maybe, needed};
use crate::scenario::world::{Playing, World};

const PRICE_CHANGE: &str = "souk.catalog.v1.PriceChange";

const CARD: &[Field] = &[
    needed("duration", Takes::Text, "For how long, such as P12M."),
    needed("prices", Takes::Prices, "The price of one unit by dimension."),
];

const FIELDS: &[Field] = &[
    needed(
        "offer",
        Takes::Named(Named::Offer),
        "The offer: its id or name, or the product whose public offer it is.",
    ),
    maybe("rateCard", Takes::Prices, "The usage prices that change, by dimension."),
    maybe("rateCards", Takes::Many(&Takes::Fields(CARD)), "The upfront prices that change, by duration."),
];

pub const KIND: Kind = Kind {
    key: "changePrices",
    about: "A seller changes prices of a public offer.",
    takes: Takes::Fields(FIELDS),
    gives: Some(PRICE_CHANGE),
    check,
    play,
};

fn check(reading: &mut Reading, args: &Args) {
    if !args.has("rateCard") && !args.has("rateCards") {
        let remedy = "say `rateCard:` for usage, `rateCards:` for what is paid upfront";
        reading.error(args.position, "no price changes".to_owned(), remedy);
    }
}

fn play<'a>(world: &'a mut World, args: &'a Args) -> Playing<'a> {
    Box::pin(async move {
        let offer = world.names.offer(args.text("offer").unwrap_or_default());
        let card = |card: &Args| UpfrontRateCard {
            duration: card.text("duration").unwrap_or_default().to_owned(),
            prices: card.prices("prices"),
        };
        let cards = args.list("rateCards").into_iter().map(card).collect();
        let changed =
            world.client.change_prices(&world.sandbox, &offer, args.prices("rateCard"), cards).await?;
        Ok(Some(actual::of(&descriptor(PRICE_CHANGE), &changed)))
    })
}
