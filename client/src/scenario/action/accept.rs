//! `accept`: a buyer accepts an offer.

use super::{AGREEMENT, Kind, configuration};
use crate::scenario::actual;
use crate::scenario::reading::Reading;
use crate::scenario::shape::{Args, Field, Named, Takes, descriptor, maybe, needed};
use crate::scenario::world::{Playing, World};

const FIELDS: &[Field] = &[
    needed(
        "offer",
        Takes::Named(Named::Offer),
        "The offer: its id or name, or the product whose public offer it is.",
    ),
    needed("buyer", Takes::Named(Named::Account), "The account that accepts."),
    maybe("duration", Takes::Text, "What is bought upfront: for how long, such as P12M."),
    maybe("quantities", Takes::Counts, "What is bought upfront: how many units of each dimension."),
    maybe("autoRenew", Takes::Flag, "Whether what is bought renews itself."),
    maybe("as", Takes::NewName, "The name of the agreement in later steps."),
];

pub const KIND: Kind = Kind {
    key: "accept",
    about: "A buyer accepts an offer.",
    takes: Takes::Fields(FIELDS),
    gives: Some(AGREEMENT),
    check,
    play,
};

fn check(reading: &mut Reading, args: &Args) {
    if let Some(name) = args.text("as") {
        reading.know(Named::Agreement, name, &format!("line {}", args.position.line));
    }
}

fn play<'a>(world: &'a mut World, args: &'a Args) -> Playing<'a> {
    Box::pin(async move {
        let offer = world.names.offer(args.text("offer").unwrap_or_default());
        let buyer = world.names.account(args.text("buyer").unwrap_or_default());
        let chosen = configuration(args, "");
        let accepted = world.client.accept_offer(&world.sandbox, &offer, &buyer, chosen).await?;
        let answer = actual::of(&descriptor(AGREEMENT), &accepted.agreement);
        if let Some(name) = args.text("as") {
            world.names.name_agreement(name, accepted.agreement);
        }
        Ok(Some(answer))
    })
}
