//! Sandboxes: their names, rules and clocks, and the documents that make them.

use souk_core::catalog::Clock;
use souk_core::ids::{AccountId, OfferId, SandboxName};
use souk_core::rejection::{Code, Rejection};
use souk_core::rules::{IdenticalRetry, MeteringWindow, OfferIdColumn, Profile, Rules};
use souk_core::time::Timestamp;
use souk_proto::sandbox::v1 as proto;

use super::account::from_proto_account;
use super::catalog::{from_proto_offer, from_proto_product};
use super::terms::from_proto_configuration;
use super::time::{from_proto_optional_time, from_proto_time, to_proto_time};
use super::{from_proto_enum, required_text};
use crate::control::document::{ClockPlan, DocumentPlan, PlannedAgreement};

/// Letters, digits and hyphens of a sandbox's name at most.
pub const NAME_LENGTH_MAX: usize = 63;

/// Reads a document; fields are paths in it, such as `offers[0].terms[1].usageBasedPricing.currencyCode`.
///
/// # Errors
/// The first value that does not have its form.
pub fn from_proto_document(document: proto::SandboxDocument) -> Result<DocumentPlan, Rejection> {
    let proto::SandboxDocument { description, clock, rules, accounts, products, offers, agreements } =
        document;
    let clock = clock.map(|clock| from_proto_clock_setting(clock).map_err(|r| r.within("clock")));
    Ok(DocumentPlan {
        description,
        rules: from_proto_rules(rules.unwrap_or_default()).map_err(|r| r.within("rules"))?,
        clock: clock.transpose()?.unwrap_or(ClockPlan::Follow),
        accounts: each("accounts", accounts, from_proto_account)?,
        products: each("products", products, from_proto_product)?,
        offers: each("offers", offers, from_proto_offer)?,
        agreements: each("agreements", agreements, from_proto_accepted_agreement)?,
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

/// Reads rules: those of the profile, changed by every field that is said.
///
/// # Errors
/// A value that the contract does not have.
pub fn from_proto_rules(rules: proto::Rules) -> Result<Rules, Rejection> {
    let of_profile = Rules::of(from_proto_profile(rules.profile)?);
    Ok(Rules {
        profile: of_profile.profile,
        max_dimensions: rules.max_dimensions.unwrap_or(of_profile.max_dimensions),
        max_private_offer_buyers: rules
            .max_private_offer_buyers
            .unwrap_or(of_profile.max_private_offer_buyers),
        metering_window: from_proto_metering_window(rules.metering_window)?
            .unwrap_or(of_profile.metering_window),
        decreases_immediate: rules.decreases_immediate.unwrap_or(of_profile.decreases_immediate),
        offer_id_column: from_proto_offer_id_column(rules.offer_id_column)?
            .unwrap_or(of_profile.offer_id_column),
        identical_retry: from_proto_identical_retry(rules.identical_retry)?
            .unwrap_or(of_profile.identical_retry),
    })
}

/// Rules with every field filled.
pub fn to_proto_rules(rules: &Rules) -> proto::Rules {
    proto::Rules {
        profile: to_proto_profile(rules.profile).into(),
        max_dimensions: Some(rules.max_dimensions),
        max_private_offer_buyers: Some(rules.max_private_offer_buyers),
        metering_window: to_proto_metering_window(rules.metering_window).into(),
        decreases_immediate: Some(rules.decreases_immediate),
        offer_id_column: to_proto_offer_id_column(rules.offer_id_column).into(),
        identical_retry: to_proto_identical_retry(rules.identical_retry).into(),
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

fn from_proto_profile(number: i32) -> Result<Profile, Rejection> {
    match from_proto_enum(number, "profile")? {
        proto::RulesProfile::Unspecified | proto::RulesProfile::Source => Ok(Profile::Source),
        proto::RulesProfile::RulesProfile2026 => Ok(Profile::Y2026),
    }
}

fn to_proto_profile(profile: Profile) -> proto::RulesProfile {
    match profile {
        Profile::Source => proto::RulesProfile::Source,
        Profile::Y2026 => proto::RulesProfile::RulesProfile2026,
    }
}

fn from_proto_metering_window(number: i32) -> Result<Option<MeteringWindow>, Rejection> {
    let window = match from_proto_enum(number, "meteringWindow")? {
        proto::MeteringWindow::Unspecified => return Ok(None),
        proto::MeteringWindow::MeteringWindow24Hours => MeteringWindow::Hours(24),
        proto::MeteringWindow::MeteringWindow6Hours => MeteringWindow::Hours(6),
        proto::MeteringWindow::MeteringWindow1Hour => MeteringWindow::Hours(1),
        proto::MeteringWindow::OpenMonth => MeteringWindow::OpenMonth,
    };
    Ok(Some(window))
}

fn to_proto_metering_window(window: MeteringWindow) -> proto::MeteringWindow {
    match window {
        MeteringWindow::Hours(24) => proto::MeteringWindow::MeteringWindow24Hours,
        MeteringWindow::Hours(6) => proto::MeteringWindow::MeteringWindow6Hours,
        MeteringWindow::Hours(1) => proto::MeteringWindow::MeteringWindow1Hour,
        // No document can say other hours; if the contract learns some, this says that it cannot say them.
        MeteringWindow::Hours(_) => proto::MeteringWindow::Unspecified,
        MeteringWindow::OpenMonth => proto::MeteringWindow::OpenMonth,
    }
}

fn from_proto_offer_id_column(number: i32) -> Result<Option<OfferIdColumn>, Rejection> {
    Ok(match from_proto_enum(number, "offerIdColumn")? {
        proto::OfferIdColumn::Unspecified => None,
        proto::OfferIdColumn::Legacy => Some(OfferIdColumn::Legacy),
        proto::OfferIdColumn::Dashboard => Some(OfferIdColumn::Dashboard),
    })
}

fn to_proto_offer_id_column(column: OfferIdColumn) -> proto::OfferIdColumn {
    match column {
        OfferIdColumn::Legacy => proto::OfferIdColumn::Legacy,
        OfferIdColumn::Dashboard => proto::OfferIdColumn::Dashboard,
    }
}

fn from_proto_identical_retry(number: i32) -> Result<Option<IdenticalRetry>, Rejection> {
    Ok(match from_proto_enum(number, "identicalRetry")? {
        proto::IdenticalRetry::Unspecified => None,
        proto::IdenticalRetry::Success => Some(IdenticalRetry::Success),
        proto::IdenticalRetry::DuplicateRecord => Some(IdenticalRetry::DuplicateRecord),
    })
}

fn to_proto_identical_retry(retry: IdenticalRetry) -> proto::IdenticalRetry {
    match retry {
        IdenticalRetry::Success => proto::IdenticalRetry::Success,
        IdenticalRetry::DuplicateRecord => proto::IdenticalRetry::DuplicateRecord,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use souk_core::rejection::Code::{FieldInvalid, FieldMissing};
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
    fn what_rules_leave_out_is_the_profiles() {
        let of_2026 = proto::RulesProfile::RulesProfile2026.into();
        assert_eq!(from_proto_rules(proto::Rules::default()), Ok(Rules::of(Profile::Source)));
        let rules = proto::Rules { profile: of_2026, ..Default::default() };
        assert_eq!(from_proto_rules(rules), Ok(Rules::of(Profile::Y2026)));
        let rules = proto::Rules {
            profile: of_2026,
            max_dimensions: Some(0),
            decreases_immediate: Some(false),
            metering_window: proto::MeteringWindow::OpenMonth.into(),
            ..Default::default()
        };
        let expected = Rules {
            max_dimensions: 0,
            decreases_immediate: false,
            metering_window: MeteringWindow::OpenMonth,
            ..Rules::of(Profile::Y2026)
        };
        assert_eq!(from_proto_rules(rules), Ok(expected));
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
        let configuration = Some(UpfrontConfiguration::default());
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
            (with_agreement(unconfigured), FieldMissing, "agreements[1].configuration.duration"),
        ] {
            assert_eq!(refusal(from_proto_document(document)), Some((code, field.to_owned())));
        }
    }

    prop_compose! {
        fn rules()(
            profile in prop_oneof![Just(Profile::Source), Just(Profile::Y2026)],
            max_dimensions in any::<u32>(),
            max_private_offer_buyers in any::<u32>(),
            metering_window in prop_oneof![
                prop::sample::select(vec![1, 6, 24]).prop_map(MeteringWindow::Hours),
                Just(MeteringWindow::OpenMonth),
            ],
            decreases_immediate in any::<bool>(),
            offer_id_column in prop_oneof![Just(OfferIdColumn::Legacy), Just(OfferIdColumn::Dashboard)],
            identical_retry in prop_oneof![
                Just(IdenticalRetry::Success),
                Just(IdenticalRetry::DuplicateRecord),
            ],
        ) -> Rules {
            Rules {
                profile,
                max_dimensions,
                max_private_offer_buyers,
                metering_window,
                decreases_immediate,
                offer_id_column,
                identical_retry,
            }
        }
    }

    proptest! {
        #[test]
        fn rules_come_back_as_they_went_out(rules in rules()) {
            prop_assert_eq!(from_proto_rules(to_proto_rules(&rules)), Ok(rules));
        }
    }
}
