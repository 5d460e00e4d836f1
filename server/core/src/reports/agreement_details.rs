//! The agreement details report: the agreements on SaaS products that were accepted by the end of the day before, with
//! those that are free trials.

use super::cells::{reseller, side};
use super::{Asks, Report, ReportInput, Row};
use crate::agreement::UpfrontPurchase;
use crate::catalog::ProductType;
use crate::catalog::account::customer_identifier;
use crate::rejection::Broken;
use crate::time::timestamp::report_date;

/// Its only section.
pub const AGREEMENT_DETAILS: Report = Report {
    name: "agreement_details",
    title: "Agreement details report",
    columns: &[
        "vendor_display_name",
        "vendor_aws_account_id",
        "subscriber_aws_account_id",
        "customer_id",
        "product_title",
        "offer_id",
        "offer_visibility",
        "reseller_name",
        "reseller_aws_account_id",
        "agreement_id",
        "agreement_acceptance_date",
        "agreement_start_date",
        "agreement_end_date",
        "is_free_trial_offer",
        "total_contract_value",
    ],
    asks: Asks::AgreementsByDay,
    rows,
};

/// The end of an agreement that has none.
const OPEN_END: &str = "1-JAN-9999";

/// The vendor is who makes the product, whoever sells it; the value is what the seller is to get of it.
fn rows(input: &ReportInput<'_>) -> Result<Vec<Row>, Broken> {
    let mut rows = Vec::new();
    for agreement in input.agreements {
        let product = input.market.known_product(&agreement.product)?;
        if product.product_type != ProductType::Saas {
            continue;
        }
        let vendor = input.market.known_account(product.seller)?;
        let offer = input.market.known_offer(&agreement.offer)?;
        let side = side(input, &agreement.offer)?;
        let (subscriber, _) = side.parties(agreement.buyer, agreement.payer);
        let is_trial = agreement.purchases.iter().any(|p: &UpfrontPurchase| p.is_trial(offer));
        let mut row = vec![
            vendor.company_name.clone(),
            vendor.id.to_string(),
            subscriber.to_string(),
            customer_identifier(input.seller, subscriber),
            product.title.clone(),
            offer.id.to_string(),
            offer.visibility().to_string(),
        ];
        row.extend(reseller(input, &agreement.offer)?);
        row.extend([
            agreement.id.to_string(),
            report_date(agreement.accepted_at),
            report_date(agreement.start),
            agreement.end().map_or_else(|| OPEN_END.to_owned(), report_date),
            is_trial.to_string(),
            agreement.value_on(side)?.to_string(),
        ]);
        rows.push(row);
    }
    Ok(rows)
}
