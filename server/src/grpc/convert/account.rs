//! Accounts. Secrets come in and never go out.

use souk_core::catalog::account::DEFAULT_ENTITY;
use souk_core::catalog::{AccessKey, Account, Address, TaxLiability, TaxRate};
use souk_core::ids::AccountId;
use souk_core::money::Rate;
use souk_core::rejection::{Code, Rejection};
use souk_proto::account::v1 as proto;

/// Reads an account.
///
/// # Errors
/// An account id, its own or its payer's, that is absent or not of twelve digits.
pub fn from_proto_account(account: proto::Account) -> Result<Account, Rejection> {
    let id = AccountId::from_field(&account.account_id, "accountId")?;
    let payer = match account.payer_account_id.as_str() {
        "" => id,
        payer => AccountId::from_field(payer, "payerAccountId")?,
    };
    Ok(Account {
        id,
        company_name: account.company_name,
        payer,
        invoicing_entity: account.seller.map(|seller| match seller.invoicing_entity.is_empty() {
            true => DEFAULT_ENTITY.to_owned(),
            false => seller.invoicing_entity,
        }),
        address: account.address.map(from_proto_address).unwrap_or_default(),
        email_domain: account.email_domain,
        invoice_terms: account.invoice_terms,
        private_marketplace_admin: match account.private_marketplace_admin_account_id.as_str() {
            "" => None,
            admin => Some(AccountId::from_field(admin, "privateMarketplaceAdminAccountId")?),
        },
        net_days: account.net_days,
        tax: account.tax.map(|tax| from_proto_tax(&tax).map_err(|r| r.within("tax"))).transpose()?,
        access_keys: account.access_keys.into_iter().map(from_proto_access_key).collect(),
    })
}

/// An account, without secrets.
pub fn to_proto_account(account: &Account) -> proto::Account {
    let Account {
        id,
        company_name,
        payer,
        invoicing_entity,
        address,
        email_domain,
        invoice_terms,
        private_marketplace_admin,
        net_days,
        tax,
        access_keys,
    } = account;
    let key = |key: &AccessKey| proto::AccessKey {
        access_key_id: key.id.clone(),
        secret_access_key: String::new(),
    };
    proto::Account {
        account_id: id.to_string(),
        company_name: company_name.clone(),
        payer_account_id: payer.to_string(),
        seller: invoicing_entity.clone().map(|invoicing_entity| proto::SellerProfile { invoicing_entity }),
        address: (*address != Address::default()).then(|| to_proto_address(address)),
        email_domain: email_domain.clone(),
        access_keys: access_keys.iter().map(key).collect(),
        invoice_terms: *invoice_terms,
        private_marketplace_admin_account_id: private_marketplace_admin
            .map(|admin| admin.to_string())
            .unwrap_or_default(),
        net_days: *net_days,
        tax: tax.map(|TaxRate { percent, liable }| proto::Tax {
            percent: percent.number(),
            liable: match liable {
                TaxLiability::Aws => proto::TaxLiability::Aws.into(),
                TaxLiability::Seller => proto::TaxLiability::Seller.into(),
            },
        }),
    }
}

fn from_proto_tax(tax: &proto::Tax) -> Result<TaxRate, Rejection> {
    let hundred = Rate::from_hundredths_of_percent(10_000);
    let percent = Rate::parse(&tax.percent).filter(|percent| *percent <= hundred).ok_or_else(|| {
        let message = format!("\"{}\" is no percentage from 0 to 100 with at most 2 decimals", tax.percent);
        Rejection::new(Code::FieldInvalid, "percent", message)
    })?;
    let liable = match proto::TaxLiability::try_from(tax.liable) {
        Ok(proto::TaxLiability::Unspecified | proto::TaxLiability::Aws) => TaxLiability::Aws,
        Ok(proto::TaxLiability::Seller) => TaxLiability::Seller,
        Err(_) => {
            let message = format!("{} is nobody: take AWS or SELLER", tax.liable);
            return Err(Rejection::new(Code::FieldInvalid, "liable", message));
        }
    };
    Ok(TaxRate { percent, liable })
}

fn from_proto_address(address: proto::Address) -> Address {
    let proto::Address { country, state, city, postal_code } = address;
    Address { country, state, city, postal_code }
}

