//! Entries of the control log, and what is published.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use souk_core::catalog::{
    AccessKey, Account, Address, BilledBy, Change, Clock, Dimension, DimensionType, EntitlementValueKind,
    Fault, FaultCalls, FaultRule, Offer, PriceChange, Product, ProductType, PublicKeyVersion, RenewalKind,
    Targeting, TaxRate, UsageCategory,
};
use souk_core::ids::{DimensionKey, OfferId, ProductCode, ProductId, ResaleAuthorizationId, SandboxName};
use souk_core::machine::{ControlEntry, Seed};
use souk_core::money::{Currency, Rate};
use souk_core::rules::{ClientTime, IdenticalRetry, MeteringWindow, OfferIdColumn, Profile, Rules};
use souk_core::terms::configurable_upfront::UpfrontConfiguration;
use souk_core::terms::renewal::{Uplift, UpliftRange};
use souk_core::terms::{
    Byol, ConfigurableUpfront, FixedUpfront, FreeTrial, Legal, LegalDocument, LegalDocumentKind,
    PaymentSchedule, RecurringPayment, Renewal, ScheduledPayment, Terms, UpfrontRateCard, UsageBased,
    Validity, ValidityDates,
};

use super::{CHANGES, Tape};

impl Tape<'_> {
    pub(super) fn entry(&mut self, kind: u64) -> ControlEntry {
        let name = self.id(SandboxName::new);
        match kind {
            0 => ControlEntry::SandboxDeleted { name },
            1 => ControlEntry::Changed { name, change: self.any_change() },
            _ => ControlEntry::SandboxPut {
                name,
                description: self.text(),
                rules: self.rules(),
                began: self.time(),
                changes: self.list(Self::any_change),
                seeds: self.list(Self::seed),
                clock: self.clock(),
            },
        }
    }

    fn any_change(&mut self) -> Change {
        let kind = self.below(CHANGES);
        self.change(kind)
    }

    pub(super) fn change(&mut self, kind: u64) -> Change {
        match kind {
            0 => Change::ClockSet(self.clock()),
            1 => Change::AccountPut(self.published_account()),
            2 => Change::ProductCreated(self.product()),
            3 => Change::DimensionsAdded {
                product: self.id(ProductId::new),
                dimensions: self.list(Self::dimension),
                prices: self.list(|t| (t.id(OfferId::new), t.rate_card())).into_iter().collect(),
            },
            4 => Change::OfferCreated(self.offer()),
            5 => Change::FaultsSet(self.list(Self::fault_rule).into()),
            6 => Change::PublicKeysSet(self.list(Self::public_key).into()),
            7 => Change::ResaleAuthorized(self.authorization()),
            8 => Change::ResaleRestricted {
                authorization: self.id(ResaleAuthorizationId::new),
                at: self.time(),
            },
            _ => Change::PricesChanged { offer: self.id(OfferId::new), change: self.price_change() },
        }
    }

    fn rules(&mut self) -> Rules {
        let hours = self.wide() as u32;
        Rules {
            profile: self.pick(&[Profile::Source, Profile::Y2026]),
            max_dimensions: self.wide() as u32,
            max_private_offer_buyers: self.wide() as u32,
            max_private_contract_months: self.wide() as u32,
            max_private_usage_days: self.wide() as u32,
            max_instalments: self.wide() as u32,
            instalments_need_invoice_terms: self.flag(),
            private_auto_renewal: self.flag(),
            private_offer_propagation_micros: self.wide() as i64,
            subtracts_entitlements: self.flag(),
            metering_window: self.pick(&[MeteringWindow::Hours(hours), MeteringWindow::OpenMonth]),
            decreases_immediate: self.flag(),
            offer_id_column: self.pick(&[OfferIdColumn::Legacy, OfferIdColumn::Dashboard]),
            identical_retry: self.pick(&[IdenticalRetry::Success, IdenticalRetry::DuplicateRecord]),
            client_time: self.pick(&[ClientTime::Sandbox, ClientTime::Machine]),
            aws_quotas: self.flag(),
            future_skew_micros: self.wide() as i64,
            grace_extends_window: self.flag(),
            registration_token_micros: self.wide() as i64,
            unknown_identifier_refused: self.flag(),
            product_code_with_license: self.flag(),
            tags_capped_per_record: self.flag(),
            retry_compares_allocations: self.flag(),
            dry_run_refused: self.flag(),
        }
    }

    fn clock(&mut self) -> Clock {
        let at = self.time();
        self.pick(&[Clock::Stopped(at), Clock::Following(at)])
    }

    fn seed(&mut self) -> Seed {
        let configuration = |t: &mut Self| UpfrontConfiguration {
            duration: t.option(Self::duration),
            quantities: t.list(|t| (t.id(DimensionKey::new), t.wide())).into_iter().collect(),
            auto_renew: t.flag(),
        };
        Seed {
            offer: self.id(OfferId::new),
            buyer: self.account(),
            at: self.time(),
            configuration: self.option(configuration),
            position: self.wide() as u32,
        }
    }

    fn published_account(&mut self) -> Account {
        Account {
            id: self.account(),
            company_name: self.text(),
            payer: self.account(),
            invoicing_entity: self.option(Self::text),
            address: Address {
                country: self.text(),
                state: self.text(),
                city: self.text(),
                postal_code: self.text(),
            },
            email_domain: self.text(),
            invoice_terms: self.flag(),
            private_marketplace_admin: self.option(Self::account),
            net_days: self.option(|t| t.wide() as u32),
            tax: self.option(|t| TaxRate {
                percent: Rate::from_hundredths_of_percent(t.wide() as u32),
                liable: t.liability(),
            }),
            access_keys: self.list(|t| AccessKey { id: t.text(), secret: t.text() }),
        }
    }

    fn dimension(&mut self) -> Dimension {
        use DimensionType::{Entitled, ExternallyMetered, Metered};
        let types: BTreeSet<_> =
            self.list(|t| t.pick(&[Metered, ExternallyMetered, Entitled])).into_iter().collect();
        Dimension {
            key: self.id(DimensionKey::new),
            name: self.text(),
            description: self.text(),
            unit: self.text(),
            types,
            value_kind: {
                use EntitlementValueKind::{Boolean, Double, Integer, String};
                self.pick(&[Integer, Double, Boolean, String])
            },
            billed_by: self.option(|t| t.pick(&[BilledBy::Second, BilledBy::Minute, BilledBy::Inference])),
        }
    }

    fn fault_rule(&mut self) -> FaultRule {
        let (number, micros) = (self.wide() as u32, self.wide() as i64);
        let records = self.flag().then_some(number);
        FaultRule {
            operation: self.flag().then(|| self.text()),
            calls: self.pick(&[FaultCalls::All, FaultCalls::Nth(number), FaultCalls::PerMillion(number)]),
            seed: self.wide(),
            fault: self.pick(&[
                Fault::Throttle,
                Fault::InternalError,
                Fault::UnprocessedRecords(records),
                Fault::Latency(micros),
                Fault::CutBeforeCommit,
                Fault::CutAfterCommit,
                Fault::ExpiredToken,
            ]),
        }
    }

    fn public_key(&mut self) -> PublicKeyVersion {
        PublicKeyVersion {
            version: self.wide() as u32,
            rotated_at: self.flag().then(|| self.time()),
            private_key: self.flag().then(|| self.text()),
        }
    }

    fn product(&mut self) -> Product {
        use UsageCategory::{Bandwidth, Data, Hosts, Tiers, Units, Users};
        Product {
            id: self.id(ProductId::new),
            code: self.id(ProductCode::new),
            title: self.text(),
            seller: self.account(),
            product_type: {
                use ProductType::{Ami, Container, MachineLearning, ProfessionalServices, Saas};
                self.pick(&[Ami, Container, Saas, MachineLearning, ProfessionalServices])
            },
            usage_category: self.option(|t| t.pick(&[Users, Hosts, Bandwidth, Data, Tiers, Units])),
            dimensions: self.list(Self::dimension),
            concurrent_agreements: self.flag(),
        }
    }

    #[allow(clippy::needless_update, reason = "a term that is new needs no line here")]
    pub(super) fn terms(&mut self) -> Terms {
        const METERED: u64 = 1_000_000 * 100_000_000;
        const UPFRONT: u64 = 1_000 * METERED;
        let usage_based = |t: &mut Self| UsageBased {
            currency: Currency::Usd,
            rate_card: t
                .list(|t| (t.id(DimensionKey::new), t.offered_price(METERED, 1)))
                .into_iter()
                .collect(),
        };
        let card = |t: &mut Self| UpfrontRateCard {
            duration: t.offered_duration(),
            prices: t
                .list(|t| (t.id(DimensionKey::new), t.offered_price(UPFRONT, 100_000)))
                .into_iter()
                .collect(),
        };
        let upfront =
            |t: &mut Self| ConfigurableUpfront { currency: Currency::Usd, rate_cards: t.list(card) };
        Terms {
            usage_based: self.option(usage_based),
            configurable_upfront: self.option(upfront),
            fixed_upfront: self.option(|t| FixedUpfront {
                currency: t.pick(&Currency::ALL),
                price: t.offered_price(UPFRONT, 100_000),
                duration: t.option(Self::offered_duration),
                grants: t.list(|t| (t.id(DimensionKey::new), t.wide())).into_iter().collect(),
            }),
            payment_schedule: self.option(|t| PaymentSchedule {
                currency: t.pick(&Currency::ALL),
                payments: t.list(|t| ScheduledPayment {
                    charge_date: t.day(),
                    amount: t.offered_price(UPFRONT, 100_000),
                }),
            }),
            validity: self.option(|t| match t.flag() {
                true => Validity::Lasting(t.offered_duration()),
                false => Validity::Dated(ValidityDates { first_day: t.day(), last_day: t.day() }),
            }),
            renewal: self.option(|t| Renewal {
                uplift: t.option(|t| Uplift {
                    percent: t.percentage(),
                    range: t.option(|t| UpliftRange { least: t.percentage(), most: t.percentage() }),
                }),
            }),
            legal: self.option(|t| Legal {
                documents: t.list(|t| LegalDocument {
                    kind: t.pick(&[LegalDocumentKind::CustomEula, LegalDocumentKind::StandardEula]),
                    url: t.text(),
                }),
            }),
            recurring_payment: self.option(|t| RecurringPayment {
                currency: t.pick(&Currency::ALL),
                price: t.offered_price(UPFRONT, 100_000),
            }),
            byol: self.option(|_| Byol),
            free_trial: self.option(|t| FreeTrial {
                duration: t.offered_duration(),
                grants: t.list(|t| (t.id(DimensionKey::new), t.wide())).into_iter().collect(),
            }),
            ..Terms::default()
        }
    }

    pub(super) fn day(&mut self) -> NaiveDate {
        NaiveDate::from_epoch_days(self.below(1_000_000) as i32).unwrap()
    }

    pub(super) fn percentage(&mut self) -> Rate {
        Rate::from_hundredths_of_percent(self.below(10_001) as u32)
    }

    fn price_change(&mut self) -> PriceChange {
        PriceChange {
            notice: self.time(),
            existing_from: self.time(),
            usage: self.rate_card(),
            upfront: self.list(Self::upfront_card),
        }
    }

    fn offer(&mut self) -> Offer {
        let day = |t: &mut Self| NaiveDate::from_epoch_days(t.wide() as i32 % 1_000_000).unwrap();
        Offer {
            id: self.id(OfferId::new),
            product: self.id(ProductId::new),
            name: self.text(),
            targeting: Targeting {
                buyer_accounts: self.list(Self::account).into_iter().collect(),
                program: self.option(Self::text),
                country_codes: self.list(Self::text).into_iter().collect(),
            },
            accept_by: self.option(day),
            renewal_kind: self
                .option(|t| t.pick(&[RenewalKind::ExistingOnMarketplace, RenewalKind::MovingToMarketplace])),
            terms: self.terms(),
            released_at: self.time(),
            visible_from: self.time(),
            price_changes: self.list(Self::price_change),
            resale: self.option(Self::resale).map(Box::new),
        }
    }
}
