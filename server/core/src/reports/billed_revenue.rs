//! The billed revenue dashboard: what was invoiced in a month as it stands now, one row for each invoice, subscriber,
//! product and offer, with what was given back of it, collected and paid out since. The columns have the names of AWS's
//! report query.

use std::collections::BTreeMap;

use super::billing_events::{bank_trace, disbursement_of};
use super::cells::{invoice_number, opaque_address, payer_of, place, sorted_by_account, transaction};
use super::{Asks, Report, ReportInput, Row};
use crate::agreement::Agreement;
use crate::catalog::account::{DEFAULT_ENTITY, customer_identifier};
use crate::catalog::{Account, Offer, OfferVisibility, Product};
use crate::ids::{AccountId, OfferId, ProductId};
use crate::invoicing::payment::Standing;
use crate::invoicing::{Invoice, InvoiceKind, InvoiceLine, Revenue};
use crate::ledger::{Share, disbursement, shares};
use crate::money::Money;
use crate::money::decimal::fixed;
use crate::rejection::Broken;
use crate::time::{BillingMonth, Timestamp};

/// The rows of the dashboard.
pub const DASHBOARD: Report = Report {
    name: "billed_revenue_dashboard",
    title: "Billed revenue dashboard",
    columns: &[
        "invoice_date",
        "payment_due_date",
        "payment_term",
        "invoice_id",
        "listing_fee_invoice_id",
        "wholesale_invoice_id",
        "seller_issued_invoice_id",
        "seller_issued_invoice_variant",
        "subscriber_company_name",
        "subscriber_aws_account_id",
        "subscriber_encrypted_account_id",
        "subscriber_email_domain",
        "subscriber_city",
        "subscriber_state_or_region",
        "subscriber_country",
        "subscriber_postal_code",
        "subscriber_address_id",
        "product_title",
        "offer_name",
        "offer_id",
        "offer_set_id",
        "offer_visibility",
        "agreement_id",
        "agreement_start_date",
        "agreement_acceptance_date",
        "agreement_end_date",
        "accepted_term_types",
        "catalog",
        "usage_period_start_date",
        "usage_period_end_date",
        "disbursement_status",
        "disbursement_date",
        "disburse_bank_trace_id",
        "disbursement_reference_number",
        "gross_revenue",
        "gross_refund",
        "listing_fee",
        "listing_fee_refund",
        "listing_fee_percentage",
        "seller_tax_share",
        "seller_tax_share_refund",
        "aws_tax_share",
        "aws_tax_share_refund",
        "aws_tax_share_listing_fee",
        "aws_tax_share_refund_listing_fee",
        "wholesale_cost",
        "wholesale_cost_refund",
        "wholesale_seller_tax_share",
        "wholesale_seller_tax_share_refund",
        "wholesale_other_seller_tax_share",
        "wholesale_other_seller_tax_share_refund",
        "wholesale_aws_tax_share",
        "wholesale_aws_tax_share_refund",
        "seller_net_revenue",
        "collected_net_revenue",
        "uncollected_net_revenue",
        "last_collection_date",
        "currency",
        "transaction_reference_id",
        "aws_seller_of_record",
        "resale_authorization_id",
        "resale_authorization_name",
        "resale_authorization_description",
        "reseller_company_name",
        "reseller_aws_account_id",
        "payer_company_name",
        "payer_aws_account_id",
        "payer_encrypted_account_id",
        "payer_email_domain",
        "payer_city",
        "payer_state",
        "payer_country",
        "payer_postal_code",
        "payer_address_id",
        "isv_account_id",
        "isv_company_name",
        "product_id",
        "disbursed_net_revenue",
        "undisbursed_net_revenue",
        "silent_internal_report_transaction",
    ],
    asks: Asks::BilledIn,
    rows,
};

/// What could be known and is not.
const NOT_AVAILABLE: &str = "Not available";
/// What a known subscriber did not say.
const NOT_PROVIDED: &str = "Not provided";
/// What the row has none of.
const NOT_APPLICABLE: &str = "Not applicable";
/// What stands for the invoice of a fee that AWS Inc. keeps.
const NO_FEE_INVOICE: &str = "Missing_listing_fee_invoice_id";
/// The end of what has none.
const OPEN_END: &str = "01-01-9999";

