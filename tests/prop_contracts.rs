//! Random contracts over two years: deals, amendments, instalments, renewals, refunds and ends. What an amendment
//! charges is computed a second time, from days; sums, refunds and values agree, and a log makes the same state again.
//! Some contracts are sold by a reseller: what it owes the manufacturer adds up, and comes back, in the same way.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use souk_core::agreement::acceptance::Refusal;
use souk_core::agreement::{Agreement, InstalmentState, UpfrontPurchase};
use souk_core::catalog::DimensionType::Entitled;
use souk_core::catalog::ProductType;
use souk_core::ids::{AgreementId, DimensionKey, OfferId};
use souk_core::invoicing::adjustment::{Adjustment, most};
use souk_core::invoicing::{AdjustmentReason, Invoice, InvoiceKind, Revenue};
use souk_core::machine::check::check;
use souk_core::machine::rebuild::difference;
use souk_core::money::{Amount, Currency, Money, PriceDecimals, Rate, UnitPrice};
use souk_core::rules::{MeteringWindow, Profile, Rules};
use souk_core::terms::configurable_upfront::{ANNUAL, UpfrontConfiguration};
use souk_core::terms::renewal::Uplift;
use souk_core::terms::{
    ConfigurableUpfront, FixedUpfront, PaymentSchedule, Renewal, ScheduledPayment, Terms, UpfrontRateCard,
};
use souk_core::time::{TermDuration, Timestamp};
use souk_tests::publish::{configuration, prices, public_offer, usage_terms};
use souk_tests::world::{SELLER, World};

const RESELLER: &str = "888888888888";
const BUYERS: [&str; 2] = ["111111111111", "222222222222"];
const AMI: &str = "prod-ami";
const SAAS: &str = "prod-saas";
const KEYS: [&str; 2] = ["users", "gb"];
const TYPES: [&str; 2] = ["m5.large", "c5.large"];

/// What happens at a moment.
#[derive(Debug, Clone)]
enum Step {
    /// A private contract: with prices of units, or at one price, in so many instalments; that of instances, too.
    Deal {
        ami: bool,
        yen: bool,
        months: u32,
        price: i64,
        units: u64,
        renews: Option<u32>,
        payments: Option<u32>,
        /// The wholesale price of a unit in the currency's smallest unit, when a reseller sells it.
        wholesale: Option<i64>,
    },
    /// More or fewer units of what was bought on the product, of the purchase that this number chooses.
    Amend { saas: bool, purchase: usize, key: usize, units: u64 },
    /// Annual subscriptions.
    Annual { units: u64, renews: bool },
    /// A share of an invoice is given back, in percent: above a hundred is too much.
    Refund { invoice: usize, percent: u32 },
    /// A purchase on the listing that this number chooses is given back.
    GiveBack { purchase: usize },
    /// The end of what is held on the product.
    Cancel { saas: bool },
}

