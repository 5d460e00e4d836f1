//! `addDimensions`: a seller adds dimensions to a product, with their prices in every offer that prices usage.

use souk_proto::catalog::v1::AddDimensionsRequest;

use super::Kind;
use crate::scenario::actual;
use crate::scenario::reading::Reading;
use crate::scenario::shape::{Args, Named, Takes, descriptor};
use crate::scenario::world::{Playing, World};

const REQUEST: &str = "souk.catalog.v1.AddDimensionsRequest";
const PRODUCT: &str = "souk.catalog.v1.Product";

pub const KIND: Kind = Kind {
    key: "addDimensions",
    about: "A seller adds dimensions to a product; names of products and offers are read, too, and `sandbox` stays out.",
    takes: Takes::Message(REQUEST),
    gives: Some(PRODUCT),
    check,
    play,
};

fn request_of(args: &Args) -> AddDimensionsRequest {
    args.message("message").and_then(|(message, _)| message.transcode_to().ok()).unwrap_or_default()
}

fn check(reading: &mut Reading, args: &Args) {
    let request = request_of(args);
    let Some((_, positions)) = args.message("message") else { return };
    if !request.sandbox.is_empty() {
        let remedy = "leave it out: a scenario has one sandbox";
        reading.error(positions.find("sandbox"), "the sandbox is not said here".to_owned(), remedy);
    }
    reading.check_name(positions.find("productId"), Named::Product, &request.product_id);
    for (index, rates) in request.prices.iter().enumerate() {
        reading.check_name(
            positions.find(&format!("prices[{index}].offerId")),
            Named::Offer,
            &rates.offer_id,
        );
    }
}

fn play<'a>(world: &'a mut World, args: &'a Args) -> Playing<'a> {
    Box::pin(async move {
        let AddDimensionsRequest { product_id, dimensions, mut prices, .. } = request_of(args);
        for rates in &mut prices {
            rates.offer_id = world.names.offer(&rates.offer_id);
        }
        let product = world.product_id(&product_id);
        let grown = world.client.add_dimensions(&world.sandbox, &product, dimensions, prices).await?;
        world.names.refresh(&world.client, &world.sandbox).await?;
        Ok(Some(actual::of(&descriptor(PRODUCT), &grown)))
    })
}
