//! The JSON form of the contract's messages, by way of their descriptors.
//!
//! The names are lowerCamelCase, 64-bit integers are strings, enum values are names and fields without a
//! value are left out, as the protobuf JSON mapping says. Object keys come in the order of the alphabet,
//! because the order of a map's keys is otherwise chance.

use std::sync::LazyLock;

use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, SerializeOptions};
use serde_json::Value;
use souk_proto::{account, agreement, billing, catalog, fault, metering, reporting, sandbox, terms};

use super::error::{CliError, wrong_input};

/// A message whose full name is known.
pub trait Named: Message + Default {
    /// Its full name in the contract.
    const NAME: &'static str;
}

macro_rules! named {
    ($($message:ty = $name:literal;)*) => {
        $(impl Named for $message { const NAME: &'static str = $name; })*

        #[cfg(test)]
        const NAMES: &[&str] = &[$($name),*];
    };
}

named! {
    account::v1::Account = "souk.account.v1.Account";
    agreement::v1::Agreement = "souk.agreement.v1.Agreement";
    agreement::v1::AcceptOfferResponse = "souk.agreement.v1.AcceptOfferResponse";
    agreement::v1::Entitlement = "souk.agreement.v1.Entitlement";
    billing::v1::Invoice = "souk.billing.v1.Invoice";
    billing::v1::ExplainInvoiceLineResponse = "souk.billing.v1.ExplainInvoiceLineResponse";
    catalog::v1::AddDimensionsRequest = "souk.catalog.v1.AddDimensionsRequest";
    catalog::v1::GetOfferResponse = "souk.catalog.v1.GetOfferResponse";
    catalog::v1::Offer = "souk.catalog.v1.Offer";
    catalog::v1::PriceChange = "souk.catalog.v1.PriceChange";
    catalog::v1::Product = "souk.catalog.v1.Product";
    catalog::v1::ResaleAuthorization = "souk.catalog.v1.ResaleAuthorization";
    fault::v1::FaultCount = "souk.fault.v1.FaultCount";
    fault::v1::SetFaultsRequest = "souk.fault.v1.SetFaultsRequest";
    metering::v1::MeteredRecord = "souk.metering.v1.MeteredRecord";
    metering::v1::RefusedRecord = "souk.metering.v1.RefusedRecord";
    metering::v1::UsageRecord = "souk.metering.v1.UsageRecord";
    metering::v1::UsageRecordResult = "souk.metering.v1.UsageRecordResult";
    reporting::v1::ReportDescription = "souk.reporting.v1.ReportDescription";
    sandbox::v1::AdvanceClockResponse = "souk.sandbox.v1.AdvanceClockResponse";
    sandbox::v1::Clock = "souk.sandbox.v1.Clock";
    sandbox::v1::GetSandboxResponse = "souk.sandbox.v1.GetSandboxResponse";
    sandbox::v1::Sandbox = "souk.sandbox.v1.Sandbox";
    sandbox::v1::SandboxEvent = "souk.sandbox.v1.SandboxEvent";
    sandbox::v1::SandboxSummary = "souk.sandbox.v1.SandboxSummary";
    terms::v1::Term = "souk.terms.v1.Term";
}

static POOL: LazyLock<Result<DescriptorPool, String>> = LazyLock::new(|| {
    DescriptorPool::decode(souk_proto::FILE_DESCRIPTOR_SET).map_err(|error| error.to_string())
});

fn descriptor<M: Named>() -> Result<MessageDescriptor, CliError> {
    let pool = POOL.as_ref().map_err(|error| CliError::Contract(error.clone()))?;
    pool.get_message_by_name(M::NAME).ok_or_else(|| CliError::Contract(M::NAME.to_owned()))
}

/// Writes a message as JSON.
pub fn of<M: Named>(message: &M) -> Result<Value, CliError> {
    let unreadable = |error: String| CliError::Contract(format!("{} like this one: {error}", M::NAME));
    let dynamic = DynamicMessage::decode(descriptor::<M>()?, message.encode_to_vec().as_slice())
        .map_err(|error| unreadable(error.to_string()))?;
    dynamic
        .serialize_with_options(serde_json::value::Serializer, &SerializeOptions::new())
        .map_err(|error| unreadable(error.to_string()))
}

/// Writes messages as a JSON array.
pub fn of_all<'a, M: Named + 'a>(messages: impl IntoIterator<Item = &'a M>) -> Result<Value, CliError> {
    messages.into_iter().map(of).collect::<Result<Vec<_>, _>>().map(Value::Array)
}

/// Reads a message from JSON text; an error names line and column.
pub fn parse<M: Named>(origin: &str, text: &str) -> Result<M, CliError> {
    let mut source = serde_json::Deserializer::from_str(text);
    let parsed = DynamicMessage::deserialize(descriptor::<M>()?, &mut source)
        .and_then(|message| source.end().map(|()| message));
    let message = parsed.map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let problem = error.to_string();
        // The place is said in front already.
        let problem = problem.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&problem);
        wrong_input(origin, text, line, column, problem)
    })?;
    transcode(&message)
}

