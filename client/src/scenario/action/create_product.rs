//! `createProduct`: a seller publishes a product.

use souk_proto::catalog::v1::Product;

use super::Kind;
use crate::scenario::actual;
use crate::scenario::reading::Reading;
use crate::scenario::shape::{Args, Named, Takes, descriptor};
use crate::scenario::world::{Playing, World};

const PRODUCT: &str = "souk.catalog.v1.Product";

pub const KIND: Kind = Kind {
    key: "createProduct",
    about: "A seller publishes a product, written as in a sandbox document; the seller's name is read, too.",
    takes: Takes::Message(PRODUCT),
    gives: Some(PRODUCT),
    check,
    play,
};

fn product_of(args: &Args) -> Product {
    args.message("message").and_then(|(message, _)| message.transcode_to().ok()).unwrap_or_default()
}

fn check(reading: &mut Reading, args: &Args) {
    let product = product_of(args);
    reading.know_product(&product, &format!("line {}", args.position.line));
    let Some((_, positions)) = args.message("message") else { return };
    if !product.seller_account_id.is_empty() {
        reading.check_name(positions.find("sellerAccountId"), Named::Account, &product.seller_account_id);
    }
}

fn play<'a>(world: &'a mut World, args: &'a Args) -> Playing<'a> {
    Box::pin(async move {
        let mut product = product_of(args);
        product.seller_account_id = world.names.account(&product.seller_account_id);
        let published = world.client.create_product(&world.sandbox, product).await?;
        world.names.refresh(&world.client, &world.sandbox).await?;
        Ok(Some(actual::of(&descriptor(PRODUCT), &published)))
    })
}
