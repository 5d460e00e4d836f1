//! `souk account`: sellers, buyers and payers.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use souk_proto::account::v1::{Account, Address, SellerProfile, Tax, TaxLiability};

use super::error::CliError;
use super::json;
use super::output::{Column, View, text};
use super::session::{Session, read_text};

#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// Adds an account, or replaces everything of it but its payer.
    #[command(after_help = "Examples:
  souk account put 111111111111 --company-name Seller --seller
  souk account put 222222222222 --company-name Buyer --payer 333333333333 --country DE
  souk account put --file account.json

A file holds the JSON form of souk.account.v1.Account; access keys can only be given so:
  {\"accountId\": \"111111111111\", \"accessKeys\": [{\"accessKeyId\": \"AKIA...\", \"secretAccessKey\": \"...\"}]}")]
    Put(Box<PutAccount>),
    /// Shows an account.
    #[command(after_help = "Example:
  souk account show 111111111111")]
    Show {
        /// Twelve digits.
        account: String,
    },
    /// Lists the accounts.
    #[command(after_help = "Example:
  souk account list --output csv")]
    List,
}

#[derive(Debug, Args)]
pub struct PutAccount {
    /// Twelve digits.
    #[arg(required_unless_present = "file")]
    account: Option<String>,
    /// The account as JSON instead; `-` reads stdin.
    #[arg(long, exclusive = true)]
    file: Option<PathBuf>,
    /// The company's name.
    #[arg(long, default_value = "", hide_default_value = true)]
    company_name: String,
    /// The account whose bill carries this account's charges; itself when absent.
    #[arg(long, value_name = "ACCOUNT", default_value = "", hide_default_value = true)]
    payer: String,
    /// Lets the account sell.
    #[arg(long)]
    seller: bool,
    /// The AWS entity that invoices this seller's sales.
    #[arg(long, value_name = "ENTITY", requires = "seller", default_value = "", hide_default_value = true)]
    invoicing_entity: String,
    /// ISO 3166-1 alpha-2.
    #[arg(long, default_value = "", hide_default_value = true)]
    country: String,
    /// State or region.
    #[arg(long, default_value = "", hide_default_value = true)]
    state: String,
    /// City.
    #[arg(long, default_value = "", hide_default_value = true)]
    city: String,
    /// Postal code.
    #[arg(long, default_value = "", hide_default_value = true)]
    postal_code: String,
    /// The domain of the company's e-mail addresses.
    #[arg(long, value_name = "DOMAIN", default_value = "", hide_default_value = true)]
    email_domain: String,
    /// It pays by invoice and not by card: payment schedules are for such payers.
    #[arg(long)]
    invoice_terms: bool,
    /// The account that administers the private marketplace of its organization: private offers must name it, too.
    #[arg(long, value_name = "ACCOUNT", default_value = "", hide_default_value = true)]
    private_marketplace_admin: String,
    /// The days in which its invoices are due: 0, 15, 30, 45, 60, 90 or 120.
    #[arg(long, value_name = "DAYS", requires = "invoice_terms")]
    net_days: Option<u32>,
    /// The tax on what it buys, on top of the prices, in percent.
    #[arg(long, value_name = "PERCENT")]
    tax: Option<String>,
    /// The seller pays the tax on, not AWS.
    #[arg(long, requires = "tax")]
    seller_is_liable: bool,
}

impl PutAccount {
    fn into_account(self) -> Result<Account, CliError> {
        if let Some(file) = self.file {
            let (origin, text) = read_text(&file)?;
            return json::parse(&origin, &text);
        }
        let address = Address {
            country: self.country,
            state: self.state,
            city: self.city,
            postal_code: self.postal_code,
        };
        Ok(Account {
            account_id: self.account.unwrap_or_default(),
            company_name: self.company_name,
            payer_account_id: self.payer,
            seller: self.seller.then_some(SellerProfile { invoicing_entity: self.invoicing_entity }),
            address: (address != Address::default()).then_some(address),
            email_domain: self.email_domain,
            access_keys: Vec::new(),
            invoice_terms: self.invoice_terms,
            private_marketplace_admin_account_id: self.private_marketplace_admin,
            net_days: self.net_days,
            tax: self.tax.map(|percent| Tax {
                percent,
                liable: match self.seller_is_liable {
                    true => TaxLiability::Seller.into(),
                    false => TaxLiability::Aws.into(),
                },
            }),
        })
    }
}

impl AccountCommand {
    pub async fn run(self, session: &mut Session<'_>) -> Result<(), CliError> {
        let sandbox = session.sandbox.clone();
        match self {
            AccountCommand::Put(put) => {
                let account = put.into_account()?;
                let stored = session.connect().await?.put_account(&sandbox, account).await?;
                session.show(&one(&stored)?)
            }
            AccountCommand::Show { account } => {
                let account = session.connect().await?.get_account(&sandbox, &account).await?;
                session.show(&one(&account)?)
            }
            AccountCommand::List => {
                let accounts = session.connect().await?.all_accounts(&sandbox).await?;
                let rows = accounts.iter().map(row).collect();
                session.show(&View::of_list(columns(), rows, json::of_all(&accounts)?))
            }
        }
    }
}

fn one(account: &Account) -> Result<View, CliError> {
    let mut facts = vec![
        ("account_id", account.account_id.clone()),
        ("company_name", account.company_name.clone()),
        ("payer_account_id", account.payer_account_id.clone()),
        ("seller", seller_word(account).to_owned()),
    ];
    if let Some(seller) = &account.seller {
        facts.push(("invoicing_entity", seller.invoicing_entity.clone()));
    }
    facts.push(("address", account.address.as_ref().map(one_line).unwrap_or_default()));
    facts.push(("email_domain", account.email_domain.clone()));
    let keys: Vec<_> = account.access_keys.iter().map(|key| key.access_key_id.as_str()).collect();
    facts.push(("access_keys", keys.join(", ")));
    Ok(View::of_facts(facts, json::of(account)?))
}

fn one_line(address: &Address) -> String {
    let parts = [&address.city, &address.state, &address.postal_code, &address.country];
    let filled: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).map(String::as_str).collect();
    filled.join(", ")
}

fn seller_word(account: &Account) -> &'static str {
    if account.seller.is_some() { "yes" } else { "no" }
}

fn columns() -> Vec<Column> {
    ["account_id", "company_name", "payer_account_id", "seller", "country", "email_domain"].map(text).into()
}

fn row(account: &Account) -> Vec<String> {
    vec![
        account.account_id.clone(),
        account.company_name.clone(),
        account.payer_account_id.clone(),
        seller_word(account).to_owned(),
        account.address.as_ref().map(|address| address.country.clone()).unwrap_or_default(),
        account.email_domain.clone(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_shown_without_empty_parts_of_its_address() {
        let account = Account {
            account_id: "111111111111".to_owned(),
            company_name: "Seller Ltd".to_owned(),
            payer_account_id: "111111111111".to_owned(),
            seller: Some(SellerProfile { invoicing_entity: "AWS EMEA SARL".to_owned() }),
            address: Some(Address {
                country: "LU".to_owned(),
                city: "Luxembourg".to_owned(),
                ..Address::default()
            }),
            ..Account::default()
        };
        insta::assert_snapshot!(one(&account).unwrap().to_table(), @r"
        Account id        111111111111
        Company name      Seller Ltd
        Payer account id  111111111111
        Seller            yes
        Invoicing entity  AWS EMEA SARL
        Address           Luxembourg, LU
        Email domain
        Access keys
        ");
    }
}
