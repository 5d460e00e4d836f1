//! Seller reports: gathered from the invoices of every partition.

use souk_core::ids::{AccountId, SandboxName};
use souk_core::rejection::{Code, Rejection};
use souk_core::reports::{Report, ReportInput, Row};
use souk_core::rules::OfferIdColumn;
use souk_core::time::BillingMonth;

use super::Souk;
use crate::error::AppError;

impl Souk {
    /// The rows of a report of a closed month.
    pub async fn report(
        &self,
        name: &SandboxName,
        report: &'static Report,
        seller: AccountId,
        month: BillingMonth,
        column: Option<OfferIdColumn>,
    ) -> Result<Vec<Row>, AppError> {
        let market = self.market(name)?;
        if market.account(seller, "sellerAccountId")?.invoicing_entity.is_none() {
            let message = format!("account {seller} has no seller profile: reports are for sellers");
            return Err(Rejection::new(Code::NotASeller, "sellerAccountId", message).into());
        }
        let now = self.now(&market);
        if now < month.invoiced_at() {
            let message = format!("{month} closes at {}: it is {now} in the sandbox", month.invoiced_at());
            return Err(Rejection::new(Code::MonthNotClosed, "month", message).into());
        }
        let invoices = self.invoices(name, None, Some(month)).await?;
        let demonstrations = self.demonstrations(name, month).await?;
        let offer_id_column = column.unwrap_or(market.rules.offer_id_column);
        let input = ReportInput {
            market: &market,
            seller,
            offer_id_column,
            invoices: &invoices,
            demonstrations: &demonstrations,
        };
        Ok((report.rows)(&input)?)
    }
}
