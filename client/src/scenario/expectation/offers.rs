//! `offers`: the offers that an account may see.

use souk_client::OfferFilter;

use super::Kind;
use crate::scenario::actual;
use crate::scenario::expected::Items;
use crate::scenario::shape::{Field, Named, Takes, descriptor, maybe};
use crate::scenario::world::{Looking, World};

const OFFER: &str = "souk.catalog.v1.Offer";

const ASKS: &[Field] =
    &[maybe("seenBy", Takes::Named(Named::Account), "The account that looks; all offers when absent.")];

pub const KIND: Kind = Kind {
    key: "offers",
    about: "The offers, all of them or those that an account may see.",
    of: Some(OFFER),
    asks: ASKS,
    look,
};

fn look<'a>(world: &'a mut World, items: &'a Items) -> Looking<'a> {
    Box::pin(async move {
        let account_id = items.asks.text("seenBy").map(|text| world.names.account(text)).unwrap_or_default();
        let filter = OfferFilter { account_id, ..OfferFilter::default() };
        let offers = world.client.all_offers(&world.sandbox, &filter).await?;
        Ok(actual::of_all(&descriptor(OFFER), &offers))
    })
}
