//! What happened in a sandbox.

use souk_core::agreement::Origin;
use souk_core::ids::AccountId;
use souk_core::machine::history::{About, Happening, Kind, Position};
use souk_core::time::Timestamp;
use souk_proto::sandbox::v1 as proto;
use souk_proto::sandbox::v1::sandbox_event::Event;

use super::agreement::to_proto_agreement_status;
use super::billing::to_proto_invoice_kind;
use super::catalog::to_proto_price_change;
use super::terms::to_proto_quantities;
use super::time::to_proto_time;

/// Something that happened.
pub fn to_proto_event(time: Timestamp, happening: Happening) -> proto::SandboxEvent {
    let event = match happening {
        Happening::ResaleAuthorized { authorization, product, reseller } => {
            Event::ResaleAuthorized(proto::ResaleAuthorizedEvent {
                resale_authorization_id: authorization.to_string(),
                product_id: product.to_string(),
                reseller_account_id: reseller.to_string(),
            })
        }
        Happening::ResaleRestricted { authorization, product, reseller } => {
            Event::ResaleRestricted(proto::ResaleRestrictedEvent {
                resale_authorization_id: authorization.to_string(),
                product_id: product.to_string(),
                reseller_account_id: reseller.to_string(),
            })
        }
        Happening::OfferReleased { offer, product, private } => {
            let (offer_id, product_id) = (offer.to_string(), product.to_string());
            Event::OfferReleased(proto::OfferReleasedEvent { offer_id, product_id, private })
        }
        Happening::PricesChanged { offer, product, change } => {
            Event::PricesChanged(proto::PricesChangedEvent {
                offer_id: offer.to_string(),
                product_id: product.to_string(),
                change: Some(to_proto_price_change(&change)),
            })
        }
        Happening::AgreementEnded(about, status) => {
            let About { id, licence, buyer, payer, product, offer } = about;
            Event::AgreementEnded(proto::AgreementEndedEvent {
                agreement_id: id.to_string(),
                license_arn: licence.to_string(),
                buyer_account_id: buyer.to_string(),
                payer_account_id: payer.to_string(),
                product_id: product.to_string(),
                offer_id: offer.to_string(),
                status: to_proto_agreement_status(status).into(),
            })
        }
        Happening::AgreementAccepted { about, origin, initial_id } => {
            let About { id, licence, buyer, payer, product, offer } = about;
            Event::AgreementAccepted(proto::AgreementAcceptedEvent {
                agreement_id: id.to_string(),
                license_arn: licence.to_string(),
                buyer_account_id: buyer.to_string(),
                payer_account_id: payer.to_string(),
                product_id: product.to_string(),
                offer_id: offer.to_string(),
                origin: to_proto_origin(origin).into(),
                initial_agreement_id: initial_id.to_string(),
            })
        }
        Happening::UpfrontPurchased { about, number, quantities, end } => {
            let About { id, licence, buyer, payer, product, offer } = about;
            Event::UpfrontPurchased(proto::UpfrontPurchasedEvent {
                agreement_id: id.to_string(),
                license_arn: licence.to_string(),
                buyer_account_id: buyer.to_string(),
                payer_account_id: payer.to_string(),
                product_id: product.to_string(),
                offer_id: offer.to_string(),
                number,
                quantities: to_proto_quantities(&quantities),
                end_time: Some(to_proto_time(end)),
            })
        }
        Happening::UpfrontAmended { about, number, amended, quantities, end } => {
            let About { id, licence, buyer, payer, product, offer } = about;
            Event::UpfrontAmended(proto::UpfrontAmendedEvent {
                agreement_id: id.to_string(),
                license_arn: licence.to_string(),
                buyer_account_id: buyer.to_string(),
                payer_account_id: payer.to_string(),
                product_id: product.to_string(),
                offer_id: offer.to_string(),
                number,
                amended_number: amended,
                quantities: to_proto_quantities(&quantities),
                end_time: Some(to_proto_time(end)),
            })
        }
        Happening::UpfrontRefunded { about, number } => {
            let About { id, licence, buyer, payer, product, offer } = about;
            Event::UpfrontRefunded(proto::UpfrontRefundedEvent {
                agreement_id: id.to_string(),
                license_arn: licence.to_string(),
                buyer_account_id: buyer.to_string(),
                payer_account_id: payer.to_string(),
                product_id: product.to_string(),
                offer_id: offer.to_string(),
                number,
            })
        }
        Happening::InvoiceIssued { id, payer, kind, month, total } => {
            Event::InvoiceIssued(proto::InvoiceIssuedEvent {
                invoice_id: id.to_string(),
                payer_account_id: payer.to_string(),
                kind: to_proto_invoice_kind(kind).into(),
                billing_period: month.to_string(),
                total: total.to_string(),
                currency_code: total.currency().code().to_owned(),
            })
        }
        Happening::InvoicePaid { id, payer, amount } => Event::InvoicePaid(proto::InvoicePaidEvent {
            invoice_id: id.to_string(),
            payer_account_id: payer.to_string(),
            amount: amount.to_string(),
            currency_code: amount.currency().code().to_owned(),
        }),
        Happening::MonthClosed { payer, month } => Event::MonthClosed(proto::MonthClosedEvent {
            payer_account_id: payer.to_string(),
            billing_period: month.to_string(),
        }),
    };
    proto::SandboxEvent { time: Some(to_proto_time(time)), event: Some(event) }
}

