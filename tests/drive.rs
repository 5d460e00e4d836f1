//! Does what a plan says in a world, with the facts beside it, and sees that the world answers what the facts
//! foresee.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use souk_core::catalog::{DimensionType, ProductType};
use souk_core::ids::MeteringRecordId;
use souk_core::invoicing::{Invoice, InvoiceKind};
use souk_core::metering::RecordStatus;
use souk_core::money::{Currency, PriceDecimals};
use souk_core::rules::{MeteringWindow, Profile, Rules};
use souk_core::terms::{ConfigurableUpfront, Renewal, Terms, UpfrontRateCard, Validity};
use souk_core::time::{BillingMonth, TermDuration};
use souk_tests::naive::{self, Prices, Time, Usage, at, first_of_month, hour_of, invoiced};
use souk_tests::publish::{configuration, prices, public_offer, usage_terms};
use souk_tests::world::{Record, SELLER, World, moment};

use super::life::{ENTITIES, Life, SHOWN_OFFER, SHOWN_PRICE, Wanted, private_offer};
use super::plan::{AMI, Act, Bought, CONTRACT, EXTRA, PRODUCTS, Plan, SAAS, SEATS, decimal};

const SECOND_SELLER: &str = "888888888888";
const REGIONS: [&str; 3] = ["us-east-1", "eu-west-1", "ap-northeast-1"];

/// How a plan is done.
#[derive(Clone, Copy)]
pub struct Manner {
    /// In how many partitions.
    pub partitions: usize,
    /// Records come in the other order.
    pub reversed: bool,
    /// What was sent is sent again, with the same quantity and with another.
    pub resent: bool,
}

/// What came of a plan.
pub struct Done {
    /// The world.
    pub world: World,
    /// The facts.
    pub life: Life,
    /// The records that were metered, with their ids.
    pub metered: Vec<(Record, MeteringRecordId)>,
}

enum Step {
    Act(Act),
    Send(Vec<Record>),
    Preview(BillingMonth),
}

/// Does a plan to the end of its months.
pub fn drive(plan: &Plan, manner: Manner) -> Done {
    let mut done = Done { world: published(plan, manner), life: Life::new(plan), metered: Vec::new() };
    let mut previews: BTreeMap<(String, BillingMonth), Vec<Invoice>> = BTreeMap::new();
    for (time, step) in agenda(plan) {
        done.life.advance(time);
        done.world.advance_to(&text(time));
        match step {
            Step::Act(act) => done.act(plan, &act, time),
            Step::Send(records) => done.send(records, manner),
            Step::Preview(month) => previews.extend(plan.payers().into_iter().map(|payer| {
                let preview = done.world.preview(&payer, month);
                ((payer, month), preview)
            })),
        }
    }
    let end = invoiced(last_month(plan)) + TimeDelta::days(1);
    done.life.advance(end);
    done.world.advance_to(&text(end));
    for ((payer, month), preview) in previews {
        let issued = done.world.invoices(&payer).into_iter();
        let issued: Vec<_> = issued.filter(|i| i.kind == InvoiceKind::Usage && i.month == month).collect();
        // Only the number may differ: upfront invoices may come between.
        let as_issued = preview.iter().zip(&issued).map(|(p, i)| Invoice { id: i.id.clone(), ..p.clone() });
        let as_issued: Vec<_> = as_issued.collect();
        assert_eq!(preview.len(), issued.len(), "the preview of {month} for {payer}");
        assert!(as_issued.iter().eq(issued.iter().map(AsRef::as_ref)), "the preview of {month} for {payer}");
    }
    done
}

/// A plan's time: minutes from the beginning of 2024.
fn minute(minutes: u32) -> Time {
    at("2024-01-01T00:00:00Z") + TimeDelta::minutes(i64::from(minutes))
}

fn text(time: Time) -> String {
    time.to_rfc3339()
}

fn last_month(plan: &Plan) -> chrono::NaiveDate {
    at(&format!("2025-{:02}-01T00:00:00Z", plan.months)).date_naive()
}

