//! Sandboxes: their names and clocks, and the documents that make them.

use souk_core::catalog::{Clock, PublicKeyVersion};
use souk_core::ids::{AccountId, OfferId, SandboxName};
use souk_core::rejection::{Code, Rejection};
use souk_core::time::Timestamp;
use souk_proto::sandbox::v1 as proto;

use super::account::from_proto_account;
use super::catalog::{from_proto_offer, from_proto_product};
use super::fault::from_proto_fault_rule;
use super::required_text;
use super::resale::from_proto_authorization;
use super::rules::from_proto_rules;
use super::terms::from_proto_configuration;
use super::time::{from_proto_optional_time, from_proto_time, to_proto_time};
use crate::app::register_usage::PublicKey;
use crate::control::document::{ClockPlan, DocumentPlan, PlannedAgreement};

/// Letters, digits and hyphens of a sandbox's name at most.
pub const NAME_LENGTH_MAX: usize = 63;

/// Reads a document; fields are paths in it, such as `offers[0].terms[1].usageBasedPricing.currencyCode`.
///
/// # Errors
/// The first value that does not have its form.
pub fn from_proto_document(document: proto::SandboxDocument) -> Result<DocumentPlan, Rejection> {
    let proto::SandboxDocument {
        description,
        clock,
        rules,
        accounts,
        products,
        resale_authorizations,
        offers,
        agreements,
        public_keys,
        faults,
    } = document;
    let clock = clock.map(|clock| from_proto_clock_setting(clock).map_err(|r| r.within("clock")));
    Ok(DocumentPlan {
        description,
        rules: from_proto_rules(rules.unwrap_or_default()).map_err(|r| r.within("rules"))?,
        clock: clock.transpose()?.unwrap_or(ClockPlan::Follow),
        accounts: each("accounts", accounts, from_proto_account)?,
        products: each("products", products, from_proto_product)?,
        resale_authorizations: each("resaleAuthorizations", resale_authorizations, from_proto_authorization)?,
        offers: each("offers", offers, from_proto_offer)?,
        agreements: each("agreements", agreements, from_proto_accepted_agreement)?,
        public_keys: each("publicKeys", public_keys, from_proto_public_key)?,
        faults: each("faults", faults, from_proto_fault_rule)?,
    })
}

fn from_proto_public_key(key: proto::PublicKeyVersion) -> Result<PublicKeyVersion, Rejection> {
    let proto::PublicKeyVersion { version, rotation_time, private_key } = key;
    Ok(PublicKeyVersion {
        version,
        rotated_at: from_proto_optional_time(rotation_time, "rotationTime")?,
        private_key: (!private_key.is_empty()).then_some(private_key),
    })
}

/// Reads a sandbox's name.
///
/// # Errors
/// `FIELD_MISSING`, and `FIELD_INVALID` for anything but 1 to 63 lower-case letters, digits and inner hyphens.
pub fn from_proto_sandbox_name(name: &str, field: &str) -> Result<SandboxName, Rejection> {
    let name = required_text(name, field)?;
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let well_formed = name.len() <= NAME_LENGTH_MAX
        && name.bytes().all(allowed)
        && !name.starts_with('-')
        && !name.ends_with('-');
    match well_formed {
        true => Ok(SandboxName::new(name)),
        false => {
            let message = format!(
                "\"{name}\" is no sandbox name: give 1 to {NAME_LENGTH_MAX} lower-case letters, digits and \
                 hyphens, with no hyphen at either end"
            );
            Err(Rejection::new(Code::FieldInvalid, field, message))
        }
    }
}

/// Reads how a clock shall run; it follows the machine's when nothing is said.
///
/// # Errors
/// A time outside of the calendar.
pub fn from_proto_clock_setting(clock: proto::ClockSetting) -> Result<ClockPlan, Rejection> {
    match clock.setting {
        Some(proto::clock_setting::Setting::At(at)) => from_proto_time(Some(at), "at").map(ClockPlan::At),
        Some(proto::clock_setting::Setting::Follow(proto::FollowMachine {})) | None => Ok(ClockPlan::Follow),
    }
}

