//! A marketplace in this process: published, accepted, metered and billed through the core's own decisions,
//! without a server. Its partitions keep logs as the server's do, so that a world can be replayed.

use std::collections::BTreeMap;
use std::sync::Arc;

use souk_core::agreement::acceptance::{self, Refusal};
use souk_core::agreement::{Agreement, Family, amendment, refund_window};
use souk_core::catalog::account::DEFAULT_ENTITY;
use souk_core::catalog::{Change, Clock, Marketplace};
use souk_core::ids::{AccountId, DEFAULT_REGION, DimensionKey, OfferId, ProductId, Region, SandboxName};
use souk_core::invoicing::Invoice;
use souk_core::invoicing::adjustment::{Adjustment, adjust};
use souk_core::invoicing::close_month::usage_invoices;
use souk_core::machine::follow::{self, Sandboxes, follow, run_due};
use souk_core::machine::rebuild;
use souk_core::machine::{ControlEntry, Event, Sandbox};
use souk_core::metering::acceptance::accept;
use souk_core::metering::request::check_request;
use souk_core::metering::{CheckedRequest, Customer, Door, RecordStatus, UsageRecord, UsageRequest};
use souk_core::quantity::Quantity;
use souk_core::rejection::Rejection;
use souk_core::rules::{MeteringWindow, Profile, Rules};
use souk_core::terms::configurable_upfront::{ANNUAL, UpfrontConfiguration};
use souk_core::time::{BillingMonth, Timestamp};

use crate::publish::configuration;

/// The seller of every product that names none.
pub const SELLER: &str = "999999999999";

/// A marketplace and its logs.
pub struct World {
    name: SandboxName,
    now: Timestamp,
    control: Vec<ControlEntry>,
    partitions: Vec<Partition>,
}

/// A partition: its state and the log that makes it again.
#[derive(Default)]
struct Partition {
    sandboxes: Sandboxes,
    log: Vec<Logged>,
}

/// What stands in a partition's log.
enum Logged {
    /// The control entry of this position took effect here.
    Followed(usize),
    /// Something happened.
    Happened(Box<Event>),
}

impl Logged {
    fn happened(event: Event) -> Logged {
        Logged::Happened(Box::new(event))
    }
}

/// A record to be metered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Whose.
    pub buyer: String,
    /// Of which product.
    pub product: String,
    /// Of which dimension.
    pub dimension: String,
    /// From which region.
    pub region: String,
    /// When.
    pub at: Timestamp,
    /// How much.
    pub quantity: String,
}

/// Reads a moment.
pub fn moment(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap_or_else(|| panic!("{text} is no moment"))
}

/// Reads an account.
pub fn account(text: &str) -> AccountId {
    AccountId::parse(text).unwrap_or_else(|| panic!("{text} is no account"))
}

impl World {
    /// One partition under the source documents' rules, its clock stopped at `began`. Any past hour of an open
    /// month may be metered.
    pub fn at(began: &str) -> World {
        World::with(
            began,
            Rules { metering_window: MeteringWindow::OpenMonth, ..Rules::of(Profile::Source) },
            1,
        )
    }

    /// So many partitions under other rules.
    pub fn with(began: &str, rules: Rules, partitions: usize) -> World {
        let now = moment(began);
        let partitions = (0..partitions).map(|_| Partition::default()).collect();
        let mut world = World { name: SandboxName::new("world"), now, control: Vec::new(), partitions };
        world.publish(ControlEntry::SandboxPut {
            name: world.name.clone(),
            description: String::new(),
            rules,
            began: now,
            changes: Vec::new(),
            seeds: Vec::new(),
            clock: Clock::Stopped(now),
        });
        world.seller(SELLER, DEFAULT_ENTITY);
        world
    }

    /// The sandbox's time.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// What is published; every partition holds the same.
    pub fn market(&self) -> &Marketplace {
        self.sandboxes()[0].market()
    }

    /// The sandbox as each partition has it.
    pub fn sandboxes(&self) -> Vec<&Sandbox> {
        self.partitions.iter().map(|partition| &partition.sandboxes[&self.name]).collect()
    }

    /// The partition of a payer, and its family in it, if it has an agreement.
    pub fn family(&self, payer: &str) -> Option<(&Sandbox, &Family)> {
        let sandbox = &self.partitions[self.partition_of(account(payer))].sandboxes[&self.name];
        sandbox.family(account(payer)).map(|family| (sandbox, family))
    }

