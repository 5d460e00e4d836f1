//! `addDimensions`: a seller adds dimensions to a product, with their prices in every offer that prices usage.

use souk_proto::catalog::v1::OfferRates;

use super::Kind;
use crate::scenario::actual;
use crate::scenario::shape::{Args, Field, Named, Takes, descriptor, maybe, needed};
use crate::scenario::world::{Playing, World};

const PRODUCT: &str = "souk.catalog.v1.Product";

const RATES: &[Field] = &[
    needed(
        "offer",
        Takes::Named(Named::Offer),
        "The offer: its id or name, or the product whose public offer it is.",
    ),
    needed("rateCard", Takes::Prices, "The prices of the new dimensions."),
];

const FIELDS: &[Field] = &[
    needed("product", Takes::Named(Named::Product), "The product."),
    needed(
        "dimensions",
        Takes::Many(&Takes::Message("souk.catalog.v1.Dimension")),
        "The new dimensions, written as in a sandbox document.",
    ),
    maybe(
        "prices",
        Takes::Many(&Takes::Fields(RATES)),
        "Their usage prices in every offer of the product that prices usage.",
    ),
];

pub const KIND: Kind = Kind {
    key: "addDimensions",
    about: "A seller adds dimensions to a product.",
    takes: Takes::Fields(FIELDS),
    gives: Some(PRODUCT),
    check: |_, _| {},
    play,
};

fn play<'a>(world: &'a mut World, args: &'a Args) -> Playing<'a> {
    Box::pin(async move {
        let product = world.product_id(args.text("product").unwrap_or_default());
        let dimensions = args.messages("dimensions").into_iter();
        let dimensions = dimensions.filter_map(|message| message.transcode_to().ok()).collect();
        let rates = |rates: &Args| OfferRates {
            offer_id: world.names.offer(rates.text("offer").unwrap_or_default()),
            rate_card: rates.prices("rateCard"),
        };
        let prices = args.list("prices").into_iter().map(rates).collect();
        let grown = world.client.add_dimensions(&world.sandbox, &product, dimensions, prices).await?;
        world.names.refresh(&world.client, &world.sandbox).await?;
        Ok(Some(actual::of(&descriptor(PRODUCT), &grown)))
    })
}
