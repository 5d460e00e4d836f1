//! The use cases: who asks, which sandbox, which partition. No rule and no wire type lives here.

pub mod agreements;
pub mod billing;
pub mod catalog;
pub mod columns;
pub mod faults;
pub mod history;
pub mod known_series;
pub mod known_usage;
pub mod lessons;
pub mod metering;
pub mod records;
pub mod refusals;
pub mod register_usage;
pub mod registration_token;
pub mod reporting;
pub mod runs;
pub mod sandboxes;

use std::sync::Arc;

use souk_core::catalog::{Change, Marketplace};
use souk_core::ids::{AccountId, AgreementId, LicenseArn, SandboxName};
use souk_core::machine::Sandbox;
use souk_core::metering::request::LicenceEntry;
use souk_core::rejection::Rejection;
use souk_core::time::Timestamp;

use crate::client_time::ClientClock;
use crate::clock::MachineClock;
use crate::control::{ControlHandle, PublishedSandboxes};
use crate::error::AppError;
use crate::faults::{FaultLab, Quotas};
use crate::partition::handle::WorkDone;
use crate::partition::{PartitionHandle, Turn, partition_of};
use crate::signing::FolderKey;
use refusals::Refusals;

/// Things that one job of a walk looks at: about a millisecond.
const STEPS: usize = 5_000;

/// A running marketplace, as its doors see it.
#[derive(Clone)]
pub struct Souk {
    /// What is published.
    pub published: Arc<PublishedSandboxes>,
    /// The control log's writer.
    pub control: ControlHandle,
    /// The partitions.
    pub partitions: Arc<[PartitionHandle]>,
    /// The machine's clock.
    pub clock: Arc<dyn MachineClock>,
    /// The key that signs what RegisterUsage answers.
    pub folder_key: FolderKey,
    /// Which faults strike the calls of the AWS port.
    pub lab: Arc<FaultLab>,
    /// How much of AWS's quotas the calls of the AWS port have used.
    pub quotas: Arc<Quotas>,
    /// What was not metered lately.
    pub refusals: Arc<Refusals>,
}

impl Souk {
    /// A sandbox's published state.
    pub fn market(&self, name: &SandboxName) -> Result<Arc<Marketplace>, AppError> {
        self.published.get(name)
    }

    /// A sandbox's time.
    pub fn now(&self, market: &Marketplace) -> Timestamp {
        market.clock.now(self.clock.now())
    }

    /// A sandbox's clock beside the machine's, as programs of its AWS port go by them.
    pub fn client_clock(&self, market: &Marketplace) -> ClientClock {
        let machine = self.clock.now();
        let set = self.published.clock_set(&market.name).unwrap_or(machine);
        ClientClock::new(market.rules.client_time, market.clock, set, machine)
    }

    /// The number of a payer's partition.
    fn partition_index(&self, name: &SandboxName, payer: AccountId) -> usize {
        partition_of(name, payer, self.partitions.len())
    }

    /// A payer's partition.
    fn partition(&self, name: &SandboxName, payer: AccountId) -> Result<&PartitionHandle, AppError> {
        self.partition_at(self.partition_index(name, payer))
    }

    /// The partition of a number.
    fn partition_at(&self, index: usize) -> Result<&PartitionHandle, AppError> {
        self.partitions
            .get(index)
            .ok_or_else(|| AppError::Unavailable(format!("there is no partition {index}")))
    }

    /// What is known of a licence.
    pub fn licence(&self, name: &SandboxName, licence: &LicenseArn) -> Option<LicenceEntry> {
        self.partitions.iter().find_map(|partition| partition.directory().licence(name, licence))
    }

    /// The payer of an agreement.
    fn payer_of(&self, name: &SandboxName, agreement: &AgreementId) -> Option<AccountId> {
        self.partitions.iter().find_map(|partition| partition.directory().payer(name, agreement))
    }

    /// Makes a change durable, and waits until every partition has followed it.
    async fn change(
        &self,
        name: &SandboxName,
        decide: impl FnOnce(&Marketplace, Timestamp, Timestamp) -> Result<Change, Rejection> + Send + 'static,
    ) -> Result<(Change, WorkDone), AppError> {
        let change = self.control.change(name, decide).await?;
        Ok((change, self.follow(name).await?))
    }

    /// Waits until every partition has followed the control log; answers what that set off in a sandbox.
    async fn follow(&self, name: &SandboxName) -> Result<WorkDone, AppError> {
        let mut pending = Vec::with_capacity(self.partitions.len());
        for partition in self.partitions.iter() {
            pending.push(partition.follow(name).await?);
        }
        let mut done = WorkDone::default();
        for answer in pending {
            done.add(answer.answer().await?);
        }
        Ok(done)
    }

    /// Runs the same job in every partition, and gathers the answers in their order.
    async fn gather<T, F>(&self, work: F) -> Result<Vec<T>, AppError>
    where
        F: FnOnce(&mut Turn<'_>) -> Result<T, AppError> + Clone + Send + 'static,
        T: Send + 'static,
    {
        let mut pending = Vec::with_capacity(self.partitions.len());
        for partition in self.partitions.iter() {
            pending.push(partition.submit(work.clone())?);
        }
        let mut answers = Vec::with_capacity(pending.len());
        for answer in pending {
            answers.push(answer.answer().await?);
        }
        Ok(answers)
    }

    /// Leads a walk through a sandbox's part in every partition, one after the other, in jobs of bounded length. `go_on`
    /// says whether it has been through a part.
    async fn walk<W: Send + 'static>(
        &self,
        name: &SandboxName,
        mut walk: W,
        begin: fn(&mut W),
        go_on: fn(&mut W, &Sandbox, usize) -> bool,
    ) -> Result<W, AppError> {
        for partition in self.partitions.iter() {
            begin(&mut walk);
            let mut finished = false;
            while !finished {
                let target = name.clone();
                let part = move |turn: &mut Turn<'_>| {
                    let (sandbox, _) = turn.at_its_time(&target)?;
                    let finished = go_on(&mut walk, sandbox, STEPS);
                    Ok((walk, finished))
                };
                (walk, finished) = partition.run(part).await?;
            }
        }
        Ok(walk)
    }

    /// Does what is due by the machine's clock, in every partition that has time for it.
    pub fn tick(&self) {
        for partition in self.partitions.iter() {
            partition.tick();
        }
    }
}