/// Everything that happens, in order. No two acts share a minute.
fn agenda(plan: &Plan) -> Vec<(Time, Step)> {
    let founders =
        (0..).zip(plan.accounts()).flat_map(|(buyer, _)| (0..3).map(move |product| (buyer, product)));
    let founders = founders.zip(0..).filter(|(_, bit)| plan.founders >> bit & 1 == 1);
    let founding = founders.map(|((buyer, product), bit)| {
        let bought =
            Bought { any: bit % 2 == 0, dimension: 0, units: 2, year: bit % 27 != 2, auto_renew: true };
        (bit + 1, Act::Subscribe { buyer, product, bought })
    });
    let mut acts = BTreeMap::new();
    for (mut when, act) in founding.chain(plan.acts.iter().cloned()) {
        while acts.contains_key(&when) {
            when += 1;
        }
        acts.insert(when, act);
    }
    let end = minute_of_end(plan);
    let acts = acts.into_iter().map(|(when, act)| (minute(when), Step::Act(act)));
    let sends = sends(plan).into_iter().map(|(time, records)| (time, Step::Send(records)));
    let previews = (1..=plan.months).map(|month| {
        let month = BillingMonth::parse(&format!("2025-{month:02}")).expect("a month");
        (at(&month.invoiced_at().to_string()) - TimeDelta::microseconds(1), Step::Preview(month))
    });
    let mut agenda: Vec<_> = acts.chain(sends).chain(previews).filter(|(time, _)| *time < end).collect();
    agenda.sort_by_key(|(time, _)| *time);
    agenda
}

fn minute_of_end(plan: &Plan) -> Time {
    invoiced(last_month(plan))
}

/// The records of a plan by the moment at which they are sent; the first of an hour stands.
fn sends(plan: &Plan) -> BTreeMap<Time, Vec<Record>> {
    let end = first_of_month(minute_of_end(plan).date_naive());
    let mut records = BTreeMap::new();
    for run in &plan.runs {
        let (buyer, product) = (plan.account(run.buyer), run.product);
        let dimension = plan.dimension(product, run.dimension);
        for turn in 0..run.count {
            let hours = run.start % (plan.months * 28 * 24) + turn * run.stride;
            let time = at("2025-01-01T00:00:00Z") + TimeDelta::minutes(i64::from(hours * 60 + run.minute));
            let key = (buyer.clone(), product, dimension.clone(), run.region, hour_of(time));
            if time.date_naive() >= end || records.contains_key(&key) {
                continue;
            }
            // Instances are whole; there is a pattern in the hours, so that sums differ from products.
            let quantity = match product {
                AMI => (run.quantity / 1_000_000 % 9 + u64::from(turn % 3)).to_string(),
                _ => decimal(run.quantity.saturating_sub(u64::from(turn % 3) * 7), 6),
            };
            let record = Record {
                buyer: buyer.clone(),
                product: PRODUCTS[product].to_owned(),
                dimension: dimension.clone(),
                region: REGIONS[run.region].to_owned(),
                at: moment(&text(time)),
                quantity,
            };
            let midnight = at(&format!("{}T00:00:00Z", time.date_naive()));
            let sent = midnight + TimeDelta::days(1 + i64::from(run.delay));
            let last = invoiced(first_of_month(time.date_naive())) - TimeDelta::hours(12);
            records.insert(key, (sent.min(last), record));
        }
    }
    let mut sends: BTreeMap<Time, Vec<Record>> = BTreeMap::new();
    for (sent, record) in records.into_values() {
        sends.entry(sent).or_default().push(record);
    }
    sends
}

impl Done {
    fn act(&mut self, plan: &Plan, act: &Act, now: Time) {
        match act {
            Act::Subscribe { buyer, product, bought } => {
                let months = if bought.year { 12 } else { 1 };
                let wanted = wanted(plan, *product, bought, months);
                self.accept(&public_offer(PRODUCTS[*product]), &plan.account(*buyer), wanted.as_ref(), now);
            }
            Act::Demonstrate { buyer } => self.accept(SHOWN_OFFER, &plan.account(*buyer), None, now),
            Act::AcceptPrivate { buyer, offer, bought } if !plan.privates.is_empty() => {
                let number = offer % plan.privates.len();
                let private = &plan.privates[number];
                // Most times by whom it is for, and without the renewal that it does not offer.
                let buyer = if buyer % 3 != 2 { private.buyer } else { *buyer };
                let bought = Bought { auto_renew: bought.auto_renew && bought.units == 3, ..bought.clone() };
                let wanted = wanted(plan, private.product, &bought, plan.private_months(number));
                self.accept(&private_offer(number), &plan.account(buyer), wanted.as_ref(), now);
            }
            Act::Annual { buyer, bought } if self.life.holds(&plan.account(*buyer), AMI) => {
                let wanted = wanted(plan, AMI, &Bought { any: true, ..bought.clone() }, 12).expect("cover");
                let buyer = plan.account(*buyer);
                let chosen = configured(&wanted);
                let foreseen = self.life.annual(&buyer, &wanted, now);
                let answer = self.world.try_annual(PRODUCTS[AMI], &buyer, &chosen);
                assert_eq!(answer.is_ok(), foreseen, "{act:?} at {now}: {answer:?}");
            }
            Act::Cancel { buyer, product } if self.life.holds(&plan.account(*buyer), *product) => {
                let buyer = plan.account(*buyer);
                self.life.cancel(&buyer, *product, now);
                self.world.cancel(PRODUCTS[*product], &buyer);
            }
            Act::AcceptPrivate { .. } | Act::Annual { .. } | Act::Cancel { .. } => {}
            Act::Reprice { product, dimension, usage, annual } => {
                let dimension = plan.dimension(*product, *dimension);
                let offer = public_offer(PRODUCTS[*product]);
                let one = |price: &String| Prices::from([(dimension.clone(), price.clone())]);
                let annual: Prices = annual.iter().filter(|_| *product == AMI).flat_map(one).collect();
                let foreseen = self.life.reprice(&offer, one(usage), annual.clone(), now);
                let answer = self.world.reprice(&offer, &pairs(&one(usage)), &pairs(&annual));
                assert_eq!(answer.is_ok(), foreseen, "{act:?} at {now}: {answer:?}");
            }
        }
    }

