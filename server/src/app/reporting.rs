//! Seller reports: gathered from every partition.

use souk_core::ids::{AccountId, SandboxName};
use souk_core::rejection::{Code, Rejection};
use souk_core::reports::{Facts, Report, ReportInput, Row};
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
        let facts = self.facts(name, report, seller, month).await?;
        let offer_id_column = column.unwrap_or(market.rules.offer_id_column);
        let input = ReportInput {
            market: &market,
            seller,
            offer_id_column,
            month,
            invoices: &facts.invoices,
            agreements: &facts.agreements,
            demonstrations: &facts.demonstrations,
        };
        Ok((report.rows)(&input)?)
    }

    /// What a report asks for, of every family.
    async fn facts(
        &self,
        name: &SandboxName,
        report: &'static Report,
        seller: AccountId,
        month: BillingMonth,
    ) -> Result<Facts, AppError> {
        let target = name.clone();
        let parts = self
            .gather(move |turn| {
                let (sandbox, _) = turn.at_its_time(&target)?;
                let families = sandbox.families().values();
                Ok(families
                    .map(|family| (family.payer, report.gather(family, seller, month)))
                    .collect::<Vec<_>>())
            })
            .await?;
        let mut families: Vec<_> = parts.into_iter().flatten().collect();
        families.sort_by_key(|(payer, _)| *payer);
        let mut all = Facts::default();
        for (_, facts) in families {
            all.invoices.extend(facts.invoices);
            all.agreements.extend(facts.agreements);
            all.demonstrations.extend(facts.demonstrations);
        }
        Ok(all)
    }
}
