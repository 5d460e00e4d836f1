//! `preview`: the usage invoices of an open month as they stand.

use super::Kind;
use super::invoices::INVOICE;
use crate::scenario::actual;
use crate::scenario::expected::Items;
use crate::scenario::shape::{Field, Named, Takes, descriptor, maybe, needed};
use crate::scenario::world::{Looking, World};

const ASKS: &[Field] = &[
    needed("payer", Takes::Named(Named::Account), "The payer."),
    maybe("month", Takes::Month, "An open month; that of the step when absent."),
];

pub const KIND: Kind = Kind {
    key: "preview",
    about: "The invoices that a payer would get if the month closed with no further usage.",
    of: Some(INVOICE),
    asks: ASKS,
    look,
};

fn look<'a>(world: &'a mut World, items: &'a Items) -> Looking<'a> {
    Box::pin(async move {
        let payer = world.names.account(items.asks.text("payer").unwrap_or_default());
        let month = items.asks.text("month");
        let invoices = world.client.preview_invoices(&world.sandbox, &payer, month).await?;
        Ok(actual::of_all(&descriptor(INVOICE), &invoices))
    })
}
