//! The monthly billed revenue report, section 4: contracts with a flexible payment schedule that were accepted in the
//! month, one row for each payment.

use super::cells::{customer_reference, payer_reference, place, sorted_by_account};
use super::{Asks, Report, ReportInput, Row};
use crate::catalog::ProductType;
use crate::money::Currency;
use crate::rejection::Broken;
use crate::time::timestamp::report_date;

/// Section 4.
pub const FLEXIBLE_PAYMENT_SCHEDULE: Report = Report {
    name: "monthly_revenue_flexible_payment_schedule",
    title: "Monthly billed revenue, section 4: Contracts with flexible payment schedule",
    columns: &[
        "Customer AWS Account Number",
        "Customer Country",
        "Customer State",
        "Customer City",
        "Customer ZIP Code",
        "Customer Email Domain",
        "User Reference ID",
        "User AWS Account Number",
        "Product ID",
        "Product Title",
        "Product Type",
        "AWS Marketplace Offer ID",
        "Contract Create Date",
        "Contract Expiration Date",
        "Total Contract Value (USD)",
        "# of Payments",
        "Invoice Date",
        "Invoice Amount (USD)",
        "Payer Reference ID",
    ],
    asks: Asks::SchedulesAcceptedIn,
    rows,
};

/// The customer is who is billed, the user who accepted. The payments are those agreed on, whatever became of them
/// since; schedules in other currencies have no place in columns of US dollars.
fn rows(input: &ReportInput<'_>) -> Result<Vec<Row>, Broken> {
    let mut rows = Vec::new();
    for agreement in input.agreements {
        let value = agreement.contract_value()?;
        if value.currency() != Currency::Usd {
            continue;
        }
        let product = input.market.known_product(&agreement.product)?;
        let payer = input.market.known_account(agreement.payer)?;
        let mut contract = vec![payer.id.to_string()];
        contract.extend(place(payer));
        contract.extend([
            payer.email_domain.clone(),
            customer_reference(agreement.seller, agreement.buyer),
            agreement.buyer.to_string(),
            product.id.to_string(),
            product.title.clone(),
            type_name(product.product_type).to_owned(),
            agreement.offer.to_string(),
            report_date(agreement.accepted_at),
            // A contract after which usage goes on ends with what was paid for (B21).
            agreement
                .planned_end
                .or_else(|| agreement.contract().map(|contract| contract.end))
                .map_or_else(String::new, report_date),
            value.to_string(),
            agreement.instalments.len().to_string(),
        ]);
        for instalment in &agreement.instalments {
            let payment = [
                report_date(instalment.due),
                instalment.amount.once(value.currency()).to_string(),
                payer_reference(payer.id),
            ];
            rows.push([contract.as_slice(), &payment].concat());
        }
    }
    Ok(sorted_by_account(rows, 7))
}

fn type_name(product_type: ProductType) -> &'static str {
    match product_type {
        ProductType::Ami => "AMI",
        ProductType::Container => "Container",
        ProductType::Saas => "SaaS",
        ProductType::MachineLearning => "Machine Learning",
        ProductType::ProfessionalServices => "Professional Services",
    }
}
