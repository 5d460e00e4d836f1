//! `refundPurchase`: a buyer gives back what was bought upfront.

use super::{AGREEMENT, Kind, agreement_id, check_agreement};
use crate::scenario::actual;
use crate::scenario::shape::{Args, Field, Named, Takes, descriptor, maybe};
use crate::scenario::world::{Playing, World};

const FIELDS: &[Field] = &[
    maybe("agreement", Takes::Named(Named::Agreement), "The live agreement, by its name or id."),
    maybe("buyer", Takes::Named(Named::Account), "Or whose live agreement it is."),
    maybe("product", Takes::Named(Named::Product), "And on which product."),
    maybe("purchase", Takes::Count, "The number of the purchase, where several last now."),
];

pub const KIND: Kind = Kind {
    key: "refundPurchase",
    about: "A buyer gives back, within 48 hours, what was bought upfront on a public offer.",
    takes: Takes::Fields(FIELDS),
    gives: Some(AGREEMENT),
    check: check_agreement,
    play,
};

fn play<'a>(world: &'a mut World, args: &'a Args) -> Playing<'a> {
    Box::pin(async move {
        let id = agreement_id(world, args).await?;
        let purchase = args.text("purchase").and_then(|number| number.parse().ok());
        let refunded = world.client.refund_purchase(&world.sandbox, &id, purchase).await?;
        Ok(Some(actual::of(&descriptor(AGREEMENT), &refunded.agreement)))
    })
}
