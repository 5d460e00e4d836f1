//! What happened: the facts that the logs keep.

use std::sync::Arc;

use super::Seed;
use crate::agreement::{Agreement, AgreementStatus, InstalmentState, UpfrontPurchase};
use crate::catalog::Change;
use crate::ids::{AccountId, AgreementId, InvoiceId, SandboxName};
use crate::invoicing::Invoice;
use crate::metering::series::Series;
use crate::metering::{Allocation, Inference, Program, Run, SeriesHandle, UsageColumns};
use crate::money::Money;
use crate::rating::Demonstration;
use crate::rules::Rules;
use crate::time::{BillingMonth, Timestamp, UsageHour};

/// What happened in a payer's family.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// An agreement began: accepted, renewed or fallen back to.
    AgreementAccepted(Agreement),
    /// A further upfront purchase under an agreement.
    UpfrontPurchased {
        /// The family.
        payer: AccountId,
        /// The agreement.
        agreement: AgreementId,
        /// What was bought.
        purchase: UpfrontPurchase,
        /// The number of the purchase that it renews.
        renews: Option<u32>,
    },
    /// A purchase took the place of another one: an amendment.
    UpfrontAmended {
        /// The family.
        payer: AccountId,
        /// The agreement.
        agreement: AgreementId,
        /// The number of the purchase that ends where this one begins.
        amended: u32,
        /// What was bought instead.
        purchase: UpfrontPurchase,
    },
    /// A purchase was given back by its buyer.
    UpfrontRefunded {
        /// The family.
        payer: AccountId,
        /// The agreement.
        agreement: AgreementId,
        /// The number of the purchase.
        number: u32,
        /// When it ended by it.
        at: Timestamp,
    },
    /// An agreement ended.
    AgreementEnded {
        /// The family.
        payer: AccountId,
        /// The agreement.
        agreement: AgreementId,
        /// How.
        status: AgreementStatus,
        /// When.
        at: Timestamp,
    },
    /// An instalment was invoiced, or will never be.
    InstalmentSettled {
        /// The family.
        payer: AccountId,
        /// The agreement.
        agreement: AgreementId,
        /// Its number under the agreement, from 1.
        number: u32,
        /// What became of it.
        state: InstalmentState,
    },
    /// An invoice was issued.
    InvoiceIssued(Arc<Invoice>),
    /// An invoice was paid, by invoice.
    InvoicePaid {
        /// The family.
        payer: AccountId,
        /// The invoice.
        invoice: InvoiceId,
        /// How much.
        amount: Money,
        /// When.
        at: Timestamp,
    },
    /// A family's month closed.
    MonthClosed {
        /// The family.
        payer: AccountId,
        /// The month.
        month: BillingMonth,
    },
    /// Something was shown for free in a month that closes.
    Demonstrated {
        /// The family.
        payer: AccountId,
        /// What was shown.
        demonstration: Demonstration,
    },
    /// A series got the next handle.
    SeriesOpened(Series),
    /// Usage was metered: every row is new.
    UsageAccepted(UsageColumns),
    /// The record of an hour said how its quantity divides over tags. Follows its `UsageAccepted`.
    UsageAllocated {
        /// The series.
        handle: SeriesHandle,
        /// The hour.
        hour: UsageHour,
        /// Its allocations.
        allocations: Arc<[Allocation]>,
    },
    /// Usage was added to what was metered in its hours: seconds of runs, units of inferences.
    UsageAdded(UsageColumns),
    /// Runs were told, of which `UsageAdded` says what they add.
    RunsTold(Vec<(SeriesHandle, Run)>),
    /// Inferences were told, by the hashes of their names; `UsageAdded` says what they add.
    InferencesTold(Vec<(SeriesHandle, u128, Inference)>),
    /// A client token named a call.
    ClientTokenUsed {
        /// The family.
        payer: AccountId,
        /// The hash of the token.
        token: u128,
        /// The hash of the call's parameters.
        parameters: u128,
        /// When.
        at: Timestamp,
    },
    /// A program said for the first time that it runs a product.
    UsageRegistered {
        /// Which program.
        program: Program,
        /// When.
        at: Timestamp,
    },
}

impl Event {
    /// An agreement ends.
    pub fn ended(agreement: &Agreement, status: AgreementStatus, at: Timestamp) -> Event {
        Event::AgreementEnded { payer: agreement.payer, agreement: agreement.id.clone(), status, at }
    }

    /// How much it adds to a batch: its rows, its allocations, or an invoice's lines and segments.
    pub fn weight(&self) -> usize {
        match self {
            Event::InvoiceIssued(invoice) => {
                1 + invoice.lines.iter().map(|line| 1 + line.explanation.segments.len()).sum::<usize>()
            }
            Event::UsageAccepted(columns) | Event::UsageAdded(columns) => columns.len(),
            Event::RunsTold(runs) => runs.len(),
            Event::InferencesTold(calls) => calls.len(),
            Event::UsageAllocated { allocations, .. } => 1 + allocations.len(),
            Event::AgreementAccepted(_)
            | Event::UpfrontPurchased { .. }
            | Event::UpfrontAmended { .. }
            | Event::UpfrontRefunded { .. }
            | Event::AgreementEnded { .. }
            | Event::InstalmentSettled { .. }
            | Event::InvoicePaid { .. }
            | Event::MonthClosed { .. }
            | Event::Demonstrated { .. }
            | Event::SeriesOpened(_)
            | Event::ClientTokenUsed { .. }
            | Event::UsageRegistered { .. } => 1,
        }
    }
}

/// An entry of the control log: what changed in what is published. One command makes one entry, and every
/// partition follows it whole.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "entries are few and moved seldom")]
pub enum ControlEntry {
    /// A sandbox was made, or took the place of the one of that name.
    SandboxPut {
        /// Its name.
        name: SandboxName,
        /// What it is for.
        description: String,
        /// Its rules.
        rules: Rules,
        /// When its time begins.
        began: Timestamp,
        /// What is published in it from the beginning.
        changes: Vec<Change>,
        /// The agreements accepted in its past, in order of their times.
        seeds: Vec<Seed>,
        /// Its clock after that.
        clock: crate::catalog::Clock,
    },
    /// A sandbox was deleted.
    SandboxDeleted {
        /// Its name.
        name: SandboxName,
    },
    /// Something changed in a sandbox.
    Changed {
        /// Its name.
        name: SandboxName,
        /// What.
        change: Change,
    },
}

impl ControlEntry {
    /// The sandbox it concerns.
    pub fn sandbox(&self) -> &SandboxName {
        match self {
            ControlEntry::SandboxPut { name, .. }
            | ControlEntry::SandboxDeleted { name }
            | ControlEntry::Changed { name, .. } => name,
        }
    }
}
