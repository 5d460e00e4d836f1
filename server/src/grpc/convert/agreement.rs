//! Agreements and what was bought upfront under them. What a buyer configures is read in [`super::terms`].

use souk_core::agreement::refund_window::RefundWindows;
use souk_core::agreement::{
    Agreement, AgreementStatus, Entitlement, Instalment, InstalmentState, UpfrontPurchase,
};
use souk_core::catalog::Offer;
use souk_core::ids::{ProductId, SandboxName};
use souk_core::terms::UpfrontKind;
use souk_core::time::Timestamp;
use souk_proto::agreement::v1 as proto;

use super::terms::{to_proto_quantities, to_proto_rate_card};
use super::time::to_proto_time;
use crate::app::registration_token::RegistrationToken;

/// An agreement with its purchases; how long these may be given back, its offer says.
pub fn to_proto_agreement(agreement: &Agreement, offer: Option<&Offer>) -> proto::Agreement {
    proto::Agreement {
        agreement_id: agreement.id.to_string(),
        initial_agreement_id: agreement.initial_id.to_string(),
        license_arn: agreement.licence.to_string(),
        buyer_account_id: agreement.buyer.to_string(),
        payer_account_id: agreement.payer.to_string(),
        seller_account_id: agreement.seller.to_string(),
        product_id: agreement.product.to_string(),
        offer_id: agreement.offer.to_string(),
        acceptance_time: Some(to_proto_time(agreement.accepted_at)),
        start_time: Some(to_proto_time(agreement.start)),
        end_time: agreement.end().map(to_proto_time),
        status: to_proto_agreement_status(agreement.status).into(),
        upfront_purchases: agreement
            .purchases
            .iter()
            .filter(|purchase| purchase.kind != UpfrontKind::Monthly)
            .map(|purchase| to_proto_purchase(purchase, agreement, offer))
            .collect(),
        instalments: (1..).zip(&agreement.instalments).map(to_proto_instalment).collect(),
        agreement_value: agreement.contract_value().map(|value| value.to_string()).unwrap_or_default(),
    }
}

fn to_proto_instalment((number, instalment): (u32, &Instalment)) -> proto::Instalment {
    let status = match instalment.state {
        InstalmentState::Pending => proto::InstalmentStatus::Pending,
        InstalmentState::Invoiced => proto::InstalmentStatus::Invoiced,
        InstalmentState::Cancelled => proto::InstalmentStatus::Cancelled,
    };
    proto::Instalment {
        number,
        due_time: Some(to_proto_time(instalment.due)),
        amount: instalment.amount.to_string(),
        status: status.into(),
    }
}

/// A registration token.
pub fn to_proto_registration_token(
    token: &RegistrationToken,
    name: &SandboxName,
) -> proto::RegistrationToken {
    proto::RegistrationToken {
        agreement_id: token.agreement.to_string(),
        registration_token: token.print(name),
        expiration_time: Some(to_proto_time(token.expires)),
    }
}

/// An upfront purchase.
fn to_proto_purchase(
    purchase: &UpfrontPurchase,
    agreement: &Agreement,
    offer: Option<&Offer>,
) -> proto::UpfrontPurchase {
    let amended = agreement.is_amended(purchase);
    let ended_early = purchase.ended_early_at.map(to_proto_time);
    let windows = offer.and_then(|offer| RefundWindows::of(agreement, purchase, offer));
    proto::UpfrontPurchase {
        number: purchase.number,
        quantities: to_proto_quantities(&purchase.quantities),
        purchase_time: Some(to_proto_time(agreement.bought_at(purchase))),
        start_time: Some(to_proto_time(purchase.start)),
        end_time: Some(to_proto_time(purchase.end)),
        duration: purchase.duration.to_string(),
        auto_renew: purchase.auto_renew,
        unit_prices: to_proto_rate_card(&purchase.unit_prices),
        fixed_price: purchase.fixed_price.map(|price| price.to_string()).unwrap_or_default(),
        currency_code: purchase.currency.code().to_owned(),
        amendment_time: ended_early.filter(|_| amended),
        refund_time: ended_early.filter(|_| !amended),
        refund_windows: windows.map(|windows| proto::RefundWindows {
            full_until: Some(to_proto_time(windows.full)),
            pro_rata_until: windows.pro_rata.map(to_proto_time),
            downgrade_until: windows.downgrade.map(to_proto_time),
        }),
    }
}