fn to_proto_address(address: &Address) -> proto::Address {
    let Address { country, state, city, postal_code } = address.clone();
    proto::Address { country, state, city, postal_code }
}

fn from_proto_access_key(key: proto::AccessKey) -> AccessKey {
    AccessKey { id: key.access_key_id, secret: key.secret_access_key }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::{collection, option};
    use souk_core::rejection::Code::{FieldInvalid, FieldMissing};

    use super::super::refusal;
    use super::*;

    #[test]
    fn account_ids_have_twelve_digits() {
        for (id, payer, code, field) in [
            ("", "", FieldMissing, "accountId"),
            ("12345678901", "", FieldInvalid, "accountId"),
            ("000000000001", "2", FieldInvalid, "payerAccountId"),
        ] {
            let account = proto::Account {
                account_id: id.to_owned(),
                payer_account_id: payer.to_owned(),
                ..Default::default()
            };
            assert_eq!(refusal(from_proto_account(account)), Some((code, field.to_owned())), "{id} {payer}");
        }
    }

    #[test]
    fn what_is_absent_has_its_default() {
        let account = proto::Account { account_id: "000000000001".to_owned(), ..Default::default() };
        let buyer = from_proto_account(account.clone()).unwrap();
        assert_eq!((buyer.payer, buyer.invoicing_entity), (buyer.id, None));
        let seller =
            from_proto_account(proto::Account { seller: Some(proto::SellerProfile::default()), ..account })
                .unwrap();
        assert_eq!(seller.invoicing_entity.as_deref(), Some(DEFAULT_ENTITY));
    }

    #[test]
    fn a_tax_is_a_percentage_and_somebody_is_liable() {
        let account = |percent: &str, liable| proto::Account {
            account_id: "000000000001".to_owned(),
            tax: Some(proto::Tax { percent: percent.to_owned(), liable }),
            ..Default::default()
        };
        let aws = from_proto_account(account("20.6", 0)).unwrap().tax.unwrap();
        assert_eq!((aws.percent.to_string().as_str(), aws.liable), ("20.6 %", TaxLiability::Aws));
        for (percent, liable, field) in [
            ("", 1, "tax.percent"),
            ("100.01", 1, "tax.percent"),
            ("20.605", 1, "tax.percent"),
            ("-1", 1, "tax.percent"),
            ("20.6", 3, "tax.liable"),
        ] {
            let refused = refusal(from_proto_account(account(percent, liable)));
            assert_eq!(refused, Some((FieldInvalid, field.to_owned())), "{percent} {liable}");
        }
    }

    fn account_id() -> impl Strategy<Value = AccountId> {
        (0_u64..1_000_000_000_000).prop_map(|number| AccountId::from_number(number).unwrap())
    }

    prop_compose! {
        fn account()(
            (id, payer, private_marketplace_admin) in (account_id(), account_id(), option::of(account_id())),
            [company_name, country, state, city] in any::<[String; 4]>(),
            [postal_code, email_domain] in any::<[String; 2]>(),
            invoicing_entity in option::of(".{1,10}"),
            (invoice_terms, net_days) in any::<(bool, Option<u32>)>(),
            tax in option::of((0_u32..=10_000, any::<bool>())),
            access_keys in collection::vec(any::<(String, String)>(), 0..3),
        ) -> Account {
            let address = Address { country, state, city, postal_code };
            let access_keys = access_keys.into_iter().map(|(id, secret)| AccessKey { id, secret }).collect();
            Account {
                id,
                company_name,
                payer,
                invoicing_entity,
                address,
                email_domain,
                invoice_terms,
                private_marketplace_admin,
                net_days,
                tax: tax.map(|(hundredths, sellers)| TaxRate {
                    percent: Rate::from_hundredths_of_percent(hundredths),
                    liable: if sellers { TaxLiability::Seller } else { TaxLiability::Aws },
                }),
                access_keys,
            }
        }
    }

    proptest! {
        #[test]
        fn accounts_come_back_as_they_went_out_but_for_secrets(account in account()) {
            let mut bare = account.clone();
            bare.access_keys.iter_mut().for_each(|key| key.secret.clear());
            prop_assert_eq!(from_proto_account(to_proto_account(&account)), Ok(bare));
        }
    }
}
