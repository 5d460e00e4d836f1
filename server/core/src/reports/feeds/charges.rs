//! The agreement charge feed: the payments of payment schedules. One that is cancelled is withdrawn.

use super::super::{Asks, Report, ReportInput, Row};
use super::record::Record;
use crate::agreement::InstalmentState;
use crate::ids::opaque;
use crate::rejection::Broken;

/// The feed.
pub const CHARGES: Report = Report {
    name: "agreementchargefeed_v1",
    title: "Agreement charge feed",
    columns: &[
        "valid_from",
        "insert_date",
        "update_date",
        "delete_date",
        "amount",
        "currency_code",
        "time",
        "agreement_id",
        "term_id",
    ],
    asks: Asks::AgreementFeed,
    rows,
};

fn rows(input: &ReportInput<'_>) -> Result<Vec<Row>, Broken> {
    let mut records = Vec::new();
    // Schedules are told to the seller of record alone (J1).
    for agreement in input.agreements.iter().filter(|agreement| agreement.seller == input.seller) {
        let currency = agreement.contract_value()?.currency();
        let term = opaque("term", &[agreement.id.as_str(), "PaymentScheduleTerm"]);
        for (instalment, number) in agreement.instalments.iter().zip(1..) {
            let cells = vec![
                instalment.amount.once(currency).to_string(),
                currency.to_string(),
                instalment.due.to_string(),
                agreement.id.to_string(),
                term.clone(),
            ];
            let key = format!("{} {number:03}", agreement.id);
            let record = Record::written(key, agreement.accepted_at, cells);
            if instalment.state == InstalmentState::Cancelled {
                let ended = agreement.ended_at;
                let ended = ended
                    .ok_or_else(|| Broken(format!("{} cancelled a payment and goes on", agreement.id)))?;
                records.push(Record { updated: ended, deleted: Some(ended), ..record.clone() });
            }
            records.push(record);
        }
    }
    Ok(super::rows(input, records))
}