/// A clock as it stands when the machine's shows `machine`.
pub fn to_proto_clock(clock: Clock, machine: Timestamp) -> proto::Clock {
    let following = match clock {
        Clock::Stopped(_) => false,
        Clock::Following(_) => true,
    };
    proto::Clock { now: Some(to_proto_time(clock.now(machine))), following }
}

/// A public key that verifies what RegisterUsage answers.
pub fn to_proto_public_key(key: &PublicKey) -> proto::PublicKey {
    proto::PublicKey {
        version: key.version,
        public_key: key.pem.clone(),
        rotation_time: key.rotated_at.map(to_proto_time),
    }
}

fn each<T, U>(
    field: &str,
    values: Vec<T>,
    read: impl Fn(T) -> Result<U, Rejection>,
) -> Result<Vec<U>, Rejection> {
    let read = |(index, value)| read(value).map_err(|r| r.within(&format!("{field}[{index}]")));
    values.into_iter().enumerate().map(read).collect()
}

fn from_proto_accepted_agreement(agreement: proto::AcceptedAgreement) -> Result<PlannedAgreement, Rejection> {
    let offer = OfferId::new(required_text(&agreement.offer_id, "offerId")?);
    let buyer = AccountId::from_field(&agreement.buyer_account_id, "buyerAccountId")?;
    let at = from_proto_optional_time(agreement.acceptance_time, "acceptanceTime")?;
    let configuration = agreement.configuration.map(from_proto_configuration).transpose();
    let configuration = configuration.map_err(|r| r.within("configuration"))?;
    Ok(PlannedAgreement { offer, buyer, at, configuration })
}

#[cfg(test)]
mod tests {
    use souk_core::rejection::Code::{FieldInvalid, FieldMissing};
    use souk_core::rules::{Profile, Rules};
    use souk_proto::account::v1::Account;
    use souk_proto::agreement::v1::UpfrontConfiguration;
    use souk_proto::catalog::v1::{Offer, Product};
    use souk_proto::terms::v1::Term;

    use super::super::refusal;
    use super::*;

    #[test]
    fn sandbox_names_are_host_labels() {
        let [longest, too_long] = [63, 64].map(|length| "a".repeat(length));
        for name in ["a", "0", "a-b", "my-sandbox-2", &longest] {
            assert_eq!(from_proto_sandbox_name(name, "sandbox"), Ok(SandboxName::new(name)), "{name}");
        }
        for name in ["-", "-a", "a-", "A", "a_b", "a.b", "ä", "a b", &too_long] {
            let refused = refusal(from_proto_sandbox_name(name, "sandbox"));
            assert_eq!(refused, Some((FieldInvalid, "sandbox".to_owned())), "{name}");
        }
        let refused = refusal(from_proto_sandbox_name("", "sandbox"));
        assert_eq!(refused, Some((FieldMissing, "sandbox".to_owned())));
    }

    #[test]
    fn a_clock_stops_at_a_time_or_follows() {
        let at = |seconds| proto::ClockSetting {
            setting: Some(proto::clock_setting::Setting::At(prost_types::Timestamp { seconds, nanos: 0 })),
        };
        let follow = Some(proto::clock_setting::Setting::Follow(proto::FollowMachine {}));
        for (setting, plan) in [
            (at(0), ClockPlan::At(Timestamp::MIN)),
            (proto::ClockSetting { setting: follow }, ClockPlan::Follow),
            (proto::ClockSetting { setting: None }, ClockPlan::Follow),
        ] {
            assert_eq!(from_proto_clock_setting(setting), Ok(plan));
        }
        assert_eq!(refusal(from_proto_clock_setting(at(-1))), Some((FieldInvalid, "at".to_owned())));
    }

    #[test]
    fn a_clock_shows_the_sandboxs_time() {
        let machine = Timestamp::MIN.plus_days(1);
        for (clock, now, following) in [
            (Clock::Stopped(Timestamp::MIN), Timestamp::MIN, false),
            (Clock::Following(Timestamp::MIN), machine, true),
        ] {
            let expected = proto::Clock { now: Some(to_proto_time(now)), following };
            assert_eq!(to_proto_clock(clock, machine), expected);
        }
    }