    /// The invoices of a payer in the order of their issue.
    pub fn invoices(&self, payer: &str) -> Vec<Arc<Invoice>> {
        self.family(payer).map_or_else(Vec::new, |(_, family)| family.invoices().to_vec())
    }

    /// All invoices by payer.
    pub fn all_invoices(&self) -> BTreeMap<AccountId, Vec<Arc<Invoice>>> {
        let families = self.sandboxes().into_iter().flat_map(|sandbox| sandbox.families().values());
        families.map(|family| (family.payer, family.invoices().to_vec())).collect()
    }

    /// What the invoices of a payer's open month would be now.
    pub fn preview(&self, payer: &str, month: BillingMonth) -> Vec<Invoice> {
        self.family(payer).map_or_else(Vec::new, |(sandbox, family)| {
            usage_invoices(sandbox, family, month).unwrap_or_else(|broken| panic!("{broken}"))
        })
    }

    /// The live agreement of a buyer on a product.
    pub fn live(&self, buyer: &str, product: &str) -> Option<&Agreement> {
        let payer = self.market().accounts()[&account(buyer)].payer;
        let (_, family) = self.family(&payer.to_string())?;
        family.agreements_of(account(buyer), &ProductId::new(product)).find(|a| a.is_active())
    }

    /// A buyer accepts an offer now.
    pub fn try_accept(
        &mut self,
        offer: &str,
        buyer: &str,
        configuration: Option<&UpfrontConfiguration>,
    ) -> Result<(), Refusal> {
        let payer = self.market().account(account(buyer), "buyer")?.payer;
        let market = self.market();
        let family = self.family(&payer.to_string()).map(|(_, family)| family);
        let offer = OfferId::new(offer);
        let events =
            acceptance::accept_offer(market, family, &offer, account(buyer), configuration, self.now)?;
        self.happened(payer, events);
        Ok(())
    }

    /// A buyer accepts an offer that it may accept.
    pub fn accept(&mut self, offer: &str, buyer: &str) -> &mut World {
        self.try_accept(offer, buyer, None).unwrap_or_else(|refusal| panic!("{refusal}"));
        self
    }

    /// A buyer adds annual cover to the agreement that it holds on a product.
    pub fn try_annual(
        &mut self,
        product: &str,
        buyer: &str,
        chosen: &UpfrontConfiguration,
    ) -> Result<(), Refusal> {
        let agreement =
            self.live(buyer, product).unwrap_or_else(|| panic!("{buyer} holds nothing on {product}"));
        let payer = agreement.payer;
        let family = self.family(&payer.to_string()).map(|(_, family)| family);
        let family = family.unwrap_or_else(|| panic!("{payer} has no family"));
        let events = acceptance::add_annual_subscription(self.market(), family, agreement, chosen, self.now)?;
        self.happened(payer, events);
        Ok(())
    }

    /// A buyer adds annual cover of one type.
    pub fn annual(&mut self, product: &str, buyer: &str, dimension: &str, units: u64) -> &mut World {
        let chosen = configuration(ANNUAL, &[(dimension, units)], false);
        self.try_annual(product, buyer, &chosen).unwrap_or_else(|refusal| panic!("{refusal}"));
        self
    }

    /// A buyer ends the agreement that it holds on a product.
    pub fn cancel(&mut self, product: &str, buyer: &str) -> &mut World {
        let agreement =
            self.live(buyer, product).unwrap_or_else(|| panic!("{buyer} holds nothing on {product}"));
        let payer = agreement.payer;
        let (_, family) = self.family(&payer.to_string()).unwrap_or_else(|| panic!("{payer} has no family"));
        let events =
            acceptance::cancel(family, agreement, self.now).unwrap_or_else(|refusal| panic!("{refusal}"));
        self.happened(payer, events);
        self
    }

    /// A buyer changes quantities of a purchase of the agreement that it holds on a product.
    pub fn try_amend(
        &mut self,
        product: &str,
        buyer: &str,
        purchase: Option<u32>,
        quantities: &[(&str, u64)],
    ) -> Result<(), Refusal> {
        let agreement =
            self.live(buyer, product).unwrap_or_else(|| panic!("{buyer} holds nothing on {product}"));
        let payer = agreement.payer;
        let family = self.family(&payer.to_string()).map(|(_, family)| family);
        let family = family.unwrap_or_else(|| panic!("{payer} has no family"));
        let quantities = quantities.iter().map(|(key, units)| (DimensionKey::new(key), *units)).collect();
        let events = amendment::amend(self.market(), family, agreement, purchase, &quantities, self.now)?;
        self.happened(payer, events);
        Ok(())
    }