fn steps() -> impl Strategy<Value = Vec<(i64, usize, Step)>> {
    let deal = (any::<bool>(), 1..30_u32, 1..5_000_000_i64, 1..40_u64).prop_flat_map(
        |(yen, months, price, units)| {
            let kind = prop_oneof![
                proptest::option::of(0..2_500_u32).prop_map(|renews| (renews, None)),
                proptest::option::of(0..2_500_u32).prop_map(|renews| (renews, Some(0))),
                (1..5_u32).prop_map(|payments| (None, Some(payments))),
            ];
            let wholesale = proptest::option::of(0..2_000_000_i64);
            (kind, any::<bool>(), wholesale).prop_map(move |((renews, payments), ami, wholesale)| {
                Step::Deal {
                    ami: ami && payments.is_some(),
                    yen,
                    months,
                    price,
                    units,
                    renews,
                    payments,
                    wholesale,
                }
            })
        },
    );
    let amend = (any::<bool>(), 0..4_usize, 0..2_usize, 0..60_u64);
    let step = prop_oneof![
        2 => deal,
        6 => amend.prop_map(|(saas, purchase, key, units)| Step::Amend { saas, purchase, key, units }),
        2 => (1..9_u64, any::<bool>()).prop_map(|(units, renews)| Step::Annual { units, renews }),
        3 => (0..50_usize, 0..130_u32).prop_map(|(invoice, percent)| Step::Refund { invoice, percent }),
        3 => (0..4_usize).prop_map(|purchase| Step::GiveBack { purchase }),
        1 => any::<bool>().prop_map(|saas| Step::Cancel { saas }),
    ];
    // Up to 50 days between steps, some of them at the same moment.
    let hours = prop_oneof![1 => Just(0_i64), 5 => 1..1_200_i64];
    proptest::collection::vec((hours, 0..2_usize, step), 1..25)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(96),
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct("prop_contracts.seeds"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn contracts_bill_what_was_agreed_and_give_back_no_more(steps in steps()) {
        let mut life = Life::new();
        for (number, (hours, buyer, step)) in steps.iter().enumerate() {
            let now = life.world.now().plus_micros(hours * 3_600_000_000);
            life.world.advance_to(&now.to_string());
            life.happens(number, BUYERS[*buyer], step);
        }
        let end = life.world.now().plus_months(14);
        life.world.advance_to(&end.to_string());
        life.add_up();
        let (replayed, rebuilt) = (life.world.replayed(), life.world.rebuilt());
        for world in [&replayed, &rebuilt] {
            for (before, after) in life.world.sandboxes().into_iter().zip(world.sandboxes()) {
                prop_assert_eq!(difference(before, after), None);
                prop_assert_eq!(check(after), Ok(()));
            }
        }
        let issued = format!("{:?}", life.world.all_invoices());
        prop_assert!(issued == format!("{:?}", replayed.all_invoices()), "a replay makes the same invoices");
    }
}

/// A world, when the terms of amended purchases began, and what resellers owe.
struct Life {
    world: World,
    terms: BTreeMap<(AgreementId, u32), Timestamp>,
    /// The wholesale price of a unit, by the offers of resellers.
    wholesale: BTreeMap<OfferId, UnitPrice>,
}

impl Life {
    fn new() -> Life {
        let rules = Rules { metering_window: MeteringWindow::OpenMonth, ..Rules::of(Profile::Y2026) };
        let mut world = World::with("2025-01-15T06:30:00Z", rules, 1);
        world.payer(BUYERS[0]).payer(BUYERS[1]);
        world.ami(AMI, &[(TYPES[0], "0.60", "4000.00"), (TYPES[1], "0.45", "2999.99")]);
        let dimensions = KEYS.map(|key| (key, Entitled));
        world.product(SAAS, SELLER, ProductType::Saas, &dimensions).expect("a product");
        for buyer in BUYERS {
            world.accept(&public_offer(AMI), buyer);
        }
        world.seller(RESELLER, "AWS Inc.");
        Life { world, terms: BTreeMap::new(), wholesale: BTreeMap::new() }
    }

    fn happens(&mut self, number: usize, buyer: &str, step: &Step) {
        let product = |saas: bool| if saas { SAAS } else { AMI };
        match *step {
            Step::Deal { .. } => self.deal(number, buyer, step),
            Step::Amend { saas, purchase, key, units } => {
                let keys = if saas { KEYS } else { TYPES };
                self.amend(product(saas), buyer, purchase, keys[key], units);
            }
            Step::Annual { units, renews } => {
                if self.world.live(buyer, AMI).is_some() {
                    let chosen = configuration(ANNUAL, &[(TYPES[0], units)], renews);
                    taken(self.world.try_annual(AMI, buyer, &chosen));
                }
            }
            Step::Refund { invoice, percent } => self.refund(number, buyer, invoice, percent),
            Step::GiveBack { purchase } => self.give_back(buyer, purchase),
            Step::Cancel { saas } => {
                if self.world.live(buyer, product(saas)).is_some() {
                    self.world.cancel(product(saas), buyer);
                }
            }
        }
    }

    /// Releases a private offer of today, and accepts it in the place of whatever the buyer holds.
    fn deal(&mut self, number: usize, buyer: &str, step: &Step) {
        let Step::Deal { ami, yen, months, price, units, renews, payments, wholesale } = *step else {
            return;
        };
        // What a reseller sells does not renew itself.
        let renews = renews.filter(|_| wholesale.is_none());
        let currency = if yen { Currency::Jpy } else { Currency::Usd };
        let (digits, now) = (currency.minor_digits(), self.world.now());
        let payable = UnitPrice::from_scaled(price * 10_i64.pow(8 - digits)).expect("a price");
        let percent = |uplift| Uplift { percent: Rate::from_hundredths_of_percent(uplift), range: None };
        let renewal = renews.map(|uplift| Renewal { uplift: Some(percent(uplift)) });
        let duration = TermDuration::Months(months);
        let keys = if ami { &TYPES[..1] } else { &KEYS[..] };
        let grants = keys.iter().map(|key| (DimensionKey::new(key), units)).collect();
        let hourly = || usage_terms(&[(TYPES[0], "0.50"), (TYPES[1], "0.40")], &[]).usage_based;
        let usage_based = if ami { hourly() } else { None };
        let fixed = FixedUpfront { currency, price: payable, duration: Some(duration), grants };
        let last = now.date().to_string();
        let (terms, chosen) = match payments {
            None => {
                let text = payable.to_string();
                let card = prices(&KEYS.map(|key| (key, text.as_str())), PriceDecimals::Upfront);
                let rate_cards = vec![UpfrontRateCard { duration, prices: card }];
                let upfront = ConfigurableUpfront { currency, rate_cards };
                let chosen = configuration(duration, &[(KEYS[0], units)], renewal.is_some());
                (Terms { configurable_upfront: Some(upfront), renewal, ..Terms::default() }, Some(chosen))
            }
            Some(0) => {
                let chosen = UpfrontConfiguration {
                    duration: None,
                    quantities: BTreeMap::new(),
                    auto_renew: renewal.is_some(),
                };
                (Terms { usage_based, fixed_upfront: Some(fixed), renewal, ..Terms::default() }, Some(chosen))
            }
            Some(count) => {
                let each = price / i64::from(count);
                if each == 0 {
                    return;
                }
                let first = price - each * i64::from(count - 1);
                // The first one lies in the past, the others three weeks apart.
                let payment = |index: u32| ScheduledPayment {
                    charge_date: now.plus_days(index * 21).date(),
                    amount: UnitPrice::from_scaled(
                        if index == 0 { first } else { each } * 10_i64.pow(8 - digits),
                    )
                    .expect("an amount"),
                };
                let schedule = PaymentSchedule { currency, payments: (0..count).map(payment).collect() };
                let terms = Terms {
                    usage_based,
                    fixed_upfront: Some(fixed),
                    payment_schedule: Some(schedule),
                    ..Terms::default()
                };
                (terms, None)
            }
        };
        let offer = format!("offer-{number}");
        let product = if ami { AMI } else { SAAS };
        let authorization = wholesale.map(|minor| {
            let price = UnitPrice::from_scaled(minor * 10_i64.pow(8 - digits)).expect("a price");
            let card = keys.iter().map(|key| (DimensionKey::new(key), price)).collect();
            let rate_cards = vec![UpfrontRateCard { duration, prices: card }];
            let prices = Terms {
                usage_based: if ami { hourly() } else { None },
                configurable_upfront: Some(ConfigurableUpfront { currency, rate_cards }),
                ..Terms::default()
            };
            let id = format!("resaleauthz-{number}");
            self.world.authorize(&id, product, RESELLER, prices);
            self.wholesale.insert(OfferId::new(&offer), price);
            id
        });
        self.world.offer_of(&offer, product, &[buyer], Some(&last), terms, authorization.as_deref());
        taken(self.world.try_accept(&offer, buyer, chosen.as_ref()));
    }

    /// Amends, and compares the invoice with what the days say.
    fn amend(&mut self, product: &str, buyer: &str, purchase: usize, key: &str, units: u64) {
        let Some(agreement) = self.world.live(buyer, product).cloned() else { return };
        let count = agreement.purchases.len();
        let Some(old) = agreement.purchases.get(purchase % count.max(1)).cloned() else { return };
        let before = self.world.invoices(buyer).len();
        if !taken(self.world.try_amend(product, buyer, Some(old.number), &[(key, units)])) {
            assert_eq!(self.world.invoices(buyer).len(), before, "a refusal invoices nothing");
            return;
        }
        let began = |purchase: &UpfrontPurchase| {
            let known = self.terms.get(&(agreement.id.clone(), purchase.number));
            known.copied().unwrap_or(purchase.start)
        };
        let (start, now) = (began(&old), self.world.now());
        let after = self.world.live(buyer, product).expect("it goes on").clone();
        let new = after.purchases.last().expect("a purchase").clone();
        self.terms.insert((agreement.id.clone(), new.number), start);
        let invoice = self.world.invoices(buyer).pop().expect("an invoice");
        // The last day of a term that ends in the middle of it counts, too.
        let days = |from: Timestamp| i128::from((old.end.date() - from.date()).num_days()).max(1);
        let held = old.quantities.get(&DimensionKey::new(key)).copied().unwrap_or(0);
        let price = new
            .unit_prices
            .get(&DimensionKey::new(key))
            .or_else(|| old.unit_prices.get(&DimensionKey::new(key)));
        let price = i128::from(price.expect("a price").scaled());
        let exact = (i128::from(units) - i128::from(held)) * price * days(now);
        let per_minor = 10_i128.pow(8 - old.currency.minor_digits()) * days(start);
        assert_eq!(invoice.lines.len(), 1);
        assert_eq!(
            invoice.total().minor(),
            half_up(exact, per_minor),
            "{old:?} of {start} amended to {new:?} at {now}"
        );
        let owed = self.wholesale.get(&agreement.offer).map(|price| {
            let exact = (i128::from(units) - i128::from(held)) * i128::from(price.scaled()) * days(now);
            half_up(exact, per_minor)
        });
        assert_eq!(invoice.lines[0].wholesale.map(Money::minor), owed, "the wholesale of the same days");
        assert!(
            invoice.total().minor() >= 0 && new.end == old.end && after.planned_end == agreement.planned_end
        );
        let grown = value(&after).minor() - value(&agreement).minor();
        assert_eq!(grown, invoice.total().minor(), "the agreement's value grows by what is invoiced");
    }

    fn refund(&mut self, number: usize, buyer: &str, invoice: usize, percent: u32) {
        let invoices = self.world.invoices(buyer);
        let Some(invoice) = invoices.get(invoice % invoices.len().max(1)) else { return };
        let (_, family) = self.world.family(buyer).expect("a family");
        let agreement = invoice.lines[0].agreement.clone();
        let left = most(family, invoice, &agreement);
        let minor = invoice.total().minor() * i128::from(percent) / 100;
        let scale = 10_i128.pow(14 - invoice.currency.minor_digits());
        let refused = minor <= 0 || minor > left.minor() || invoice.kind == InvoiceKind::CreditMemo;
        let adjustment = Adjustment {
            invoice: invoice.id.clone(),
            agreement,
            amount: Amount::new(minor * scale, invoice.currency),
            reason: AdjustmentReason::Other,
            description: String::new(),
            client_token: format!("refund-{number}"),
        };
        let made = taken(self.world.try_adjust(buyer, &adjustment));
        assert_eq!(made, !refused, "{minor} of {left} that are left");
        if made {
            let (_, family) = self.world.family(buyer).expect("a family");
            let rest = most(family, invoice, &adjustment.agreement);
            assert_eq!(left.minor() - rest.minor(), minor, "what was given back is gone");
            taken(self.world.try_adjust(buyer, &adjustment));
            assert_eq!(self.world.invoices(buyer).len(), invoices.len() + 1, "said again, it is made once");
        }
    }

    /// A buyer gives an annual subscription back: nothing that it was charged is left, and only for two days.
    fn give_back(&mut self, buyer: &str, purchase: usize) {
        let Some(agreement) = self.world.live(buyer, AMI).cloned() else { return };
        let count = agreement.purchases.len();
        let Some(old) = agreement.purchases.get(purchase % count.max(1)).cloned() else { return };
        let (now, public) = (self.world.now(), agreement.offer.as_str() == public_offer(AMI));
        let lasts = old.start <= now && now < old.end && old.ended_early_at.is_none();
        // Two of the same cannot be told from a renewal, which is given back for longer.
        let mut first = &old;
        while let Some(number) = first.amends {
            first = agreement.purchases.iter().find(|p| p.number == number).expect("what it amends");
        }
        let renewed = |p: &UpfrontPurchase| {
            p.end == first.start && p.ended_early_at.is_none() && p.quantities == first.quantities
        };
        let renewed = agreement.purchases.iter().any(renewed);
        let last = first.start.plus_days(if renewed { 14 } else { 2 });
        let made = taken(self.world.try_refund_purchase(AMI, buyer, old.number));
        assert_eq!(made, public && lasts && now <= last, "{old:?} at {now}");
        if !made {
            return;
        }
        let after = self.world.live(buyer, AMI).expect("it goes on");
        let ended = after.purchases.iter().find(|p| p.number == old.number).expect("the purchase");
        assert_eq!((ended.ended_early_at, after.purchases.len()), (Some(now), count));
        let (_, family) = self.world.family(buyer).expect("a family");
        let charged = |invoice: &&std::sync::Arc<Invoice>| {
            invoice.kind == InvoiceKind::Upfront
                && invoice.issued_at == old.start
                && invoice.lines[0].agreement == agreement.id
        };
        let same_moment = agreement.purchases.iter().filter(|p| p.start == old.start).count();
        let back = family.invoices().iter().filter(charged);
        let back = back.filter(|invoice| most(family, invoice, &agreement.id).minor() == 0).count();
        assert!((1..=same_moment).contains(&back), "{back} of {same_moment} came back whole");
    }

    /// Sums of invoices, limits of refunds, and values of agreements.
    fn add_up(&self) {
        for buyer in BUYERS {
            let invoices = self.world.invoices(buyer);
            for invoice in &invoices {
                let lines: i128 = invoice.lines.iter().map(|line| line.amount.minor()).sum();
                let billed = invoice.revenue.iter().filter(|row| !row.is_manufacturers());
                let rows: i128 = billed.map(|row| row.billed.minor() + row.refunded.minor()).sum();
                assert_eq!((lines, rows), (invoice.total().minor(), lines), "{invoice:?}");
                assert!(invoice.lines.iter().all(|line| line.amount.currency() == invoice.currency));
                given_back(invoice, &invoices);
            }
            let Some((_, family)) = self.world.family(buyer) else { continue };
            for agreement in family.agreements() {
                let lines = invoices.iter().filter(|invoice| invoice.kind != InvoiceKind::CreditMemo);
                let lines =
                    lines.flat_map(|invoice| &invoice.lines).filter(|line| line.agreement == agreement.id);
                let invoiced: i128 = lines.map(|line| line.amount.minor()).sum();
                let open = agreement.instalments.iter().filter(|i| i.state != InstalmentState::Invoiced);
                let scale = |currency: Currency| 10_i64.pow(8 - currency.minor_digits());
                let currency =
                    agreement.purchases.first().map_or(Currency::Usd, |purchase| purchase.currency);
                let open: i64 = open.map(|i| i.amount.scaled() / scale(currency)).sum();
                assert_eq!(invoiced + i128::from(open), value(agreement).minor(), "{agreement:?}");
                self.owed(agreement, &invoices);
            }
        }
    }
}

impl Life {
    /// What a reseller owes of an agreement: nothing of others, and all of its wholesale once all is invoiced.
    fn owed(&self, agreement: &Agreement, invoices: &[std::sync::Arc<Invoice>]) {
        let market = self.world.market();
        let seller = market.offers()[&agreement.offer].seller(&market.products()[&agreement.product]);
        assert_eq!(agreement.seller, seller, "{agreement:?}");
        let charges = invoices.iter().filter(|invoice| invoice.kind != InvoiceKind::CreditMemo);
        let lines = charges.flat_map(|invoice| &invoice.lines).filter(|line| line.agreement == agreement.id);
        let owed: Vec<_> = lines.map(|line| line.wholesale.map(Money::minor)).collect();
        let resold = self.wholesale.contains_key(&agreement.offer);
        assert!(owed.iter().all(|owed| owed.is_some() == resold), "{agreement:?}");
        let (owed, whole) = (owed.into_iter().flatten().sum::<i128>(), agreement.wholesale_value().minor());
        let is_whole = agreement.instalments.iter().all(|i| i.state == InstalmentState::Invoiced);
        assert!(if is_whole { owed == whole } else { owed <= whole }, "{owed} of {whole}: {agreement:?}");
    }
}

fn value(agreement: &Agreement) -> Money {
    agreement.contract_value().expect("a sound agreement")
}

/// Credit memos of an invoice never exceed it, nor their returned fees its fee.
fn given_back(invoice: &Invoice, all: &[std::sync::Arc<Invoice>]) {
    let memos =
        || all.iter().filter(|memo| memo.correction.as_ref().is_some_and(|c| c.invoice == invoice.id));
    let refunded: i128 = memos().map(|memo| memo.total().minor()).sum();
    let fee: i128 = invoice.revenue.iter().map(|row| row.fee.minor()).sum();
    let returned: i128 = memos().flat_map(|memo| &memo.revenue).map(|row| row.fee_refund.minor()).sum();
    let costs = |row: &Revenue| row.costs().map(Money::minor);
    let cost: i128 = invoice.revenue.iter().map(|row| costs(row)[0]).sum();
    let back: i128 = memos().flat_map(|memo| &memo.revenue).map(|row| costs(row)[1]).sum();
    if memos().next().is_some() {
        assert!(back >= 0 && back <= -cost, "{back} of the wholesale of {invoice:?}");
        assert!(-refunded <= invoice.total().minor() && returned <= -fee && returned >= 0, "{invoice:?}");
        if -refunded == invoice.total().minor() {
            assert_eq!(back, -cost, "what is given back in full returns the whole wholesale: {invoice:?}");
            assert_eq!(returned, -fee, "what is given back in full returns the whole fee: {invoice:?}");
        }
    }
}

/// Whether something was done; a broken state is none that a test may leave.
fn taken(done: Result<(), Refusal>) -> bool {
    match done {
        Ok(()) => true,
        Err(Refusal::Rejected(_)) => false,
        Err(Refusal::Broken(broken)) => panic!("{broken}"),
    }
}

/// Rounds half away from zero.
fn half_up(number: i128, unit: i128) -> i128 {
    let magnitude = (2 * number.abs() + unit) / (2 * unit);
    if number < 0 { -magnitude } else { magnitude }
}