type Key<'a> = (AccountId, &'a ProductId, &'a OfferId);

fn rows(input: &ReportInput<'_>) -> Result<Vec<Row>, Broken> {
    let mut rows = Vec::new();
    for charge in input.invoices.iter().filter(|standing| standing.invoice.kind != InvoiceKind::CreditMemo) {
        let mut of_row: BTreeMap<Key<'_>, Vec<(&Standing, &Revenue)>> = BTreeMap::new();
        let corrects = |memo: &Standing| memo.corrects.as_ref().is_some_and(|c| c.id == charge.invoice.id);
        let memos = input.invoices.iter().filter(|standing| corrects(standing));
        for standing in std::iter::once(charge).chain(memos) {
            let revenue = standing.invoice.revenue.iter();
            for revenue in revenue.filter(|revenue| revenue.seller == input.seller) {
                let key = (revenue.buyer, &revenue.product, &revenue.offer);
                of_row.entry(key).or_default().push((standing, revenue));
            }
        }
        for (key, parts) in of_row {
            rows.push(row(input, &charge.invoice, key, &parts)?);
        }
    }
    Ok(sorted_by_account(rows, 9))
}

fn row(
    input: &ReportInput<'_>,
    invoice: &Invoice,
    (buyer, product, offer): Key<'_>,
    parts: &[(&Standing, &Revenue)],
) -> Result<Row, Broken> {
    let is_of_row =
        |line: &&InvoiceLine| line.buyer == buyer && line.product == *product && line.offer == *offer;
    let lines: Vec<_> = invoice.lines.iter().filter(is_of_row).collect();
    let nothing = || Broken(format!("invoice {} has no line or agreement for its revenue", invoice.id));
    let charged = |agreement: &&Agreement| lines.iter().any(|line| line.agreement == agreement.id);
    let agreement = input.agreements.iter().rfind(charged).ok_or_else(nothing)?;
    let (_, revenue) = parts.first().ok_or_else(nothing)?;
    let sums = Sums::of(input.now, invoice, parts);
    let due = invoice.due_at.unwrap_or(invoice.issued_at);
    let term = invoice.payment_terms().unwrap_or_else(|| "Net 0 days".to_owned());
    let no_fee_invoice = if invoice.entity == DEFAULT_ENTITY { NO_FEE_INVOICE } else { NOT_APPLICABLE };
    let (product, offer) = (input.market.known_product(product)?, input.market.known_offer(offer)?);
    let manufacturer = input.market.known_account(product.seller)?;
    // The wholesale has no invoice but the buyer's.
    let number = invoice_number(invoice, revenue);
    let wholesale_invoice = offer.resale.as_ref().map_or(NOT_APPLICABLE, |_| number.as_str());
    let mut row = vec![date(invoice.issued_at), date(due), term, number.clone()];
    row.extend([no_fee_invoice, wholesale_invoice, NOT_APPLICABLE, NOT_APPLICABLE].map(str::to_owned));
    row.extend(party(input.seller, input.market.known_account(revenue.customer())?, NOT_PROVIDED));
    let is_manufacturers = revenue.is_manufacturers();
    row.extend(procurement(product, offer, is_manufacturers, agreement, &lines).ok_or_else(nothing)?);
    row.extend(sums.disbursement(input.seller));
    row.extend(sums.amounts());
    row.extend([
        invoice.currency.to_string(),
        transaction(invoice, revenue),
        seller_of_record(&invoice.entity),
    ]);
    row.extend(resale(input, offer)?);
    let mut payer = party(input.seller, payer_of(input.market, invoice, revenue)?, NOT_AVAILABLE);
    if is_manufacturers {
        // City to address: no manufacturer sees it (J1).
        payer.iter_mut().skip(4).for_each(|cell| *cell = NOT_AVAILABLE.to_owned());
    }
    row.extend(payer);
    row.extend([
        manufacturer.id.to_string(),
        told(&manufacturer.company_name, NOT_AVAILABLE),
        product.id.to_string(),
        sums.disbursed.to_string(),
        sums.net.plus(sums.disbursed.negated()).to_string(),
        "false".to_owned(),
    ]);
    Ok(row)
}

fn date(moment: Timestamp) -> String {
    moment.date().format("%m-%d-%Y").to_string()
}

