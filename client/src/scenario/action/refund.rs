//! `refund`: a seller gives something back of an invoice.

use souk_client::InvoiceFilter;
use souk_proto::billing::v1::{Adjustment, AdjustmentReason, Invoice};

use super::Kind;
use crate::cli::output::word;
use crate::scenario::actual;
use crate::scenario::expectation::INVOICE;
use crate::scenario::reading::Reading;
use crate::scenario::shape::{Args, Field, Named, Takes, descriptor, maybe, needed};
use crate::scenario::world::{Playing, Stop, World};

/// Kinds of invoices that something can be given back of, and the one that cannot.
const KINDS: &[&str] = &["USAGE", "UPFRONT", "INSTALMENT", "CREDIT_MEMO"];

const REASONS: &[&str] = &[
    "INCORRECT_TERMS_ACCEPTED",
    "INCORRECT_METERING",
    "TEST_ENVIRONMENT_CHARGES",
    "ALTERNATIVE_PROCUREMENT_CHANNEL",
    "UNINTENDED_RENEWAL",
    "BUYER_DISSATISFACTION",
    "OTHER",
];

const FIELDS: &[Field] = &[
    maybe("invoice", Takes::Text, "The invoice by its id."),
    maybe("agreement", Takes::Named(Named::Agreement), "The agreement whose charges are given back."),
    maybe("kind", Takes::Word(KINDS), "Of the agreement's invoices the one of this kind."),
    maybe("month", Takes::Month, "And of this month."),
    needed("amount", Takes::Decimal, "How much, before taxes, in the invoice's currency."),
    maybe("currency", Takes::Text, "Another currency than the invoice's, which is refused."),
    maybe("reason", Takes::Word(REASONS), "Why; OTHER when absent."),
    maybe("description", Takes::Text, "Longer words."),
    maybe("token", Takes::Text, "What the refund is called: said again, it is made once."),
];

pub const KIND: Kind = Kind {
    key: "refund",
    about: "A seller gives something back of an invoice; a credit memo says so.",
    takes: Takes::Fields(FIELDS),
    gives: Some(INVOICE),
    check,
    play,
};

fn check(reading: &mut Reading, args: &Args) {
    if !args.has("invoice") && !args.has("agreement") {
        let remedy = "say `invoice:`, or `agreement:` and where needed `kind:` and `month:`";
        reading.error(args.position, "it is not said of which invoice".to_owned(), remedy);
    }
}

fn play<'a>(world: &'a mut World, args: &'a Args) -> Playing<'a> {
    Box::pin(async move {
        let agreement = args.text("agreement").map(|text| world.agreement_id(text));
        let (original_invoice_id, currency, of) = match args.text("invoice") {
            Some(id) => {
                // What is no invoice is refused by the server, in its words.
                let invoice = match world.client.get_invoice(&world.sandbox, id).await {
                    Ok(invoice) => invoice,
                    Err(error) if error.refusal().is_some() => Invoice::default(),
                    Err(error) => return Err(error.into()),
                };
                (id.to_owned(), invoice.currency_code.clone(), only_agreement(&invoice))
            }
            None => {
                let found = invoice_of(world, args, agreement.as_deref().unwrap_or_default()).await?;
                (found.invoice_id, found.currency_code, None)
            }
        };
        let Some(agreement_id) = agreement.or(of) else {
            return Err(Stop::Wrong {
                position: args.position("invoice"),
                problem: "the invoice charges several agreements, or none".to_owned(),
                remedy: "say which with `agreement:`".to_owned(),
            });
        };
        let position = args.position;
        let token = args.text("token").map(str::to_owned);
        let reason = args.text("reason").unwrap_or("OTHER");
        let reason = AdjustmentReason::from_str_name(&format!("ADJUSTMENT_REASON_{reason}"));
        let adjustment = Adjustment {
            original_invoice_id,
            agreement_id,
            adjustment_amount: args.text("amount").unwrap_or_default().to_owned(),
            currency_code: args.text("currency").map_or(currency, str::to_owned),
            adjustment_reason_code: reason.unwrap_or(AdjustmentReason::Other).into(),
            description: args.text("description").unwrap_or_default().to_owned(),
            // A step without a name is a refund of its own.
            client_token: token.unwrap_or_else(|| format!("step-{}-{}", position.line, position.column)),
        };
        let memos = world.client.adjust_invoices(&world.sandbox, vec![adjustment]).await?;
        Ok(memos.first().map(|memo| actual::of(&descriptor(INVOICE), memo)))
    })
}

/// The one agreement that an invoice charges.
fn only_agreement(invoice: &Invoice) -> Option<String> {
    let mut ids = invoice.lines.iter().map(|line| &line.agreement_id);
    let first = ids.next()?;
    ids.all(|id| id == first).then(|| first.clone())
}

/// The invoice that charges an agreement, of the kind and month that the step names.
async fn invoice_of(world: &World, args: &Args, agreement: &str) -> Result<Invoice, Stop> {
    let filter = InvoiceFilter {
        billing_period: args.text("month").unwrap_or_default().to_owned(),
        ..InvoiceFilter::default()
    };
    let mut found = Vec::new();
    for listed in world.client.all_invoices(&world.sandbox, &filter).await? {
        let kind = word(listed.kind().as_str_name(), "INVOICE_KIND_").to_uppercase();
        // Credit memos are meant only when they are named.
        if args.text("kind").map_or(kind != "CREDIT_MEMO", |wanted| wanted == kind) {
            let whole = world.client.get_invoice(&world.sandbox, &listed.invoice_id).await?;
            if whole.lines.iter().any(|line| line.agreement_id == agreement) {
                found.push(whole);
            }
        }
    }
    match <[Invoice; 1]>::try_from(found) {
        Ok([only]) => Ok(only),
        Err(several) => Err(Stop::Wrong {
            position: args.position("agreement"),
            problem: format!("{} such invoices charge the agreement", several.len()),
            remedy: "say which with `kind:` and `month:`, or by its id with `invoice:`".to_owned(),
        }),
    }
}
