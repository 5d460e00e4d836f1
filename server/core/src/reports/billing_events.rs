//! The billing event feed: what was invoiced and paid out in the month, one row for each share, and one for each
//! disbursement.

use std::collections::BTreeMap;

use super::cells::{billing_address, invoice_number, transaction};
use super::{Asks, Report, ReportInput, Row};
use crate::ids::{AccountId, content_hash, letters};
use crate::invoicing::payment::Standing;
use crate::invoicing::{Invoice, ResaleRow, Revenue};
use crate::ledger::{Action, Entry, Holder, Posting, Share, disbursement, entries};
use crate::money::{Currency, Money};
use crate::rejection::Broken;
use crate::time::{BillingMonth, Timestamp};

/// The feed, without the columns of its history.
pub const BILLING_EVENTS: Report = Report {
    name: "billingeventfeed_v1",
    title: "Billing event feed",
    columns: &[
        "billing_event_id",
        "from_account_id",
        "to_account_id",
        "end_user_account_id",
        "product_id",
        "action",
        "transaction_type",
        "parent_billing_event_id",
        "disbursement_billing_event_id",
        "amount",
        "currency",
        "disbursement_amount",
        "disbursement_currency",
        "balance_impacting",
        "invoice_date",
        "payment_due_date",
        "usage_period_start_date",
        "usage_period_end_date",
        "invoice_id",
        "billing_address_id",
        "transaction_reference_id",
        "bank_trace_id",
        "broker_id",
        "buyer_transaction_reference_id",
        "action_date",
        "recipient_account_id",
        "offer_id",
        "buyer_invoice_date",
        "line_item_id",
        "buyer_line_item_id",
        "charge_variant",
        "charge_side",
    ],
    asks: Asks::InvoicesOfFeed,
    rows,
};

const AWS: &str = "AWS";

fn rows(input: &ReportInput<'_>) -> Result<Vec<Row>, Broken> {
    let mut rows = Vec::new();
    let mut paid_out: BTreeMap<Currency, Money> = BTreeMap::new();
    for standing in input.invoices {
        for entry in entries(standing).iter().filter(|e| BillingMonth::containing(e.at) == input.month) {
            // Collections are not in the feed of AWS Inc.
            if entry.action == Action::Collected {
                continue;
            }
            for posting in &entry.postings {
                let Some(event) = Event::of(standing, entry, posting, input) else { continue };
                if entry.action == Action::Disbursed {
                    let sum = paid_out
                        .entry(event.amount.currency())
                        .or_insert_with(|| Money::zero(event.amount.currency()));
                    *sum = sum.plus(event.amount.negated());
                }
                rows.push(event.row(input)?);
            }
        }
    }
    for (currency, amount) in paid_out {
        rows.push(disbursement_row(input, currency, amount));
    }
    Ok(rows)
}

/// One share of one row of revenue.
struct Event<'a> {
    invoice: &'a Invoice,
    revenue: &'a Revenue,
    position: usize,
    action: Action,
    at: Timestamp,
    share: Share,
    amount: Money,
}