/// The key of something in what happened.
pub fn to_proto_event_key(position: &Position) -> String {
    let Position { time, kind, published, payer, number, step } = position;
    let published = published.as_deref().unwrap_or_default();
    let payer = payer.map(|payer| payer.to_string()).unwrap_or_default();
    format!("{} {} {published} {payer} {number} {step}", time.micros(), *kind as u8)
}

/// Reads such a key.
pub fn from_proto_event_key(key: &str) -> Option<Position> {
    let mut parts = key.split(' ');
    let mut next = || parts.next();
    let time = Timestamp::from_micros(next()?.parse().ok()?)?;
    let kind = *Kind::ALL.get(next()?.parse::<usize>().ok()?)?;
    let published = Some(next()?).filter(|id| !id.is_empty()).map(Into::into);
    let payer = Some(next()?).filter(|payer| !payer.is_empty()).and_then(AccountId::parse);
    let (number, step) = (next()?.parse().ok()?, next()?.parse().ok()?);
    Some(Position { time, kind, published, payer, number, step })
}

fn to_proto_origin(origin: Origin) -> proto::AgreementOrigin {
    match origin {
        Origin::Accepted => proto::AgreementOrigin::Accepted,
        Origin::Renewed => proto::AgreementOrigin::Renewed,
        Origin::FellBack => proto::AgreementOrigin::FellBack,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use souk_core::agreement::AgreementStatus;
    use souk_core::catalog::PriceChange;
    use souk_core::ids::{
        AgreementId, DimensionKey, InvoiceId, LicenseArn, OfferId, ProductId, ResaleAuthorizationId,
    };
    use souk_core::invoicing::InvoiceKind;
    use souk_core::money::{Currency, Money};
    use souk_core::time::BillingMonth;

    use super::*;

    fn about() -> About {
        let [buyer, payer] = [1, 2].map(|number| AccountId::from_number(number).unwrap());
        About {
            id: AgreementId::new("agmt-1"),
            licence: LicenseArn::new("arn"),
            buyer,
            payer,
            product: ProductId::new("prod-1"),
            offer: OfferId::new("offer-1"),
        }
    }

    #[test]
    fn each_kind_goes_out_as_its_own_event() {
        let (offer, product) = (OfferId::new("offer-1"), ProductId::new("prod-1"));
        let (agreement_id, license_arn) = ("agmt-1".to_owned(), "arn".to_owned());
        let (buyer_account_id, payer_account_id) = ("000000000001".to_owned(), "000000000002".to_owned());
        let (offer_id, product_id) = ("offer-1".to_owned(), "prod-1".to_owned());
        let later = Timestamp::MIN.plus_days(9);
        let change = PriceChange {
            notice: Timestamp::MIN,
            existing_from: later,
            usage: BTreeMap::new(),
            upfront: vec![],
        };
        let month = BillingMonth::parse("2025-06").unwrap();
        let authorization = || ResaleAuthorizationId::new("resaleauthz-1");
        let resale_authorization_id = "resaleauthz-1".to_owned();
        let (reseller, reseller_account_id) = (about().buyer, buyer_account_id.clone());
        for (happening, expected) in [
            (
                Happening::ResaleAuthorized {
                    authorization: authorization(),
                    product: product.clone(),
                    reseller,
                },
                Event::ResaleAuthorized(proto::ResaleAuthorizedEvent {
                    resale_authorization_id: resale_authorization_id.clone(),
                    product_id: product_id.clone(),
                    reseller_account_id: reseller_account_id.clone(),
                }),
            ),
            (
                Happening::ResaleRestricted {
                    authorization: authorization(),
                    product: product.clone(),
                    reseller,
                },
                Event::ResaleRestricted(proto::ResaleRestrictedEvent {
                    resale_authorization_id,
                    product_id: product_id.clone(),
                    reseller_account_id,
                }),
            ),
            (
                Happening::OfferReleased { offer: offer.clone(), product: product.clone(), private: true },
                Event::OfferReleased(proto::OfferReleasedEvent {
                    offer_id: offer_id.clone(),
                    product_id: product_id.clone(),
                    private: true,
                }),
            ),
            (
                Happening::PricesChanged { offer, product, change: change.clone() },
                Event::PricesChanged(proto::PricesChangedEvent {
                    offer_id: offer_id.clone(),
                    product_id: product_id.clone(),
                    change: Some(to_proto_price_change(&change)),
                }),
            ),
            (
                Happening::AgreementEnded(about(), AgreementStatus::Expired),
                Event::AgreementEnded(proto::AgreementEndedEvent {
                    agreement_id: agreement_id.clone(),
                    license_arn: license_arn.clone(),
                    buyer_account_id: buyer_account_id.clone(),
                    payer_account_id: payer_account_id.clone(),
                    product_id: product_id.clone(),
                    offer_id: offer_id.clone(),
                    status: souk_proto::agreement::v1::AgreementStatus::Expired.into(),
                }),
            ),
            (
                Happening::AgreementAccepted {
                    about: about(),
                    origin: Origin::FellBack,
                    initial_id: AgreementId::new("agmt-0"),
                },
                Event::AgreementAccepted(proto::AgreementAcceptedEvent {
                    agreement_id: agreement_id.clone(),
                    license_arn: license_arn.clone(),
                    buyer_account_id: buyer_account_id.clone(),
                    payer_account_id: payer_account_id.clone(),
                    product_id: product_id.clone(),
                    offer_id: offer_id.clone(),
                    origin: proto::AgreementOrigin::FellBack.into(),
                    initial_agreement_id: "agmt-0".to_owned(),
                }),
            ),
            (
                Happening::UpfrontRefunded { about: about(), number: 3 },
                Event::UpfrontRefunded(proto::UpfrontRefundedEvent {
                    agreement_id: agreement_id.clone(),
                    license_arn: license_arn.clone(),
                    buyer_account_id: buyer_account_id.clone(),
                    payer_account_id: payer_account_id.clone(),
                    product_id: product_id.clone(),
                    offer_id: offer_id.clone(),
                    number: 3,
                }),
            ),
            (
                Happening::UpfrontAmended {
                    about: about(),
                    number: 4,
                    amended: 3,
                    quantities: [(DimensionKey::new("large"), 5)].into(),
                    end: later,
                },
                Event::UpfrontAmended(proto::UpfrontAmendedEvent {
                    agreement_id: agreement_id.clone(),
                    license_arn: license_arn.clone(),
                    buyer_account_id: buyer_account_id.clone(),
                    payer_account_id: payer_account_id.clone(),
                    product_id: product_id.clone(),
                    offer_id: offer_id.clone(),
                    number: 4,
                    amended_number: 3,
                    quantities: [("large".to_owned(), 5)].into(),
                    end_time: Some(to_proto_time(later)),
                }),
            ),
            (
                Happening::UpfrontPurchased {
                    about: about(),
                    number: 3,
                    quantities: [(DimensionKey::new("large"), 2)].into(),
                    end: later,
                },
                Event::UpfrontPurchased(proto::UpfrontPurchasedEvent {
                    agreement_id,
                    license_arn,
                    buyer_account_id,
                    payer_account_id: payer_account_id.clone(),
                    product_id,
                    offer_id,
                    number: 3,
                    quantities: [("large".to_owned(), 2)].into(),
                    end_time: Some(to_proto_time(later)),
                }),
            ),
            (
                Happening::InvoiceIssued {
                    id: InvoiceId::new("MPIN25-1"),
                    payer: about().payer,
                    kind: InvoiceKind::Upfront,
                    month,
                    total: Money::from_minor(1_250, Currency::Usd),
                },
                Event::InvoiceIssued(proto::InvoiceIssuedEvent {
                    invoice_id: "MPIN25-1".to_owned(),
                    payer_account_id: payer_account_id.clone(),
                    kind: souk_proto::billing::v1::InvoiceKind::Upfront.into(),
                    billing_period: "2025-06".to_owned(),
                    total: "12.50".to_owned(),
                    currency_code: "USD".to_owned(),
                }),
            ),
            (
                Happening::InvoicePaid {
                    id: InvoiceId::new("MPIN25-1"),
                    payer: about().payer,
                    amount: Money::from_minor(1_250, Currency::Usd),
                },
                Event::InvoicePaid(proto::InvoicePaidEvent {
                    invoice_id: "MPIN25-1".to_owned(),
                    payer_account_id: payer_account_id.clone(),
                    amount: "12.50".to_owned(),
                    currency_code: "USD".to_owned(),
                }),
            ),
            (
                Happening::MonthClosed { payer: about().payer, month },
                Event::MonthClosed(proto::MonthClosedEvent {
                    payer_account_id,
                    billing_period: "2025-06".to_owned(),
                }),
            ),
        ] {
            let event = proto::SandboxEvent { time: Some(to_proto_time(later)), event: Some(expected) };
            assert_eq!(to_proto_event(later, happening), event);
        }
    }

    #[test]
    fn a_key_is_read_as_it_was_written() {
        let time = Timestamp::MIN.plus_days(1);
        for kind in Kind::ALL {
            for (published, payer) in [(Some("-".into()), None), (None, Some(about().payer)), (None, None)] {
                let position = Position { time, kind, published, payer, number: 7, step: u32::MAX };
                let key = to_proto_event_key(&position);
                assert_eq!(from_proto_event_key(&key), Some(position), "{key}");
            }
        }
        for wrong in ["", "1", "1 8   1 1", "1 1", "x 1   1 1"] {
            assert_eq!(from_proto_event_key(wrong), None, "{wrong}");
        }
    }
}