/// What a contract on a product entitles to.
pub fn to_proto_entitlement(
    entitlement: &Entitlement,
    product: &ProductId,
    now: Timestamp,
) -> proto::Entitlement {
    let Entitlement { dimension, quantity, start, expires, licence, buyer, agreement } = entitlement;
    let status = match *start <= now {
        true => proto::EntitlementStatus::Provisioned,
        false => proto::EntitlementStatus::Scheduled,
    };
    proto::Entitlement {
        product_id: product.to_string(),
        dimension: dimension.to_string(),
        quantity: *quantity,
        expiration_time: Some(to_proto_time(*expires)),
        license_arn: licence.to_string(),
        buyer_account_id: buyer.to_string(),
        agreement_id: agreement.to_string(),
        start_time: Some(to_proto_time(*start)),
        status: status.into(),
    }
}

/// Where an agreement stands.
pub fn to_proto_agreement_status(status: AgreementStatus) -> proto::AgreementStatus {
    match status {
        AgreementStatus::Active => proto::AgreementStatus::Active,
        AgreementStatus::Cancelled => proto::AgreementStatus::Cancelled,
        AgreementStatus::Expired => proto::AgreementStatus::Expired,
        AgreementStatus::Renewed => proto::AgreementStatus::Renewed,
        AgreementStatus::Replaced => proto::AgreementStatus::Replaced,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use souk_core::agreement::Origin;
    use souk_core::ids::{AccountId, AgreementId, DimensionKey, LicenseArn, OfferId, ProductId};
    use souk_core::money::{Currency, UnitPrice};
    use souk_core::terms::UpfrontKind;
    use souk_core::time::{TermDuration, Timestamp};

    use super::*;

    fn agreement(status: AgreementStatus) -> Agreement {
        let [buyer, payer, seller] = [1, 2, 3].map(|number| AccountId::from_number(number).unwrap());
        let start = Timestamp::MIN.plus_days(1);
        Agreement {
            id: AgreementId::new("agmt-2"),
            number: 2,
            initial_id: AgreementId::new("agmt-1"),
            licence: LicenseArn::new("arn"),
            buyer,
            payer,
            seller,
            product: ProductId::new("prod-1"),
            offer: OfferId::new("offer-1"),
            origin: Origin::Accepted,
            accepted_at: Timestamp::MIN,
            start,
            planned_end: Some(start.plus_days(9)),
            status,
            ended_at: None,
            purchases: vec![UpfrontPurchase {
                number: 1,
                kind: UpfrontKind::Annual,
                duration: TermDuration::Months(12),
                quantities: BTreeMap::from([(DimensionKey::new("large"), 3)]),
                unit_prices: BTreeMap::from([(
                    DimensionKey::new("large"),
                    UnitPrice::from_scaled(5).unwrap(),
                )]),
                currency: Currency::Usd,
                start,
                end: start.plus_months(12),
                auto_renew: true,
                fixed_price: None,
                in_instalments: false,
                ended_early_at: Some(start.plus_days(5)),
                amends: None,
                added_value: None,
                wholesale: None,
            }],
            instalments: vec![Instalment {
                due: start.plus_days(2),
                amount: UnitPrice::from_scaled(1_000_000_000).unwrap(),
                state: InstalmentState::Pending,
            }],
        }
    }

    #[test]
    fn an_agreement_goes_out_with_its_purchases() {
        let day = |days| Some(to_proto_time(Timestamp::MIN.plus_days(days)));
        let expected = proto::Agreement {
            agreement_id: "agmt-2".to_owned(),
            initial_agreement_id: "agmt-1".to_owned(),
            license_arn: "arn".to_owned(),
            buyer_account_id: "000000000001".to_owned(),
            payer_account_id: "000000000002".to_owned(),
            seller_account_id: "000000000003".to_owned(),
            product_id: "prod-1".to_owned(),
            offer_id: "offer-1".to_owned(),
            acceptance_time: day(0),
            start_time: day(1),
            end_time: day(10),
            status: proto::AgreementStatus::Active.into(),
            upfront_purchases: vec![proto::UpfrontPurchase {
                number: 1,
                quantities: BTreeMap::from([("large".to_owned(), 3)]),
                purchase_time: day(0),
                start_time: day(1),
                end_time: day(366),
                duration: "P12M".to_owned(),
                auto_renew: true,
                unit_prices: BTreeMap::from([("large".to_owned(), "0.00000005".to_owned())]),
                fixed_price: String::new(),
                currency_code: "USD".to_owned(),
                amendment_time: None,
                refund_time: day(6),
                refund_windows: None,
            }],
            instalments: vec![proto::Instalment {
                number: 1,
                due_time: day(3),
                amount: "10.00".to_owned(),
                status: proto::InstalmentStatus::Pending.into(),
            }],
            agreement_value: "0.00".to_owned(),
        };
        assert_eq!(to_proto_agreement(&agreement(AgreementStatus::Active), None), expected);
    }

    #[test]
    fn an_entitlement_goes_out_with_its_product() {
        let entitlement = Entitlement {
            dimension: DimensionKey::new("users"),
            quantity: 25,
            start: Timestamp::MIN.plus_days(2),
            expires: Timestamp::MIN.plus_days(9),
            licence: LicenseArn::new("arn"),
            buyer: AccountId::from_number(1).unwrap(),
            agreement: AgreementId::new("agmt-1"),
        };
        let expected = proto::Entitlement {
            product_id: "prod-1".to_owned(),
            dimension: "users".to_owned(),
            quantity: 25,
            expiration_time: Some(to_proto_time(Timestamp::MIN.plus_days(9))),
            license_arn: "arn".to_owned(),
            buyer_account_id: "000000000001".to_owned(),
            agreement_id: "agmt-1".to_owned(),
            start_time: Some(to_proto_time(Timestamp::MIN.plus_days(2))),
            status: proto::EntitlementStatus::Scheduled.into(),
        };
        let product = ProductId::new("prod-1");
        assert_eq!(to_proto_entitlement(&entitlement, &product, Timestamp::MIN.plus_days(1)), expected);
        let later = to_proto_entitlement(&entitlement, &product, Timestamp::MIN.plus_days(2));
        assert_eq!(later.status(), proto::EntitlementStatus::Provisioned);
    }

    #[test]
    fn an_agreement_says_its_real_end_and_how_it_ended() {
        for (status, expected) in [
            (AgreementStatus::Active, proto::AgreementStatus::Active),
            (AgreementStatus::Cancelled, proto::AgreementStatus::Cancelled),
            (AgreementStatus::Expired, proto::AgreementStatus::Expired),
            (AgreementStatus::Renewed, proto::AgreementStatus::Renewed),
            (AgreementStatus::Replaced, proto::AgreementStatus::Replaced),
        ] {
            let ended_at = Some(Timestamp::MIN.plus_days(5));
            let written = to_proto_agreement(&Agreement { ended_at, ..agreement(status) }, None);
            assert_eq!((written.status(), written.end_time), (expected, ended_at.map(to_proto_time)));
        }
        let endless = Agreement { planned_end: None, ..agreement(AgreementStatus::Active) };
        assert_eq!(to_proto_agreement(&endless, None).end_time, None);
    }
}
