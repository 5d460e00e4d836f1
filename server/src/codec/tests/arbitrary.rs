//! Values made from a tape of random bytes, so that a shorter tape with smaller bytes makes a simpler value:
//! what fails is shrunk by shrinking the tape. Behind the end of the tape there are zeros.

mod published;
mod resale;

use std::sync::Arc;

use souk_core::agreement::{
    Agreement, AgreementStatus, Instalment, InstalmentState, Origin, UpfrontPurchase,
};
use souk_core::catalog::{CountedIn, PriceSource, TaxLiability};
use souk_core::ids::{
    AccountId, AgreementId, DimensionKey, InvoiceId, LicenseArn, MeteringResource, OfferId, ProductCode,
    ProductId, Region, SandboxName,
};
use souk_core::invoicing::{
    AdjustmentReason, ChargeType, Correction, Explanation, Invoice, InvoiceKind, InvoiceLine, Proration,
    Revenue, Tax,
};
use souk_core::machine::{ControlEntry, Event};
use souk_core::metering::series::Series;
use souk_core::metering::{
    Allocation, HourColumn, Identity, Inference, Program, QuantityColumn, Run, SeriesHandle, SeriesKey,
    UsageColumns,
};
use souk_core::money::{Amount, Currency, Money, Rate, UnitPrice};
use souk_core::quantity::{Quantity, QuantitySum};
use souk_core::rating::{Demonstration, RatedSegment};
use souk_core::terms::{RateCard, UpfrontKind, UpfrontRateCard};
use souk_core::time::{BillingMonth, TermDuration, Timestamp, UsageHour};

use crate::codec::{ControlBatch, PartitionBatch};

/// Variants of [`Event`].
const EVENTS: u64 = 18;
/// Variants of [`ControlEntry`].
const ENTRIES: u64 = 3;
/// Variants of [`Change`].
const CHANGES: u64 = 10;

/// A tape of random bytes.
pub struct Tape<'a>(pub std::slice::Iter<'a, u8>);