fn told(text: &str, otherwise: &str) -> String {
    if text.is_empty() { otherwise.to_owned() } else { text.to_owned() }
}

/// Id, name and description of the authorization; company name and number of the reseller.
fn resale(input: &ReportInput<'_>, offer: &Offer) -> Result<[String; 5], Broken> {
    let Some(resale) = &offer.resale else { return Ok([NOT_APPLICABLE; 5].map(str::to_owned)) };
    let authorization = input.market.resale_authorizations().get(&resale.authorization);
    let unknown = || Broken(format!("offer {} is sold by an authorization that is not known", offer.id));
    let authorization = authorization.ok_or_else(unknown)?;
    let reseller = input.market.known_account(resale.reseller)?;
    Ok([
        authorization.id.to_string(),
        authorization.name.clone(),
        told(&authorization.description, NOT_PROVIDED),
        told(&reseller.company_name, NOT_AVAILABLE),
        reseller.id.to_string(),
    ])
}

/// Company name to address id.
fn party(seller: AccountId, account: &Account, otherwise: &str) -> [String; 9] {
    let [country, state, city, postal_code] = place(account);
    [
        told(&account.company_name, otherwise),
        account.id.to_string(),
        customer_identifier(seller, account.id),
        told(&account.email_domain, otherwise),
        told(&city, otherwise),
        told(&state, otherwise),
        told(&country, otherwise),
        told(&postal_code, otherwise),
        opaque_address(account),
    ]
}

/// Product title to the end of the usage period, whose last second it includes.
fn procurement(
    product: &Product,
    offer: &Offer,
    is_manufacturers: bool,
    agreement: &Agreement,
    lines: &[&InvoiceLine],
) -> Option<[String; 13]> {
    // A reseller may name its buyers in its offers.
    let name = match offer.visibility() {
        _ if is_manufacturers => NOT_AVAILABLE.to_owned(),
        OfferVisibility::Public => told(&offer.name, NOT_APPLICABLE),
        _ => told(&offer.name, NOT_PROVIDED),
    };
    let (start, end) = (lines.iter().map(|l| l.start).min()?, lines.iter().map(|l| l.end).max()?);
    Some([
        product.title.clone(),
        name,
        offer.id.to_string(),
        NOT_APPLICABLE.to_owned(),
        offer.visibility().to_string(),
        agreement.id.to_string(),
        date(agreement.start),
        date(agreement.accepted_at),
        agreement.end().map_or_else(|| OPEN_END.to_owned(), date),
        offer.terms.names().join(","),
        "AWSMarketplace".to_owned(),
        date(start),
        date(end.last_second()),
    ])
}

/// The AWS entity, as dashboards name it.
fn seller_of_record(entity: &str) -> String {
    match entity {
        DEFAULT_ENTITY => "AWS_INC".to_owned(),
        "AWS EMEA SARL" => "AWS_EUROPE".to_owned(),
        other => other.to_owned(),
    }
}

/// What a row sums up.
struct Sums {
    shares: BTreeMap<Share, Money>,
    zero: Money,
    net: Money,
    collected: Money,
    last_collected: Option<Timestamp>,
    disbursed: Money,
    /// When parts of it were paid out, in order.
    paid_out: Vec<Timestamp>,
    /// Whether something is not.
    is_open: bool,
}

impl Sums {
    fn of(now: Timestamp, invoice: &Invoice, parts: &[(&Standing, &Revenue)]) -> Sums {
        let zero = Money::zero(invoice.currency);
        let mut sums = Sums {
            shares: BTreeMap::new(),
            zero,
            net: zero,
            collected: zero,
            last_collected: None,
            disbursed: zero,
            paid_out: Vec::new(),
            is_open: false,
        };
        for (standing, revenue) in parts {
            let mut net = zero;
            for (share, amount) in shares(revenue) {
                let sum = sums.shares.entry(share).or_insert(zero);
                *sum = sum.plus(amount);
                if share.is_sellers() {
                    net = net.plus(amount);
                }
            }
            sums.net = sums.net.plus(net);
            if let Some(collected) = standing.collected_at {
                sums.collected = sums.collected.plus(net);
                sums.last_collected = sums.last_collected.max(Some(collected));
            }
            let paid_out = standing.collected_at.map(disbursement::disbursed_at).filter(|at| *at <= now);
            match paid_out {
                Some(at) => {
                    sums.disbursed = sums.disbursed.plus(net);
                    sums.paid_out.push(at);
                }
                None => sums.is_open = true,
            }
        }
        sums.paid_out.sort_unstable();
        sums.paid_out.dedup();
        sums
    }

