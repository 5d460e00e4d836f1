//! Seller reports: gathered from every partition.

use souk_core::agreement::Family;
use souk_core::ids::{AccountId, SandboxName};
use souk_core::rejection::{Code, Rejection};
use souk_core::reports::{Facts, Period, Report, ReportInput, Row};
use souk_core::rules::OfferIdColumn;

use super::Souk;
use crate::error::AppError;

/// How a report is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    /// The month or the day.
    pub period: Period,
    /// How rows of public offers show the offer; as the sandbox's rules say when absent.
    pub column: Option<OfferIdColumn>,
    /// Only the current records of a feed.
    pub current: bool,
}

impl Souk {
    /// The rows of a report of a closed month, or of a day that has begun.
    pub async fn report(
        &self,
        name: &SandboxName,
        report: &'static Report,
        seller: AccountId,
        asked: Asked,
    ) -> Result<Vec<Row>, AppError> {
        let (market, history) = self.published.get_with_history(name)?;
        if market.account(seller, "sellerAccountId")?.invoicing_entity.is_none() {
            let message = format!("account {seller} has no seller profile: reports are for sellers");
            return Err(Rejection::new(Code::NotASeller, "sellerAccountId", message).into());
        }
        let Asked { period, column, current } = asked;
        let now = self.now(&market);
        period.check(now)?;
        let facts = self.facts(name, report, seller, period).await?;
        let offer_id_column = column.unwrap_or(market.rules.offer_id_column);
        let input = ReportInput {
            market: &market,
            seller,
            offer_id_column,
            month: period.month(),
            day: period.day(),
            history: &history,
            current,
            now,
            invoices: &facts.invoices,
            agreements: &facts.agreements,
            demonstrations: &facts.demonstrations,
            daily: &facts.daily,
        };
        Ok((report.rows)(&input)?)
    }

    /// What a report asks for, of every family.
    async fn facts(
        &self,
        name: &SandboxName,
        report: &'static Report,
        seller: AccountId,
        period: Period,
    ) -> Result<Facts, AppError> {
        let target = name.clone();
        let parts = self
            .gather(move |turn| {
                turn.at_its_time(&target)?;
                let sandbox = turn.with_months(&target, &report.asks.months_of_usage(period))?;
                let gather = |family: &std::sync::Arc<Family>| {
                    Ok((family.payer, report.gather(&sandbox, family, seller, period)?))
                };
                sandbox.families().values().map(gather).collect::<Result<Vec<_>, AppError>>()
            })
            .await?;
        let mut families: Vec<_> = parts.into_iter().flatten().collect();
        families.sort_by_key(|(payer, _)| *payer);
        let mut all = Facts::default();
        for (_, facts) in families {
            all.extend(facts);
        }
        Ok(all)
    }
}