impl Tape<'_> {
    /// A batch that holds every kind of event once, and some more.
    pub fn partition_batch(&mut self) -> PartitionBatch {
        let more = self.below(4);
        let mut kinds: Vec<_> = (0..EVENTS).collect();
        kinds.extend((0..more).map(|_| self.below(EVENTS)));
        let followed = self.option(Self::wide);
        let events = kinds.into_iter().map(|kind| (self.id(SandboxName::new), self.event(kind))).collect();
        PartitionBatch { time: self.time(), followed, events }
    }

    /// A batch that holds every kind of entry and change.
    pub fn control_batch(&mut self) -> ControlBatch {
        let mut entries: Vec<_> = (0..ENTRIES).map(|kind| self.entry(kind)).collect();
        let changes = (0..CHANGES)
            .map(|kind| ControlEntry::Changed { name: self.id(SandboxName::new), change: self.change(kind) });
        entries.extend(changes);
        ControlBatch { time: self.time(), entries }
    }

    /// Columns of a few rows, or of many.
    pub fn usage(&mut self) -> UsageColumns {
        let few = self.below(9) as usize;
        let (whole, one_hour, follow, many) = (self.flag(), self.flag(), self.flag(), self.flag());
        // The many repeat the few.
        let rows = if many { few * 50 } else { few };
        let (hour, first) = (self.wide() as i32, self.wide() as u32);
        let column = |tape: &mut Self| (0..few).map(|_| tape.wide()).collect::<Vec<_>>();
        let (handles, hours, quantities) = (column(self), column(self), column(self));
        let at = |column: &[u64], row: usize| column[row % few.max(1)];
        let handle = |row: usize| match follow {
            true => first.wrapping_add(row as u32),
            false => at(&handles, row) as u32,
        };
        UsageColumns {
            handles: (0..rows).map(handle).collect(),
            hours: match one_hour {
                true => HourColumn::One(hour),
                false => HourColumn::Each((0..rows).map(|row| at(&hours, row) as i32).collect()),
            },
            quantities: match whole {
                true => QuantityColumn::Units((0..rows).map(|row| at(&quantities, row) as u32).collect()),
                false => QuantityColumn::Millionths((0..rows).map(|row| at(&quantities, row)).collect()),
            },
        }
    }

    fn event(&mut self, kind: u64) -> Event {
        match kind {
            0 => Event::MonthClosed { payer: self.account(), month: self.month() },
            1 => Event::AgreementAccepted(self.agreement()),
            2 => Event::UpfrontPurchased {
                payer: self.account(),
                agreement: self.id(AgreementId::new),
                purchase: self.purchase(),
                renews: self.option(|t| t.wide() as u32),
            },
            3 => Event::AgreementEnded {
                payer: self.account(),
                agreement: self.id(AgreementId::new),
                status: self.status(),
                at: self.time(),
            },
            4 => Event::InvoiceIssued(Arc::new(self.invoice())),
            5 => Event::SeriesOpened(self.series()),
            6 => Event::UsageAccepted(self.usage()),
            7 => Event::UsageAllocated {
                handle: SeriesHandle(self.wide() as u32),
                hour: self.hour(),
                allocations: self.list(Self::allocation).into(),
            },
            10 => Event::UpfrontAmended {
                payer: self.account(),
                agreement: self.id(AgreementId::new),
                amended: self.wide() as u32,
                purchase: self.purchase(),
            },
            11 => Event::InstalmentSettled {
                payer: self.account(),
                agreement: self.id(AgreementId::new),
                number: self.wide() as u32,
                state: self.instalment_state(),
            },
            12 => Event::InvoicePaid {
                payer: self.account(),
                invoice: self.id(InvoiceId::new),
                amount: self.money(),
                at: self.time(),
            },
            13 => Event::Demonstrated {
                payer: self.account(),
                demonstration: Demonstration {
                    month: self.month(),
                    buyer: self.account(),
                    product: self.id(ProductId::new),
                    dimension: self.id(DimensionKey::new),
                    quantity: QuantitySum(self.integer()),
                },
            },
            17 => Event::UpfrontRefunded {
                payer: self.account(),
                agreement: self.id(AgreementId::new),
                number: self.wide() as u32,
                at: self.time(),
            },
            8 => Event::UsageRegistered { program: self.program(), at: self.time() },
            14 => Event::UsageAdded(self.usage()),
            15 => Event::RunsTold(self.list(|t| (SeriesHandle(t.wide() as u32), t.run()))),
            16 => Event::InferencesTold(self.list(|t| {
                let (status, units) = (t.wide() as u16, t.wide());
                let call = Inference { at: t.time(), status, units };
                (SeriesHandle(t.wide() as u32), t.integer().cast_unsigned(), call)
            })),
            _ => Event::ClientTokenUsed {
                payer: self.account(),
                token: self.integer().cast_unsigned(),
                parameters: self.integer().cast_unsigned(),
                at: self.time(),
            },
        }
    }

    fn run(&mut self) -> Run {
        let from = Timestamp::MIN.plus_micros(self.below(1 << 31).cast_signed() * 1_000_000);
        Run { from, until: from.plus_micros((1 + self.below(1 << 20).cast_signed()) * 1_000_000) }
    }

    fn byte(&mut self) -> u8 {
        self.0.next().copied().unwrap_or(0)
    }

    /// Any number: zero, the largest, small or anything.
    fn wide(&mut self) -> u64 {
        match self.byte() % 5 {
            0 => 0,
            1 => u64::MAX,
            2 => u64::from(self.byte()),
            3 => {
                u64::from_be_bytes([0, 0, 0, self.byte(), self.byte(), self.byte(), self.byte(), self.byte()])
            }
            _ => u64::from_be_bytes(std::array::from_fn(|_| self.byte())),
        }
    }

    fn integer(&mut self) -> i128 {
        let number = (u128::from(self.wide()) << 64 | u128::from(self.wide())).cast_signed();
        if self.flag() { number } else { number >> 64 }
    }

    fn below(&mut self, bound: u64) -> u64 {
        match self.wide() {
            u64::MAX => bound - 1,
            number => number % bound,
        }
    }

    fn flag(&mut self) -> bool {
        self.byte() % 2 == 1
    }

    fn pick<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len() as u64) as usize]
    }

    fn option<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.flag() { Some(make(self)) } else { None }
    }

    fn list<T>(&mut self, make: impl Fn(&mut Self) -> T) -> Vec<T> {
        (0..self.below(4)).map(|_| make(self)).collect()
    }

    fn text(&mut self) -> String {
        self.pick(&["", "a", "Bäckerei \"Süd\"", "line\nbreak \u{0}", "🦀 and more"]).to_owned()
    }

    fn id<T>(&mut self, make: fn(&str) -> T) -> T {
        let number = self.below(300);
        make(&format!("{}-{number}", self.pick(&["a", "prod", "arn:aws:x::ü"])))
    }

    fn account(&mut self) -> AccountId {
        AccountId::from_number(self.below(1_000_000_000_000)).unwrap()
    }

    fn time(&mut self) -> Timestamp {
        let bound = Timestamp::MAX.micros().cast_unsigned() + 1;
        Timestamp::from_micros(self.below(bound).cast_signed()).unwrap()
    }

    fn hour(&mut self) -> UsageHour {
        UsageHour::containing(self.time())
    }

    fn month(&mut self) -> BillingMonth {
        BillingMonth::containing(self.time())
    }

    fn price(&mut self) -> UnitPrice {
        UnitPrice::from_scaled(self.below(1 << 63).cast_signed()).unwrap()
    }

    /// A price below `limit` units of 10^-8 in steps of `step`: one that an offer can have.
    fn offered_price(&mut self, limit: u64, step: u64) -> UnitPrice {
        let scaled = self.below(limit);
        UnitPrice::from_scaled((scaled - scaled % step).cast_signed()).unwrap()
    }

    fn duration(&mut self) -> TermDuration {
        let length = self.wide() as u32;
        if self.flag() { TermDuration::Days(length) } else { TermDuration::Months(length) }
    }

    /// A duration that an offer can have.
    fn offered_duration(&mut self) -> TermDuration {
        let length = self.below(60) as u32 + 1;
        if self.flag() { TermDuration::Days(length) } else { TermDuration::Months(length) }
    }

    fn rate_card(&mut self) -> RateCard {
        self.list(|t| (t.id(DimensionKey::new), t.price())).into_iter().collect()
    }

    fn upfront_card(&mut self) -> UpfrontRateCard {
        UpfrontRateCard { duration: self.duration(), prices: self.rate_card() }
    }

    fn status(&mut self) -> AgreementStatus {
        use AgreementStatus::{Active, Cancelled, Expired, Renewed, Replaced};
        self.pick(&[Active, Cancelled, Expired, Renewed, Replaced])
    }

    fn purchase(&mut self) -> UpfrontPurchase {
        UpfrontPurchase {
            number: self.wide() as u32,
            kind: self.pick(&[UpfrontKind::Annual, UpfrontKind::Contract, UpfrontKind::Monthly]),
            duration: self.duration(),
            quantities: self.list(|t| (t.id(DimensionKey::new), t.wide())).into_iter().collect(),
            unit_prices: self.rate_card(),
            currency: Currency::Usd,
            start: self.time(),
            end: self.time(),
            auto_renew: self.flag(),
            fixed_price: self.option(Self::price),
            in_instalments: self.flag(),
            ended_early_at: self.option(Self::time),
            amends: self.option(Self::wide).map(|number| number as u32),
            added_value: self.option(Self::money),
            wholesale: self.option(Self::money),
        }
    }

    fn instalment_state(&mut self) -> InstalmentState {
        self.pick(&[InstalmentState::Pending, InstalmentState::Invoiced, InstalmentState::Cancelled])
    }

    fn instalment(&mut self) -> Instalment {
        Instalment { due: self.time(), amount: self.price(), state: self.instalment_state() }
    }

    fn agreement(&mut self) -> Agreement {
        Agreement {
            id: self.id(AgreementId::new),
            number: self.wide() as u32,
            initial_id: self.id(AgreementId::new),
            licence: self.id(LicenseArn::new),
            buyer: self.account(),
            payer: self.account(),
            seller: self.account(),
            product: self.id(ProductId::new),
            offer: self.id(OfferId::new),
            origin: self.pick(&[Origin::Accepted, Origin::Renewed, Origin::FellBack]),
            accepted_at: self.time(),
            start: self.time(),
            planned_end: self.option(Self::time),
            status: self.status(),
            ended_at: self.option(Self::time),
            purchases: self.list(Self::purchase),
            instalments: self.list(Self::instalment),
        }
    }

    fn money(&mut self) -> Money {
        Money::from_minor(self.integer(), Currency::Usd)
    }

    fn liability(&mut self) -> TaxLiability {
        self.pick(&[TaxLiability::Aws, TaxLiability::Seller])
    }

    fn charge_type(&mut self) -> ChargeType {
        self.pick(&[ChargeType::Usage, ChargeType::Annual, ChargeType::Contract, ChargeType::Monthly])
    }

    fn segment(&mut self) -> RatedSegment {
        let at = self.time();
        RatedSegment {
            start: self.hour(),
            end: self.hour(),
            metered_hours: self.wide() as u32,
            metered: QuantitySum(self.integer()),
            subscriptions: self.wide(),
            entitled: self.wide(),
            covered: QuantitySum(self.integer()),
            trial: QuantitySum(self.integer()),
            counted_in: self.pick(&[CountedIn::Units, CountedIn::Seconds]),
            source: self.pick(&[
                PriceSource::Offer,
                PriceSource::ChangeForNew(at),
                PriceSource::ChangeAfterNotice(at),
                PriceSource::ImmediateCut(at),
            ]),
        }
    }

    fn line(&mut self) -> InvoiceLine {
        let exact = Amount::new(self.integer(), Currency::Usd);
        InvoiceLine {
            charge_type: self.charge_type(),
            seller: self.account(),
            buyer: self.account(),
            product: self.id(ProductId::new),
            offer: self.id(OfferId::new),
            agreement: self.id(AgreementId::new),
            dimension: self.option(|t| t.id(DimensionKey::new)),
            quantity: QuantitySum(self.integer()),
            unit_price: self.price(),
            amount: self.money(),
            start: self.time(),
            end: self.time(),
            wholesale: self.option(Self::money),
            explanation: Explanation {
                exact,
                segments: self.list(Self::segment),
                proration: self.option(|t| Proration { days: t.wide() as u32, of_days: t.wide() as u32 }),
            },
        }
    }

    fn revenue(&mut self) -> Revenue {
        Revenue {
            charge_type: self.charge_type(),
            seller: self.account(),
            buyer: self.account(),
            product: self.id(ProductId::new),
            offer: self.id(OfferId::new),
            dimension: self.option(|t| t.id(DimensionKey::new)),
            billed: self.money(),
            fee_rate: Rate::from_hundredths_of_percent(self.wide() as u32),
            fee: self.money(),
            refunded: self.money(),
            fee_refund: self.money(),
            tax: self.option(|t| Tax { liable: t.liability(), amount: t.money() }),
            resale: self.option(Self::resale_row),
            agreements: self.list(|t| t.id(AgreementId::new)),
        }
    }

    fn invoice(&mut self) -> Invoice {
        Invoice {
            id: self.id(InvoiceId::new),
            payer: self.account(),
            entity: self.text(),
            currency: Currency::Usd,
            kind: {
                use InvoiceKind::{CreditMemo, Instalment, Upfront, Usage};
                self.pick(&[Usage, Upfront, Instalment, CreditMemo])
            },
            month: self.month(),
            issued_at: self.time(),
            due_at: self.option(Self::time),
            lines: self.list(Self::line),
            revenue: self.list(Self::revenue),
            correction: self.option(Self::correction),
        }
    }

    fn correction(&mut self) -> Correction {
        use AdjustmentReason as R;
        Correction {
            invoice: self.id(InvoiceId::new),
            agreement: self.id(AgreementId::new),
            reason: self.pick(&[
                R::IncorrectTermsAccepted,
                R::IncorrectMetering,
                R::TestEnvironmentCharges,
                R::AlternativeProcurementChannel,
                R::UnintendedRenewal,
                R::BuyerDissatisfaction,
                R::Other,
            ]),
            description: self.text(),
            client_token: self.text(),
        }
    }

    fn allocation(&mut self) -> Allocation {
        let quantity = Quantity::from_millionths(self.below(Quantity::MAX.millionths() + 1));
        Allocation { quantity: quantity.unwrap(), tags: self.list(|t| (t.text(), t.text())) }
    }

    fn program(&mut self) -> Program {
        Program {
            payer: self.account(),
            buyer: self.account(),
            product: self.id(ProductId::new),
            resource: self.id(MeteringResource::new),
        }
    }

    fn series(&mut self) -> Series {
        let identity = match self.flag() {
            true => Identity::Product(self.id(ProductCode::new), self.account()),
            false => Identity::Licence(self.id(LicenseArn::new)),
        };
        Series {
            key: SeriesKey {
                identity,
                region: self.id(Region::new),
                resource: self.option(|t| t.id(MeteringResource::new)),
                dimension: self.id(DimensionKey::new),
            },
            product: self.id(ProductId::new),
            buyer: self.account(),
            payer: self.account(),
            hash: self.integer().cast_unsigned(),
        }
    }
}