    /// A buyer gives an upfront purchase back.
    pub fn try_refund_purchase(&mut self, product: &str, buyer: &str, number: u32) -> Result<(), Refusal> {
        let agreement =
            self.live(buyer, product).unwrap_or_else(|| panic!("{buyer} holds nothing on {product}"));
        let payer = agreement.payer;
        let family = self.family(&payer.to_string()).map(|(_, family)| family);
        let family = family.unwrap_or_else(|| panic!("{payer} has no family"));
        let events =
            refund_window::refund_purchase(self.market(), family, agreement, Some(number), self.now)?;
        self.happened(payer, events);
        Ok(())
    }

    /// A seller gives something back of an invoice of a payer.
    pub fn try_adjust(&mut self, payer: &str, adjustment: &Adjustment) -> Result<(), Refusal> {
        let family = self.family(payer).map(|(_, family)| family);
        let family = family.unwrap_or_else(|| panic!("{payer} has no family"));
        let adjusted = adjust(family, adjustment, self.now)?;
        self.happened(account(payer), adjusted.event.into_iter().collect());
        Ok(())
    }

    /// Turns the clock forward, and does what becomes due.
    pub fn advance_to(&mut self, to: &str) -> &mut World {
        let clock = self.market().clock.advance_to(moment(to), self.now);
        let clock = clock.unwrap_or_else(|rejection| panic!("{rejection}"));
        self.now = moment(to);
        self.change(Change::ClockSet(clock))
    }

    /// A buyer runs the same quantity in every hour from `from` to `to`; the clock is turned to the end of it.
    pub fn run(
        &mut self,
        product: &str,
        buyer: &str,
        dimension: &str,
        hours: [&str; 2],
        quantity: &str,
    ) -> &mut World {
        let [from, to] = hours.map(moment);
        if self.now < to {
            self.advance_to(hours[1]);
        }
        let record = |hours: i64| Record {
            buyer: buyer.to_owned(),
            product: product.to_owned(),
            dimension: dimension.to_owned(),
            region: DEFAULT_REGION.to_owned(),
            at: from.plus_micros(hours * 3_600_000_000),
            quantity: quantity.to_owned(),
        };
        let records: Vec<_> = (0..).map(record).take_while(|record| record.at < to).collect();
        for (status, record) in self.meter(&records).iter().zip(&records) {
            assert!(matches!(status, RecordStatus::Success(_)), "{record:?}: {status:?}");
        }
        self
    }

    /// Meters records, in requests of one product and region each; answers what became of them.
    pub fn meter(&mut self, records: &[Record]) -> Vec<RecordStatus> {
        let mut requests: BTreeMap<_, Vec<(usize, UsageRecord)>> = BTreeMap::new();
        for (position, record) in records.iter().enumerate() {
            let dimension = DimensionKey::new(&record.dimension);
            let product = &self.market().products()[&ProductId::new(&record.product)];
            let types = &product.dimension(&dimension).unwrap_or_else(|| panic!("{record:?}")).types;
            let metered_as = *types.iter().next().unwrap_or_else(|| panic!("{dimension} is of no type"));
            let usage = UsageRecord {
                timestamp: record.at,
                customer: Customer::Account(record.buyer.clone()),
                dimension,
                quantity: Quantity::parse(&record.quantity)
                    .unwrap_or_else(|e| panic!("{}: {e}", record.quantity)),
                allocations: Vec::new(),
            };
            requests
                .entry((&record.product, &record.region, metered_as))
                .or_default()
                .push((position, usage));
        }
        let mut statuses = vec![RecordStatus::Unprocessed; records.len()];
        for ((product, region, metered_as), usage) in requests {
            let (positions, usage): (Vec<_>, Vec<_>) = usage.into_iter().unzip();
            let request = UsageRequest {
                product_code: Some(self.market().products()[&ProductId::new(product)].code.clone()),
                region: Region::new(region),
                resource: None,
                records: usage,
                metered_as,
                door: Door::Batch,
            };
            let checked = check_request(self.market(), |_| None, request, self.now);
            let checked = checked.unwrap_or_else(|rejection| panic!("{rejection}"));
            for (index, status) in self.accept_usage(&checked) {
                statuses[positions[index as usize]] = status;
            }
        }
        statuses
    }

