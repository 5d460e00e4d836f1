//! Accounts: sellers, buyers, and the payers whose bill carries the buyers' charges.

use std::collections::BTreeSet;

use super::product::check_words;
use crate::ids::{AccountId, content_hash, letters};
use crate::money::Rate;
use crate::rejection::{Code, Rejection};
use crate::time::Timestamp;

/// The AWS entity that invoices when a seller names none.
pub const DEFAULT_ENTITY: &str = "AWS Inc.";

/// The days that a payer by invoice may have.
pub const NET_DAYS: [u32; 7] = [0, 15, 30, 45, 60, 90, 120];
/// The days that it has when nothing is said.
const DEFAULT_NET_DAYS: u32 = 30;

/// Where a company is, as far as reports print it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Address {
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// State or region.
    pub state: String,
    /// City.
    pub city: String,
    /// Postal code.
    pub postal_code: String,
}

/// A pair of AWS access keys.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// The public half.
    pub id: String,
    /// The secret half.
    pub secret: String,
}

impl std::fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AccessKey({})", self.id)
    }
}

/// Who pays a tax on to the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaxLiability {
    /// AWS: sellers are shown it, and never get it.
    Aws,
    /// The seller, who gets it with its revenue.
    Seller,
}

impl TaxLiability {
    /// Whether the seller gets it.
    pub fn is_seller(self) -> bool {
        self == TaxLiability::Seller
    }
}

/// The tax on what an account buys, on top of the prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaxRate {
    /// How much, of what is charged.
    pub percent: Rate,
    /// Who pays it on.
    pub liable: TaxLiability,
}

/// An AWS account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its number.
    pub id: AccountId,
    /// The company's name.
    pub company_name: String,
    /// Whose bill carries its charges; never changes (A-11: linked accounts of one payer share annual cover).
    pub payer: AccountId,
    /// The entity that invoices its sales; none for an account that does not sell.
    pub invoicing_entity: Option<String>,
    /// Where the company is.
    pub address: Address,
    /// The domain of its e-mail addresses.
    pub email_domain: String,
    /// As a payer, it pays by invoice, not by card (B6).
    pub invoice_terms: bool,
    /// As a payer: who administers the private marketplace of its organization. Private offers must name that account,
    /// too (B4).
    pub private_marketplace_admin: Option<AccountId>,
    /// As a payer by invoice, the days in which it pays: one of [`NET_DAYS`]; none: 30.
    pub net_days: Option<u32>,
    /// The tax on what it buys.
    pub tax: Option<TaxRate>,
    /// The keys that sign as this account.
    pub access_keys: Vec<AccessKey>,
}

#[cfg(test)]
impl Account {
    /// A seller of which nothing but the numbers is known.
    pub fn nameless(id: AccountId, payer: AccountId) -> Account {
        Account {
            id,
            company_name: String::new(),
            payer,
            invoicing_entity: Some(DEFAULT_ENTITY.to_owned()),
            address: Address::default(),
            email_domain: String::new(),
            invoice_terms: false,
            private_marketplace_admin: None,
            net_days: None,
            tax: None,
            access_keys: Vec::new(),
        }
    }
}

impl Account {
    /// When an invoice of this payer is due; none: it is charged to a card.
    pub fn due(&self, issued_at: Timestamp) -> Option<Timestamp> {
        self.invoice_terms.then(|| issued_at.plus_days(self.net_days.unwrap_or(DEFAULT_NET_DAYS)))
    }

    fn check_net_days(&self) -> Result<(), Rejection> {
        let Some(days) = self.net_days else { return Ok(()) };
        let message = match self.invoice_terms {
            _ if !NET_DAYS.contains(&days) => {
                format!("{days} days are not offered: take 0, 15, 30, 45, 60, 90 or 120")
            }
            false => "a card pays at once: say invoiceTerms, too, or leave it out".to_owned(),
            true => return Ok(()),
        };
        Err(Rejection::new(Code::FieldInvalid, "netDays", message))
    }

    /// What can be wrong with an account by itself.
    pub fn check(&self) -> Result<(), Rejection> {
        let Address { country, state, city, postal_code } = &self.address;
        let entity = self.invoicing_entity.as_deref().unwrap_or_default();
        for (text, field) in [
            (self.company_name.as_str(), "companyName"),
            (entity, "seller.invoicingEntity"),
            (state, "address.state"),
            (city, "address.city"),
            (postal_code, "address.postalCode"),
            (&self.email_domain, "emailDomain"),
        ] {
            check_words(text, field, 255)?;
        }
        let well_formed = country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase());
        if !country.is_empty() && !well_formed {
            let message = format!("\"{country}\" is not an ISO 3166-1 alpha-2 code such as US");
            return Err(Rejection::new(Code::FieldInvalid, "address.country", message));
        }
        self.check_net_days()?;
        let mut seen = BTreeSet::new();
        for (index, key) in self.access_keys.iter().enumerate() {
            let field = format!("accessKeys[{index}]");
            let well_formed =
                (16..=128).contains(&key.id.len()) && key.id.bytes().all(|b| b.is_ascii_alphanumeric());
            if !well_formed {
                let message = format!("\"{}\" is not an access key id: 16 to 128 letters and digits", key.id);
                return Err(Rejection::new(Code::FieldInvalid, format!("{field}.accessKeyId"), message));
            }
            if key.secret.is_empty() {
                let message = "a secret access key is required".to_owned();
                return Err(Rejection::new(Code::FieldMissing, format!("{field}.secretAccessKey"), message));
            }
            if !seen.insert(&key.id) {
                let message = format!("{} stands twice", key.id);
                return Err(Rejection::new(Code::AccessKeyTaken, format!("{field}.accessKeyId"), message));
            }
        }
        Ok(())
    }
}

