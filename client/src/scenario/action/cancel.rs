//! `cancel`: a buyer ends an agreement.

use super::{AGREEMENT, Kind, agreement_id, check_agreement};
use crate::scenario::actual;
use crate::scenario::shape::{Args, Field, Named, Takes, descriptor, maybe};
use crate::scenario::world::{Playing, World};

const FIELDS: &[Field] = &[
    maybe("agreement", Takes::Named(Named::Agreement), "The live agreement, by its name or id."),
    maybe("buyer", Takes::Named(Named::Account), "Or whose live agreement it is."),
    maybe("product", Takes::Named(Named::Product), "And on which product."),
];

pub const KIND: Kind = Kind {
    key: "cancel",
    about: "A buyer ends an agreement.",
    takes: Takes::Fields(FIELDS),
    gives: Some(AGREEMENT),
    check: check_agreement,
    play,
};

fn play<'a>(world: &'a mut World, args: &'a Args) -> Playing<'a> {
    Box::pin(async move {
        let id = agreement_id(world, args).await?;
        let ended = world.client.cancel_agreement(&world.sandbox, &id).await?;
        Ok(Some(actual::of(&descriptor(AGREEMENT), &ended)))
    })
}
