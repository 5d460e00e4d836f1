//! `invoices`: what was invoiced, with lines.

use souk_client::InvoiceFilter;

use super::Kind;
use crate::scenario::expected::Items;
use crate::scenario::shape::descriptor;
use crate::scenario::world::{Looking, World};
use crate::scenario::{actual, compare};

pub const INVOICE: &str = "souk.billing.v1.Invoice";

pub const KIND: Kind = Kind {
    key: "invoices",
    about: "The invoices so far, with their lines.",
    of: Some(INVOICE),
    asks: &[],
    look,
};

fn look<'a>(world: &'a mut World, items: &'a Items) -> Looking<'a> {
    Box::pin(async move {
        let descriptor = descriptor(INVOICE);
        let mut found = Vec::new();
        for invoice in world.client.all_invoices(&world.sandbox, &InvoiceFilter::default()).await? {
            if compare::takes(&items.only, &actual::of(&descriptor, &invoice), &world.names) {
                let whole = world.client.get_invoice(&world.sandbox, &invoice.invoice_id).await?;
                found.push(actual::of(&descriptor, &whole));
            }
        }
        Ok(found)
    })
}