/// How a seller's records may name a buyer: AWS's legacy CustomerIdentifier. Opaque, but it can be read back
/// without a table: the buyer's number beside a tag of the seller, mixed by four Feistel rounds.
pub fn customer_identifier(seller: AccountId, buyer: AccountId) -> String {
    let clear = (seller_tag(seller) << 40) | buyer.number();
    let (mut left, mut right) = halves(clear);
    for round in 0..4 {
        (left, right) = (right, left ^ mix(right, round));
    }
    letters(u128::from(join(left, right)), 13)
}

/// The buyer that a seller's identifier names.
pub fn resolve_customer_identifier(seller: AccountId, identifier: &str) -> Option<AccountId> {
    let well_formed =
        identifier.len() == 13 && identifier.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase());
    if !well_formed {
        return None;
    }
    let digits = identifier.chars().rev().filter_map(|c| c.to_digit(36));
    let mixed = u64::try_from(digits.fold(0_u128, |acc, digit| acc * 36 + u128::from(digit))).ok()?;
    let (mut left, mut right) = halves(mixed);
    for round in (0..4).rev() {
        (left, right) = (right ^ mix(left, round), left);
    }
    let clear = join(left, right);
    let buyer = AccountId::from_number(clear & ((1 << 40) - 1))?;
    (clear >> 40 == seller_tag(seller)).then_some(buyer)
}

fn halves(block: u64) -> (u32, u32) {
    ((block >> 32) as u32, block as u32)
}

fn join(left: u32, right: u32) -> u64 {
    (u64::from(left) << 32) | u64::from(right)
}

fn seller_tag(seller: AccountId) -> u64 {
    content_hash("seller tag", &[&seller.to_string()]) as u64 & 0xFF_FFFF
}

fn mix(half: u32, round: u32) -> u32 {
    content_hash("customer identifier", &[&round.to_string(), &half.to_string()]) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_an_account_fit_on_a_page() {
        let id = AccountId::from_number(1).unwrap();
        let account = |company_name: &str| Account {
            id,
            company_name: company_name.to_owned(),
            payer: id,
            invoicing_entity: None,
            address: Address::default(),
            email_domain: String::new(),
            invoice_terms: false,
            private_marketplace_admin: None,
            net_days: None,
            tax: None,
            access_keys: Vec::new(),
        };
        assert!(account(&"é".repeat(255)).check().is_ok());
        for wrong in ["x".repeat(256), "a\0b".to_owned(), "\u{1b}[31mred".to_owned(), "two\nlines".to_owned()]
        {
            assert_eq!(account(&wrong).check().map_err(|r| r.field), Err("companyName".to_owned()));
        }
    }

    #[test]
    fn who_pays_by_invoice_may_have_days() {
        let id = AccountId::from_number(1).unwrap();
        let account =
            |invoice_terms, net_days| Account { invoice_terms, net_days, ..Account::nameless(id, id) };
        let issued = Timestamp::parse("2025-06-02T00:00:00Z").unwrap();
        for (by_invoice, days, due) in [
            (false, None, None),
            (true, None, Some("2025-07-02T00:00:00Z")),
            (true, Some(0), Some("2025-06-02T00:00:00Z")),
            (true, Some(120), Some("2025-09-30T00:00:00Z")),
        ] {
            let account = account(by_invoice, days);
            assert!(account.check().is_ok());
            assert_eq!(account.due(issued).map(|due| due.to_string()).as_deref(), due);
        }
        for (by_invoice, days) in [(false, 30), (true, 1), (true, 31), (true, 180)] {
            let refused = account(by_invoice, Some(days)).check().map_err(|r| (r.code, r.field));
            assert_eq!(refused, Err((Code::FieldInvalid, "netDays".to_owned())));
        }
    }

    #[test]
    fn an_identifier_names_one_buyer_for_one_seller() {
        let [seller, other, buyer] = [1, 2, 999_999_999_999].map(|n| AccountId::from_number(n).unwrap());
        let identifier = customer_identifier(seller, buyer);
        assert_eq!(resolve_customer_identifier(seller, &identifier), Some(buyer));
        assert_eq!(resolve_customer_identifier(other, &identifier), None);
        for wrong in ["", "zzzzzzzzzzzzz", "ABCDEFGHIJKLM", "0000000000000"] {
            assert_eq!(resolve_customer_identifier(seller, wrong), None, "{wrong}");
        }
    }
}
