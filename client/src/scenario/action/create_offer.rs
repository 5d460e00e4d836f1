//! `createOffer`: a seller releases an offer.

use souk_proto::catalog::v1::Offer;

use super::Kind;
use crate::scenario::actual;
use crate::scenario::reading::Reading;
use crate::scenario::shape::{Args, Named, Takes, descriptor};
use crate::scenario::world::{Playing, World};

const OFFER: &str = "souk.catalog.v1.Offer";

pub const KIND: Kind = Kind {
    key: "createOffer",
    about: "A seller releases an offer, written as in a sandbox document; names of products and accounts are read, too.",
    takes: Takes::Message(OFFER),
    gives: Some(OFFER),
    check,
    play,
};

fn offer_of(args: &Args) -> Offer {
    args.message("message").and_then(|(message, _)| message.transcode_to().ok()).unwrap_or_default()
}

fn check(reading: &mut Reading, args: &Args) {
    let offer = offer_of(args);
    let id = format!("line {}", args.position.line);
    reading.know(Named::Offer, &offer.name, &id);
    reading.know(Named::Offer, &offer.offer_id, &id);
    let Some((_, positions)) = args.message("message") else { return };
    if !offer.product_id.is_empty() {
        reading.check_name(positions.find("productId"), Named::Product, &offer.product_id);
    }
    if !offer.resale_authorization_id.is_empty() {
        let position = positions.find("resaleAuthorizationId");
        reading.check_name(position, Named::ResaleAuthorization, &offer.resale_authorization_id);
    }
    for (index, buyer) in offer.buyer_account_ids.iter().enumerate() {
        reading.check_name(positions.find(&format!("buyerAccountIds[{index}]")), Named::Account, buyer);
    }
}

fn play<'a>(world: &'a mut World, args: &'a Args) -> Playing<'a> {
    Box::pin(async move {
        let mut offer = offer_of(args);
        offer.product_id = world.product_id(&offer.product_id);
        offer.resale_authorization_id = world.names.resale_authorization(&offer.resale_authorization_id);
        for buyer in &mut offer.buyer_account_ids {
            *buyer = world.names.account(buyer);
        }
        let released = world.client.create_offer(&world.sandbox, offer).await?;
        world.names.refresh(&world.client, &world.sandbox).await?;
        Ok(Some(actual::of(&descriptor(OFFER), &released)))
    })
}