    /// Every partition takes the records of its payers.
    fn accept_usage(&mut self, checked: &CheckedRequest) -> Vec<(u32, RecordStatus)> {
        let unknown =
            checked.unknown_buyers.iter().map(|index| (*index, RecordStatus::CustomerNotSubscribed));
        let mut statuses: Vec<_> = unknown.collect();
        for number in 0..self.partitions.len() {
            let records = checked.records.iter().filter(|record| self.partition_of(record.payer) == number);
            let mine = CheckedRequest { records: records.cloned().collect(), ..checked.clone() };
            let partition = &mut self.partitions[number];
            let sandbox =
                partition.sandboxes.get_mut(&self.name).unwrap_or_else(|| panic!("the sandbox is there"));
            let (outcomes, events) = accept(sandbox, &mine, self.now);
            partition.log.extend(events.into_iter().map(Logged::happened));
            statuses.extend(outcomes.into_iter().map(|outcome| (outcome.index, outcome.status)));
        }
        statuses
    }

    /// Makes every partition again from its log, deciding nothing; the clock and the control log are kept.
    #[must_use]
    pub fn replayed(&self) -> World {
        let replay = |partition: &Partition| {
            let mut sandboxes = Sandboxes::new();
            for logged in &partition.log {
                match logged {
                    Logged::Followed(position) => follow::apply(&mut sandboxes, &self.control[*position]),
                    Logged::Happened(event) => {
                        let sandbox = sandboxes.get_mut(&self.name);
                        sandbox.unwrap_or_else(|| panic!("{event:?} before its sandbox")).apply(event);
                    }
                }
            }
            Partition { sandboxes, log: Vec::new() }
        };
        let partitions = self.partitions.iter().map(replay).collect();
        World { name: self.name.clone(), now: self.now, control: self.control.clone(), partitions }
    }

    /// Makes every partition again as a snapshot does: from what is published, the shortest events that rebuild its
    /// state, and its tiles.
    #[must_use]
    pub fn rebuilt(&self) -> World {
        let rebuild = |partition: &Partition| {
            let mut sandboxes = Sandboxes::new();
            for entry in &self.control {
                follow::apply(&mut sandboxes, entry);
            }
            for (name, sandbox) in &mut sandboxes {
                let Some(before) = partition.sandboxes.get(name) else { continue };
                rebuild::events(before).for_each(|event| sandbox.apply(&event));
                for (month, tiles) in before.tally().all_months() {
                    sandbox.tally_mut().put_month(month, tiles.clone());
                }
            }
            Partition { sandboxes, log: Vec::new() }
        };
        let partitions = self.partitions.iter().map(rebuild).collect();
        World { name: self.name.clone(), now: self.now, control: self.control.clone(), partitions }
    }

    fn partition_of(&self, payer: AccountId) -> usize {
        (payer.number() % self.partitions.len() as u64) as usize
    }

    /// Publishes a change that nothing refuses.
    pub(crate) fn published(&mut self, decided: Result<Change, Rejection>) -> &mut World {
        let change = decided.unwrap_or_else(|rejection| panic!("{rejection}"));
        self.change(change)
    }

    /// Publishes a change.
    pub(crate) fn change(&mut self, change: Change) -> &mut World {
        let name = self.name.clone();
        self.publish(ControlEntry::Changed { name, change });
        self
    }

    /// Writes a control entry; every partition follows it.
    fn publish(&mut self, entry: ControlEntry) {
        let count = self.partitions.len() as u64;
        for (number, partition) in self.partitions.iter_mut().enumerate() {
            let is_mine = |payer: AccountId| payer.number() % count == number as u64;
            let followed = follow(&mut partition.sandboxes, &entry, is_mine);
            let mut events = followed.unwrap_or_else(|refused| panic!("{refused}"));
            // Whatever becomes due is done in small steps, as a server does it between other work.
            while let Some(sandbox) = partition.sandboxes.get_mut(&self.name) {
                let done = run_due(sandbox, self.now, 5, &mut events);
                if done.unwrap_or_else(|broken| panic!("{broken}")) {
                    break;
                }
            }
            partition.log.push(Logged::Followed(self.control.len()));
            partition.log.extend(events.into_iter().map(Logged::happened));
        }
        self.control.push(entry);
    }

    fn happened(&mut self, payer: AccountId, events: Vec<Event>) {
        let number = self.partition_of(payer);
        let partition = &mut self.partitions[number];
        let sandbox =
            partition.sandboxes.get_mut(&self.name).unwrap_or_else(|| panic!("the sandbox is there"));
        for event in events {
            sandbox.apply(&event);
            partition.log.push(Logged::happened(event));
        }
    }
}