/// Reads a message from a JSON value.
pub fn from_value<M: Named>(place: &str, value: Value) -> Result<M, CliError> {
    let message = DynamicMessage::deserialize(descriptor::<M>()?, value)
        .map_err(|error| wrong_input(place, "", 0, 0, &error.to_string()))?;
    transcode(&message)
}

fn transcode<M: Named>(message: &DynamicMessage) -> Result<M, CliError> {
    message.transcode_to().map_err(|error| CliError::Contract(format!("{} like this one: {error}", M::NAME)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;
    use souk_proto::account::v1::{Account, SellerProfile};
    use souk_proto::catalog::v1::{Offer, Product, ProductType};
    use souk_proto::terms::v1::term::Term as Kind;
    use souk_proto::terms::v1::{Term, UsageBasedPricingTerm};

    use super::*;

    #[test]
    fn every_name_is_in_the_contract() {
        let pool = POOL.as_ref().unwrap();
        for name in NAMES {
            assert!(pool.get_message_by_name(name).is_some(), "{name}");
        }
    }

    #[test]
    fn a_message_is_written_with_camel_case_and_without_empty_fields() {
        let account = Account {
            account_id: "111111111111".to_owned(),
            seller: Some(SellerProfile::default()),
            ..Account::default()
        };
        assert_eq!(of(&account).unwrap(), json!({"accountId": "111111111111", "seller": {}}));
    }

    #[test]
    fn an_offer_is_read_as_it_was_written() {
        let rate_card: BTreeMap<_, _> =
            [("hosts", "0.10"), ("users", "2"), ("data", "0.00000001")].map(own).into();
        let priced = UsageBasedPricingTerm { currency_code: "USD".to_owned(), rate_card };
        let offer = Offer {
            product_id: "prod-1".to_owned(),
            terms: vec![Term { term: Some(Kind::UsageBasedPricing(priced)) }],
            ..Offer::default()
        };
        let text = of(&offer).unwrap().to_string();
        assert_eq!(
            text,
            r#"{"productId":"prod-1","terms":[{"usageBasedPricing":{"currencyCode":"USD","rateCard":{"data":"0.00000001","hosts":"0.10","users":"2"}}}]}"#
        );
        assert_eq!(parse::<Offer>("stdin", &text).unwrap(), offer);
    }

    fn own((key, value): (&str, &str)) -> (String, String) {
        (key.to_owned(), value.to_owned())
    }

    #[test]
    fn names_are_read_in_both_spellings() {
        for text in [
            r#"{"title": "T", "productType": "PRODUCT_TYPE_SAAS"}"#,
            r#"{"title": "T", "product_type": "PRODUCT_TYPE_SAAS"}"#,
        ] {
            let product: Product = parse("stdin", text).unwrap();
            assert_eq!(product.product_type(), ProductType::Saas);
        }
    }

    #[test]
    fn wrong_json_is_told_with_its_place() {
        let table = [
            ("{\"tittle\": \"T\"}", "product.json:1:9: "),
            ("{\n  \"title\": 7\n}", "product.json:2:12: "),
            ("{\n  \"productType\": \"SOAP\"\n}", "product.json:2:"),
            ("{} {}", "product.json:1:4: trailing characters"),
            ("", "product.json:1"),
        ];
        for (text, expected) in table {
            let error = parse::<Product>("product.json", text).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{text} gave {error}");
        }
    }
}
