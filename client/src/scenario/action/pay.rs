//! `pay`: a payer by invoice pays.

use souk_client::InvoiceFilter;
use souk_proto::billing::v1::{Invoice, InvoiceKind};

use super::Kind;
use crate::scenario::actual;
use crate::scenario::expectation::invoices::INVOICE;
use crate::scenario::reading::Reading;
use crate::scenario::shape::{Args, Field, Named, Takes, descriptor, maybe};
use crate::scenario::world::{Playing, Stop, World};

const FIELDS: &[Field] = &[
    maybe("invoice", Takes::Text, "The invoice, by its id."),
    maybe("payer", Takes::Named(Named::Account), "Or whose: the oldest that it has not paid."),
    maybe("month", Takes::Month, "And of which month."),
];

pub const KIND: Kind = Kind {
    key: "pay",
    about: "A payer by invoice pays an invoice, whole.",
    takes: Takes::Fields(FIELDS),
    gives: Some(INVOICE),
    check,
    play,
};

fn check(reading: &mut Reading, args: &Args) {
    if args.has("invoice") == args.has("payer") {
        let remedy = "say `invoice:`, or `payer:`, with or without `month:`";
        reading.error(args.position, "it is not said which invoice".to_owned(), remedy);
    }
}

fn play<'a>(world: &'a mut World, args: &'a Args) -> Playing<'a> {
    Box::pin(async move {
        let id = match args.text("invoice") {
            Some(id) => id.to_owned(),
            None => unpaid(world, args).await?,
        };
        let paid = world.client.pay_invoice(&world.sandbox, &id).await?;
        Ok(Some(actual::of(&descriptor(INVOICE), &paid)))
    })
}

/// The oldest invoice that is not paid; of those that are, the last, so that the server says why it refuses.
async fn unpaid(world: &World, args: &Args) -> Result<String, Stop> {
    let filter = InvoiceFilter {
        payer_account_id: world.names.account(args.text("payer").unwrap_or_default()),
        billing_period: args.text("month").unwrap_or_default().to_owned(),
    };
    let mut all = world.client.all_invoices(&world.sandbox, &filter).await?;
    all.retain(|invoice| invoice.kind() != InvoiceKind::CreditMemo);
    let open = all.iter().find(|invoice: &&Invoice| invoice.collected_time.is_none());
    open.or_else(|| all.last()).map(|invoice| invoice.invoice_id.clone()).ok_or_else(|| Stop::Wrong {
        position: args.position("payer"),
        problem: "the payer has no invoice".to_owned(),
        remedy: "pay after it was issued".to_owned(),
    })
}