    fn accept(&mut self, offer: &str, buyer: &str, wanted: Option<&Wanted>, now: Time) {
        let foreseen = self.life.accept(offer, buyer, wanted, now);
        let answer = self.world.try_accept(offer, buyer, wanted.map(configured).as_ref());
        assert_eq!(answer.is_ok(), foreseen, "{buyer} accepts {offer} at {now}: {answer:?}");
    }

    /// Sends records, perhaps again, and gathers those that are metered.
    fn send(&mut self, mut records: Vec<Record>, manner: Manner) {
        if manner.reversed {
            records.reverse();
        }
        let statuses = self.world.meter(&records);
        if manner.resent {
            assert_eq!(self.world.meter(&records), statuses, "sent again");
            let others: Vec<_> =
                records.iter().map(|r| Record { quantity: "12345".to_owned(), ..r.clone() }).collect();
            for (first, second) in statuses.iter().zip(self.world.meter(&others)) {
                let expected = match first {
                    RecordStatus::Success(id) => RecordStatus::DuplicateRecord(*id),
                    refused => *refused,
                };
                assert_eq!(second, expected, "sent with another quantity");
            }
        }
        for (record, status) in records.into_iter().zip(statuses) {
            let time = at(&record.at.to_string());
            match (status, self.life.takes(&record.buyer, &record.product, time)) {
                (RecordStatus::Success(id), true) => {
                    self.life.market.usage.push(Usage {
                        buyer: record.buyer.clone(),
                        product: record.product.clone(),
                        dimension: record.dimension.clone(),
                        hour: time,
                        quantity: record.quantity.clone(),
                    });
                    self.metered.push((record, id));
                }
                (RecordStatus::CustomerNotSubscribed, false) => {}
                (status, takes) => panic!("{record:?}: {status:?}, but foreseen {takes}"),
            }
        }
    }
}

/// What is wanted upfront: something of a contract always, cover of a type if `any` is.
fn wanted(plan: &Plan, product: usize, bought: &Bought, months: u32) -> Option<Wanted> {
    let Bought { any, dimension, units, auto_renew, .. } = *bought;
    match product {
        AMI => {
            let dimension = plan.dimension(AMI, dimension);
            any.then_some(Wanted { dimension, units, months: 12, auto_renew })
        }
        CONTRACT => Some(Wanted { dimension: SEATS.to_owned(), units, months, auto_renew }),
        _ => None,
    }
}

fn configured(wanted: &Wanted) -> souk_core::terms::configurable_upfront::UpfrontConfiguration {
    let units = [(&*wanted.dimension, wanted.units)];
    configuration(TermDuration::Months(wanted.months), &units, wanted.auto_renew)
}

fn pairs(prices: &Prices) -> Vec<(&str, &str)> {
    prices.iter().map(|(key, price)| (key.as_str(), price.as_str())).collect()
}

