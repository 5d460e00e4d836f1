//! The account feed: the seller, and those who bought of it or paid for that, from when on they did.

use std::collections::BTreeMap;

use super::super::cells::opaque_address;
use super::super::{Asks, Report, ReportInput, Row};
use super::record::Record;
use crate::catalog::Account;
use crate::catalog::account::customer_identifier;
use crate::ids::AccountId;
use crate::rejection::Broken;
use crate::time::Timestamp;

/// The feed.
pub const ACCOUNTS: Report = Report {
    name: "accountfeed_v1",
    title: "Account feed",
    columns: &[
        "valid_from",
        "insert_date",
        "update_date",
        "delete_date",
        "account_id",
        "aws_account_id",
        "encrypted_account_id",
        "mailing_address_id",
        "tax_address_id",
        "tax_registration_number",
        "tax_legal_name",
    ],
    asks: Asks::AgreementFeed,
    rows,
};

fn rows(input: &ReportInput<'_>) -> Result<Vec<Row>, Broken> {
    // Since when the seller has to do with them.
    let mut known: BTreeMap<AccountId, Timestamp> = BTreeMap::from([(input.seller, Timestamp::MIN)]);
    for agreement in input.agreements {
        for account in [agreement.buyer, agreement.payer] {
            let since = known.entry(account).or_insert(agreement.accepted_at);
            *since = agreement.accepted_at.min(*since);
        }
    }
    let mut records: Vec<Record> = Vec::new();
    for (id, since) in known {
        let versions = input.history.account(id);
        if versions.is_empty() {
            return Err(Broken(format!("what account {id} was is not known")));
        }
        // What it was before the seller knew it is told to nobody.
        let first = versions.iter().rposition(|(at, _)| *at <= since).unwrap_or(0);
        let mut last: Option<Row> = None;
        for (at, account) in versions.iter().skip(first) {
            let cells = cells(input.seller, account);
            if last.as_ref() == Some(&cells) {
                continue;
            }
            let written = since.max(*at);
            let record = Record::written(id.to_string(), *at, cells.clone());
            records.push(Record { inserted: written, updated: written, ..record });
            last = Some(cells);
        }
    }
    Ok(super::rows(input, records))
}

/// Accounts have their numbers; nothing is known of addresses for taxes and of registrations.
fn cells(seller: AccountId, account: &Account) -> Row {
    let is_foreign = !matches!(account.address.country.as_str(), "" | "US");
    vec![
        account.id.to_string(),
        account.id.to_string(),
        customer_identifier(seller, account.id),
        opaque_address(account),
        String::new(),
        String::new(),
        if is_foreign { account.company_name.clone() } else { String::new() },
    ]
}
