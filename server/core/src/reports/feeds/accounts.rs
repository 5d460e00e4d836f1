//! The account feed: the seller, those who bought of it or paid for that, and those with whom it resells, from when on
//! they did.

use std::collections::BTreeMap;

use super::super::cells::{opaque_address, side};
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

/// Since when a seller has to do with an account, and whether it may know where its bills go: of who is known by a
/// resale alone, it may not (J1).
struct Known {
    since: Timestamp,
    shows_address: bool,
}

fn known(input: &ReportInput<'_>) -> Result<BTreeMap<AccountId, Known>, Broken> {
    let mut known = BTreeMap::from([(input.seller, Known { since: Timestamp::MIN, shows_address: true })]);
    let mut add = |account, moment: Timestamp, shows_address: bool| {
        let so_far = known.entry(account).or_insert(Known { since: moment, shows_address });
        so_far.since = moment.min(so_far.since);
        so_far.shows_address |= shows_address;
    };
    for agreement in input.agreements {
        let side = side(input, &agreement.offer)?;
        let (buyer, payer) = side.parties(agreement.buyer, agreement.payer);
        let is_sellers = !side.is_manufacturers();
        add(buyer, agreement.accepted_at, is_sellers);
        add(payer, agreement.accepted_at, is_sellers);
    }
    for authorization in input.market.resale_authorizations().values() {
        let manufacturer = input.market.known_product(&authorization.product)?.seller;
        if manufacturer == input.seller {
            add(authorization.reseller, authorization.granted_at, false);
        }
        if authorization.reseller == input.seller {
            add(manufacturer, authorization.granted_at, false);
        }
    }
    Ok(known)
}

fn rows(input: &ReportInput<'_>) -> Result<Vec<Row>, Broken> {
    let known = known(input)?;
    let mut records: Vec<Record> = Vec::new();
    for (id, Known { since, shows_address }) in known {
        let versions = input.history.account(id);
        if versions.is_empty() {
            return Err(Broken(format!("what account {id} was is not known")));
        }
        // What it was before the seller knew it is told to nobody.
        let first = versions.iter().rposition(|(at, _)| *at <= since).unwrap_or(0);
        let mut last: Option<Row> = None;
        for (at, account) in versions.iter().skip(first) {
            let cells = cells(input.seller, account, shows_address);
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
fn cells(seller: AccountId, account: &Account, shows_address: bool) -> Row {
    let is_foreign = !matches!(account.address.country.as_str(), "" | "US");
    vec![
        account.id.to_string(),
        account.id.to_string(),
        customer_identifier(seller, account.id),
        if shows_address { opaque_address(account) } else { String::new() },
        String::new(),
        String::new(),
        if is_foreign { account.company_name.clone() } else { String::new() },
    ]
}