    #[test]
    fn an_empty_document_is_an_empty_sandbox() {
        let plan = from_proto_document(proto::SandboxDocument::default()).unwrap();
        let lengths = [plan.accounts.len(), plan.products.len(), plan.offers.len(), plan.agreements.len()];
        assert_eq!(
            (lengths, plan.clock, plan.rules),
            ([0; 4], ClockPlan::Follow, Rules::of(Profile::Source))
        );
    }

    #[test]
    fn the_example_of_the_reference_converts_whole() {
        let document = crate::document::parse(crate::document::EXAMPLE).unwrap();
        let lengths = |d: &proto::SandboxDocument| {
            [d.accounts.len(), d.products.len(), d.offers.len(), d.agreements.len()]
        };
        let expected = lengths(&document);
        let plan = from_proto_document(document).unwrap();
        assert_eq!(
            [plan.accounts.len(), plan.products.len(), plan.offers.len(), plan.agreements.len()],
            expected
        );
    }

    #[test]
    fn a_wrong_value_of_a_document_is_named_by_its_path() {
        let none = proto::SandboxDocument::default;
        let early = Some(prost_types::Timestamp { seconds: -1, nanos: 0 });
        let clock = proto::ClockSetting { setting: early.map(proto::clock_setting::Setting::At) };
        let rules = proto::Rules::default();
        let right = Account { account_id: "000000000001".to_owned(), ..Default::default() };
        let linked = Account { payer_account_id: "1".to_owned(), ..right.clone() };
        let offer =
            Offer { product_id: "p".to_owned(), terms: vec![Term { term: None }], ..Default::default() };
        let agreement = proto::AcceptedAgreement {
            offer_id: "offer-1".to_owned(),
            buyer_account_id: right.account_id.clone(),
            ..Default::default()
        };
        let with_rules = |rules| proto::SandboxDocument { rules: Some(rules), ..none() };
        let with_offer = |offer| proto::SandboxDocument { offers: vec![offer], ..none() };
        let with_agreement =
            |second| proto::SandboxDocument { agreements: vec![agreement.clone(), second], ..none() };

        let nobody = proto::AcceptedAgreement { buyer_account_id: String::new(), ..agreement.clone() };
        let before_time = proto::AcceptedAgreement { acceptance_time: early, ..agreement.clone() };
        let configuration = Some(UpfrontConfiguration { duration: "12".to_owned(), ..Default::default() });
        let unconfigured = proto::AcceptedAgreement { configuration, ..agreement.clone() };
        for (document, code, field) in [
            (proto::SandboxDocument { clock: Some(clock), ..none() }, FieldInvalid, "clock.at"),
            (with_rules(proto::Rules { profile: 3, ..rules }), FieldInvalid, "rules.profile"),
            (with_rules(proto::Rules { metering_window: 5, ..rules }), FieldInvalid, "rules.meteringWindow"),
            (with_rules(proto::Rules { offer_id_column: 3, ..rules }), FieldInvalid, "rules.offerIdColumn"),
            (with_rules(proto::Rules { identical_retry: 3, ..rules }), FieldInvalid, "rules.identicalRetry"),
            (
                proto::SandboxDocument { accounts: vec![right.clone(), right, linked], ..none() },
                FieldInvalid,
                "accounts[2].payerAccountId",
            ),
            (
                proto::SandboxDocument { products: vec![Product::default()], ..none() },
                FieldMissing,
                "products[0].sellerAccountId",
            ),
            (with_offer(Offer::default()), FieldMissing, "offers[0].productId"),
            (with_offer(offer), FieldMissing, "offers[0].terms[0]"),
            (with_agreement(Default::default()), FieldMissing, "agreements[1].offerId"),
            (with_agreement(nobody), FieldMissing, "agreements[1].buyerAccountId"),
            (with_agreement(before_time), FieldInvalid, "agreements[1].acceptanceTime"),
            (with_agreement(unconfigured), FieldInvalid, "agreements[1].configuration.duration"),
        ] {
            assert_eq!(refusal(from_proto_document(document)), Some((code, field.to_owned())));
        }
    }
}