    fn share(&self, share: Share) -> Money {
        self.shares.get(&share).copied().unwrap_or(self.zero)
    }

    /// Status, date, bank trace and reference number.
    fn disbursement(&self, seller: AccountId) -> [String; 4] {
        let ids = self.paid_out.iter();
        let ids = ids.map(|at| disbursement_of(seller, BillingMonth::containing(*at), self.zero.currency()));
        let ids: Vec<_> = ids.collect();
        let traces: Vec<_> = ids.iter().map(|id| bank_trace(id)).collect();
        match self.paid_out.last() {
            None => {
                let [date, trace, number] = [NOT_APPLICABLE; 3].map(str::to_owned);
                ["Not disbursed".to_owned(), date, trace, number]
            }
            Some(last) => {
                let status = if self.is_open { "Partially disbursed" } else { "Disbursed" };
                [status.to_owned(), date(*last), traces.join(","), ids.join(",")]
            }
        }
    }

    /// Gross revenue to the last date of a collection. Neither fees nor the wholesale are taxed.
    fn amounts(&self) -> Row {
        let [gross, refund] = [Share::SellerRevenue, Share::SellerRevenueRefund].map(|s| self.share(s));
        let [fee, fee_refund] = [Share::AwsRevenue, Share::AwsRevenueRefund].map(|s| self.share(s));
        let taxes = [Share::SellerTax, Share::SellerTaxRefund, Share::AwsTax, Share::AwsTaxRefund];
        let mut cells: Row = [gross, refund, fee, fee_refund].map(|money| money.to_string()).into();
        cells.push(listing_fee_percentage(gross.plus(refund), fee.plus(fee_refund)));
        cells.extend(taxes.map(|share| self.share(share).to_string()));
        let wholesale = [Share::Wholesale, Share::WholesaleRefund].map(|share| self.share(share));
        let no_taxes = [self.zero; 6];
        cells.extend([self.zero; 2].into_iter().chain(wholesale).chain(no_taxes).map(|m| m.to_string()));
        let uncollected = self.net.plus(self.collected.negated());
        cells.extend([self.net, self.collected, uncollected].map(|money| money.to_string()));
        cells.push(self.last_collected.map_or_else(|| NOT_APPLICABLE.to_owned(), date));
        cells
    }
}

/// The fee as a fraction of the revenue, cut off after four decimals (F-07).
fn listing_fee_percentage(revenue: Money, fee: Money) -> String {
    match revenue.minor().abs() {
        0 => "0".to_owned(),
        base => fixed(fee.minor().abs() * 10_000 / base, 4, 4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;

    #[test]
    fn f_07_the_percentage_of_the_fee_is_cut_off_after_four_decimals() {
        let usd = |cents| Money::from_minor(cents, Currency::Usd);
        for (gross, fee, refund, fee_refund, expected) in [
            (50, -2, 0, 0, "0.0400"),
            (11_510, -345, 0, 0, "0.0299"),
            // Nothing is left of what was given back whole.
            (10_000, -10_000, -10_000, 10_000, "0"),
            (10_000, -300, -5_000, 150, "0.0300"),
            (37_200, -7_440, 0, 0, "0.2000"),
            (100, 0, 0, 0, "0.0000"),
            (0, 0, 0, 0, "0"),
            (1, -1, 0, 0, "1.0000"),
        ] {
            let told = listing_fee_percentage(usd(gross).plus(usd(refund)), usd(fee).plus(usd(fee_refund)));
            assert_eq!(told, expected, "{gross} {fee} {refund} {fee_refund}");
        }
    }

    #[test]
    fn the_entities_of_aws_have_their_names() {
        for (entity, told) in
            [("AWS Inc.", "AWS_INC"), ("AWS EMEA SARL", "AWS_EUROPE"), ("AWS Japan G.K.", "AWS Japan G.K.")]
        {
            assert_eq!(seller_of_record(entity), told);
        }
    }
}