/// A world in which a plan's sellers have published everything.
fn published(plan: &Plan, manner: Manner) -> World {
    let rules = Rules {
        metering_window: MeteringWindow::OpenMonth,
        decreases_immediate: plan.decreases_immediate,
        ..Rules::of(Profile::Source)
    };
    let mut world = World::with("2024-01-01T00:00:00Z", rules, manner.partitions);
    world.seller(SELLER, ENTITIES[AMI]).seller(SECOND_SELLER, ENTITIES[SAAS]);
    for (account, payer) in plan.accounts() {
        world.linked(&account, &payer);
    }
    let life = Life::new(plan);
    let usage = |offer: &str| life.market.offers[offer].usage.clone();
    let keys = plan.dimensions(AMI);
    let types: Vec<_> =
        keys.iter().zip(&plan.types).map(|(key, (h, a))| (key.as_str(), h.as_str(), a.as_str())).collect();
    world.ami(PRODUCTS[AMI], &types);
    let shown: Vec<_> = keys.iter().map(|key| (key.as_str(), SHOWN_PRICE)).collect();
    world.demonstration(SHOWN_OFFER, PRODUCTS[AMI], &shown);
    world.saas(PRODUCTS[SAAS], SECOND_SELLER, &pairs(&usage(&public_offer(PRODUCTS[SAAS]))));
    let dimensions = [(SEATS, DimensionType::Entitled), (EXTRA, DimensionType::ExternallyMetered)];
    world.product(PRODUCTS[CONTRACT], SELLER, ProductType::Saas, &dimensions).expect("it may be published");
    let [month, year, extra] = &plan.contract;
    let seats = |price: &String| Prices::from([(SEATS.to_owned(), price.clone())]);
    let public = [(1, seats(month)), (12, seats(year))].into();
    let terms = Terms { renewal: Some(Renewal::default()), ..contract_terms(&[(EXTRA, extra)], &public) };
    world.public(PRODUCTS[CONTRACT], terms);
    for (number, private) in plan.privates.iter().enumerate() {
        let usage = usage(&private_offer(number));
        let mut terms = contract_terms(&pairs(&usage), &plan.private_upfront(number));
        if private.product != CONTRACT {
            terms.validity = Some(Validity::Lasting(TermDuration::Days(private.days)));
        }
        let buyers = [plan.account(private.buyer)];
        let (id, product) = (private_offer(number), PRODUCTS[private.product]);
        world.offer(&id, product, &[&*buyers[0]], Some("2026-01-01"), terms);
    }
    world
}

fn contract_terms(usage: &[(&str, &str)], upfront: &BTreeMap<u32, Prices>) -> Terms {
    let card = |(months, card): (&u32, &Prices)| UpfrontRateCard {
        duration: TermDuration::Months(*months),
        prices: prices(&pairs(card), PriceDecimals::Upfront),
    };
    let rate_cards: Vec<_> = upfront.iter().map(card).collect();
    let sold =
        (!rate_cards.is_empty()).then_some(ConfigurableUpfront { currency: Currency::Usd, rate_cards });
    Terms { configurable_upfront: sold, ..usage_terms(usage, &[]) }
}

/// The world's invoices in the words of the facts, in order.
pub fn invoices(world: &World) -> Vec<naive::Invoice> {
    let mut all: Vec<_> = world.all_invoices().into_values().flatten().map(|i| in_facts(world, &i)).collect();
    all.sort();
    all
}

fn in_facts(world: &World, invoice: &Invoice) -> naive::Invoice {
    let payer = invoice.payer.to_string();
    let (_, family) = world.family(&payer).expect("a family with an invoice");
    let agreement = |id| {
        let number = family.agreement(id).expect("an agreement of the family").number;
        super::life::agreement_name(&payer, number as usize)
    };
    let lines = invoice.lines.iter().map(|line| naive::Line {
        buyer: line.buyer.to_string(),
        product: line.product.to_string(),
        agreement: agreement(&line.agreement),
        offer: line.offer.to_string(),
        dimension: line.dimension.as_ref().map(ToString::to_string).unwrap_or_default(),
        unit_price: line.unit_price.scaled().into(),
        quantity: line.quantity.0.into(),
        amount: line.amount.minor().into(),
    });
    let rows = invoice.revenue.iter().map(|row| naive::Row {
        buyer: row.buyer.to_string(),
        product: row.product.to_string(),
        offer: row.offer.to_string(),
        dimension: row.dimension.as_ref().map(ToString::to_string),
        billed: row.billed.minor().into(),
        fee: row.fee.minor().into(),
    });
    let (mut lines, mut rows): (Vec<_>, Vec<_>) = (lines.collect(), rows.collect());
    lines.sort();
    rows.sort();
    let charge = match invoice.kind {
        InvoiceKind::Usage => naive::Charge::Usage(invoice.month.to_string()),
        InvoiceKind::Upfront => naive::Charge::Upfront(lines[0].agreement.clone()),
        kind @ (InvoiceKind::Instalment | InvoiceKind::CreditMemo) => panic!("the driver makes no {kind:?}"),
    };
    let (issued, total) = (at(&invoice.issued_at.to_string()), invoice.total().minor().into());
    naive::Invoice { payer, entity: invoice.entity.clone(), charge, issued, lines, rows, total }
}