impl<'a> Event<'a> {
    /// The event of a posting that the seller sees: what it gets or gives, and what AWS gets as tax of its sales.
    fn of(
        standing: &'a Standing,
        entry: &Entry,
        posting: &Posting,
        input: &ReportInput<'_>,
    ) -> Option<Event<'a>> {
        let (position, share) = (posting.revenue?, posting.share?);
        let revenue = standing.invoice.revenue.get(position)?;
        let seen = match posting.holder {
            Holder::Seller(seller) => seller == input.seller,
            Holder::Aws => !share.is_sellers() && revenue.seller == input.seller,
            Holder::Payer(_) | Holder::Bank => false,
        };
        seen.then_some(Event {
            invoice: &standing.invoice,
            revenue,
            position,
            action: entry.action,
            at: entry.at,
            share,
            amount: posting.amount,
        })
    }

    fn id(&self, action: Action) -> String {
        // The feed writes the wholesale as it writes revenue, and it has an id of its own.
        let share = match self.share {
            Share::Wholesale | Share::WholesaleRefund => format!("wholesale {}", self.share.as_str()),
            share => share.as_str().to_owned(),
        };
        event_id(&[self.invoice.id.as_str(), &self.position.to_string(), &share, word(action)])
    }

    fn row(&self, input: &ReportInput<'_>) -> Result<Row, Broken> {
        let Event { invoice, revenue, share, .. } = self;
        let seller = revenue.seller.to_string();
        // The manufacturer is paid by the reseller.
        let (payer, manufacturer) = match revenue.resale {
            Some(ResaleRow::Manufacturer { reseller, .. }) => (reseller.to_string(), String::new()),
            Some(ResaleRow::Reseller { manufacturer, .. }) => {
                (invoice.payer.to_string(), manufacturer.to_string())
            }
            None => (invoice.payer.to_string(), String::new()),
        };
        let (from, to) = match share {
            Share::Wholesale | Share::WholesaleRefund => (seller, manufacturer),
            Share::AwsRevenue | Share::AwsRevenueRefund => (seller, AWS.to_owned()),
            Share::AwsTax | Share::AwsTaxRefund => (payer, AWS.to_owned()),
            _ => (payer, seller),
        };
        let disbursed = self.action == Action::Disbursed;
        let only = |text: String| if disbursed { text } else { String::new() };
        let currency = invoice.currency;
        let lines = invoice.lines.iter().filter(|line| {
            (line.charge_type.of_row(), line.buyer, &line.product, &line.offer)
                == (revenue.charge_type, revenue.buyer, &revenue.product, &revenue.offer)
        });
        let (start, end) =
            lines.fold((None, None), |(start, end): (Option<Timestamp>, Option<Timestamp>), line| {
                (Some(start.map_or(line.start, |s| s.min(line.start))), end.max(Some(line.end)))
            });
        let payer = input.market.known_account(invoice.payer)?;
        Ok(vec![
            self.id(self.action),
            from,
            to,
            revenue.customer().to_string(),
            revenue.product.to_string(),
            word(self.action).to_owned(),
            share.as_str().to_owned(),
            only(self.id(Action::Invoiced)),
            only(disbursement_id(input, currency)),
            self.amount.to_string(),
            currency.to_string(),
            only(self.amount.to_string()),
            only(currency.to_string()),
            u8::from(share.is_sellers()).to_string(),
            invoice.issued_at.to_string(),
            invoice.due_at.map(|due| due.to_string()).unwrap_or_default(),
            start.map(|start| start.to_string()).unwrap_or_default(),
            // Periods of feeds include their last second.
            end.map(|end| end.last_second().to_string()).unwrap_or_default(),
            invoice_number(invoice, revenue),
            billing_address(payer, revenue),
            transaction(invoice, revenue),
            String::new(),
            String::new(),
            String::new(),
            self.at.to_string(),
            input.seller.to_string(),
            revenue.offer.to_string(),
            invoice.issued_at.to_string(),
            String::new(),
            String::new(),
            String::new(),
            String::new(),
        ])
    }
}

/// What was paid out in a currency. Its amount is the seller's, so it is not turned around.
fn disbursement_row(input: &ReportInput<'_>, currency: Currency, amount: Money) -> Row {
    let at = disbursement::of_month(input.month).to_string();
    let mut row = vec![String::new(); BILLING_EVENTS.columns.len()];
    let id = disbursement_id(input, currency);
    let trace = bank_trace(&id);
    for (column, text) in [
        ("billing_event_id", id),
        ("from_account_id", AWS.to_owned()),
        ("to_account_id", input.seller.to_string()),
        ("action", word(Action::Disbursed).to_owned()),
        ("transaction_type", "DISBURSEMENT".to_owned()),
        ("amount", amount.to_string()),
        ("currency", currency.to_string()),
        ("disbursement_amount", amount.to_string()),
        ("disbursement_currency", currency.to_string()),
        ("balance_impacting", "1".to_owned()),
        ("bank_trace_id", trace),
        ("action_date", at),
        ("recipient_account_id", input.seller.to_string()),
    ] {
        let cell =
            BILLING_EVENTS.columns.iter().position(|name| *name == column).and_then(|i| row.get_mut(i));
        if let Some(cell) = cell {
            *cell = text;
        }
    }
    row
}

fn disbursement_id(input: &ReportInput<'_>, currency: Currency) -> String {
    disbursement_of(input.seller, input.month, currency)
}

/// The event of what a seller was paid out in a month.
pub(super) fn disbursement_of(seller: AccountId, month: BillingMonth, currency: Currency) -> String {
    event_id(&["disbursement", &seller.to_string(), &month.to_string(), currency.code()])
}

/// How the bank names a disbursement.
pub(super) fn bank_trace(disbursement: &str) -> String {
    letters(content_hash("bank trace", &[disbursement]), 22)
}

/// Forty letters and digits.
fn event_id(parts: &[&str]) -> String {
    ["billing event", "billing event, continued"].map(|kind| letters(content_hash(kind, parts), 20)).concat()
}

fn word(action: Action) -> &'static str {
    match action {
        Action::Invoiced => "INVOICED",
        Action::Collected => "COLLECTED",
        Action::Disbursed => "DISBURSED",
    }
}

#[cfg(test)]
mod tests;
