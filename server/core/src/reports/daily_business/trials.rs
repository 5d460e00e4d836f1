//! Section 3: free trials that began, go on, became paid or did not.

use std::collections::BTreeMap;

use super::super::{Asks, Report, ReportInput, Row};
use crate::agreement::{Agreement, AgreementStatus, Family};
use crate::catalog::{Marketplace, Side};
use crate::ids::{AccountId, ProductId};
use crate::rating::agreements::Agreements;
use crate::rating::trial;
use crate::rejection::Broken;
use crate::time::Timestamp;

/// Section 3.
pub const FREE_TRIAL_CONVERSIONS: Report = Report {
    name: "daily_business_free_trial_conversions",
    title: "Daily business, section 3: Free trial conversions",
    columns: &[
        "Product Title",
        "Product Code",
        "New Free Trials",
        "Total Current Free Trials",
        "Converted Free Trials",
        "Non-Converted Free Trials",
        "Solution Title",
        "Solution ID",
    ],
    asks: Asks::TrialsOfDay,
    rows,
};

/// An agreement's time on a free trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// The product.
    pub product: ProductId,
    /// Its first moment.
    pub start: Timestamp,
    /// Its end, not part of it, as far as it is known.
    pub end: Timestamp,
    /// Whether what came after it is paid.
    pub converts: bool,
}

/// The trials of a family's agreements with a seller, or on what resellers sell of it.
pub fn of_family(market: &Marketplace, family: &Family, seller: AccountId) -> Result<Vec<Trial>, Broken> {
    let agreements = Agreements::of_family(market, family)?;
    let mut trials = Vec::new();
    for agreement in family.agreements() {
        let offer = market.known_offer(&agreement.offer)?;
        if Side::of(market, offer, seller)?.is_none() {
            continue;
        }
        let Some(free_until) = trial::end(&agreements, agreement, offer) else { continue };
        if free_until <= agreement.start {
            continue;
        }
        let is_contract = agreement.contract().is_some();
        let ended = agreement.ended_at.filter(|ended| *ended <= free_until);
        trials.push(Trial {
            product: agreement.product.clone(),
            start: agreement.start,
            end: ended.unwrap_or(free_until),
            converts: ended.map_or(!is_contract, |_| goes_on(agreement)),
        });
    }
    Ok(trials)
}

/// Whether another agreement of the buyer took the place of one that ended in its trial.
fn goes_on(agreement: &Agreement) -> bool {
    match agreement.status {
        AgreementStatus::Replaced | AgreementStatus::Renewed => true,
        AgreementStatus::Active | AgreementStatus::Cancelled | AgreementStatus::Expired => false,
    }
}

/// One row for each product of which somebody was on trial on the day or at its end.
fn rows(input: &ReportInput<'_>) -> Result<Vec<Row>, Broken> {
    let day = input.day.usage();
    let mut counts: BTreeMap<&ProductId, [u32; 4]> = BTreeMap::new();
    for trial in &input.daily.trials {
        let told = [
            day.contains(trial.start),
            trial.start < day.end && day.end <= trial.end,
            day.contains(trial.end) && trial.converts,
            day.contains(trial.end) && !trial.converts,
        ];
        if told.contains(&true) {
            let counts = counts.entry(&trial.product).or_default();
            for (count, told) in counts.iter_mut().zip(told) {
                *count += u32::from(told);
            }
        }
    }
    let mut rows = Vec::new();
    for (product, counts) in counts {
        let product = input.market.known_product(product)?;
        let mut row = vec![product.title.clone(), product.code.to_string()];
        row.extend(counts.map(|count| count.to_string()));
        row.extend([String::new(), String::new()]);
        rows.push(row);
    }
    Ok(rows)
}
