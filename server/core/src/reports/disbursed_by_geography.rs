//! The disbursement report, section 2: what was paid out in the month, by where the subscribers are. One row for each
//! currency and place.

use std::collections::BTreeMap;

use super::billing_events::disbursement_of;
use super::cells::place;
use super::{Asks, Report, ReportInput, Row};
use crate::ledger::{Action, Holder, Share, disbursement, entries};
use crate::money::{Currency, Money};
use crate::rejection::Broken;
use crate::time::BillingMonth;
use crate::time::timestamp::report_date;

/// Section 2.
pub const BY_GEOGRAPHY: Report = Report {
    name: "disbursed_amount_by_customer_geo",
    title: "Disbursement, section 2: Disbursed amount by customer geography",
    columns: &[
        "Settlement ID",
        "Settlement Period Start Date",
        "Settlement Period End Date",
        "Deposit Date",
        "Disbursed Amount",
        "Country Code",
        "State or Region",
        "City",
        "Postal Code",
        "Net Amount by Tax Location",
        "Gross Amount by Tax Location",
        "Seller U.S. Sales Tax",
        "Seller U.S. Sales Tax Refund",
    ],
    asks: Asks::InvoicesDisbursedIn,
    rows,
};

type Shares = BTreeMap<Share, Money>;

/// The disbursed amount is that of the whole settlement, with the seller's taxes; net is after the fee and gross before.
fn rows(input: &ReportInput<'_>) -> Result<Vec<Row>, Broken> {
    let mut settlements: BTreeMap<Currency, BTreeMap<[String; 4], Shares>> = BTreeMap::new();
    for standing in input.invoices {
        let invoice = &standing.invoice;
        let disbursed = entries(standing).into_iter().filter(|entry| entry.action == Action::Disbursed);
        for posting in disbursed.flat_map(|entry| entry.postings) {
            let revenue = posting.revenue.and_then(|row| invoice.revenue.get(row));
            let (Some(revenue), Some(share)) = (revenue, posting.share) else { continue };
            if posting.holder != Holder::Seller(input.seller) {
                continue;
            }
            let place = place(input.market.known_account(revenue.customer())?);
            let shares = settlements.entry(invoice.currency).or_default().entry(place).or_default();
            let sum = shares.entry(share).or_insert_with(|| Money::zero(invoice.currency));
            *sum = sum.plus(posting.amount.negated());
        }
    }
    let mut rows = Vec::new();
    for (currency, places) in settlements {
        let zero = Money::zero(currency);
        let disbursed = places.values().flat_map(BTreeMap::values).copied().fold(zero, Money::plus);
        let settlement = [
            disbursement_of(input.seller, input.month, currency),
            report_date(began(input.month)),
            report_date(disbursement::of_month(input.month).plus_micros(-1)),
            report_date(disbursement::of_month(input.month)),
            disbursed.to_string(),
        ];
        for (place, shares) in places {
            let share = |share: &Share| shares.get(share).copied().unwrap_or(zero);
            // What a reseller owes lowers its revenue (J1).
            let parts =
                [Share::SellerRevenue, Share::SellerRevenueRefund, Share::Wholesale, Share::WholesaleRefund];
            let gross = parts.iter().map(share).fold(zero, Money::plus);
            let taxes = [Share::SellerTax, Share::SellerTaxRefund].map(|tax| share(&tax));
            let all = shares.values().copied().fold(zero, Money::plus);
            let net = taxes.into_iter().map(Money::negated).fold(all, Money::plus);
            let mut row = settlement.to_vec();
            row.extend(place);
            row.extend([net, gross, taxes[0], taxes[1]].map(|amount| amount.to_string()));
            rows.push(row);
        }
    }
    Ok(rows)
}

/// Since the disbursement of the month before.
fn began(month: BillingMonth) -> crate::time::Timestamp {
    let before = BillingMonth::containing(month.start().plus_micros(-1));
    disbursement::of_month(before)
}
