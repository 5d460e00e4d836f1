//! `amend`: a buyer changes the quantities of what was bought upfront.

use super::{AGREEMENT, Kind, agreement_id, check_agreement};
use crate::scenario::actual;
use crate::scenario::shape::{Args, Field, Named, Takes, descriptor, maybe, needed};
use crate::scenario::world::{Playing, World};

const FIELDS: &[Field] = &[
    maybe("agreement", Takes::Named(Named::Agreement), "The live agreement, by its name or id."),
    maybe("buyer", Takes::Named(Named::Account), "Or whose live agreement it is."),
    maybe("product", Takes::Named(Named::Product), "And on which product."),
    maybe("purchase", Takes::Count, "The number of the purchase, where several last now."),
    needed(
        "quantities",
        Takes::Counts,
        "How many units of which dimension from now on; 0 takes one out, what is not named stays.",
    ),
];

pub const KIND: Kind = Kind {
    key: "amend",
    about: "A buyer changes the quantities of what was bought upfront; the days that are left are charged.",
    takes: Takes::Fields(FIELDS),
    gives: Some(AGREEMENT),
    check: check_agreement,
    play,
};

fn play<'a>(world: &'a mut World, args: &'a Args) -> Playing<'a> {
    Box::pin(async move {
        let id = agreement_id(world, args).await?;
        let purchase = args.text("purchase").and_then(|number| number.parse().ok());
        let quantities = args.counts("quantities");
        let amended = world.client.amend_agreement(&world.sandbox, &id, purchase, quantities).await?;
        Ok(Some(actual::of(&descriptor(AGREEMENT), &amended.agreement)))
    })
}
