//! What reports ask for, and what of it a family has.

use super::Report;
use super::daily_business::{instances, subscribers, trials};
use super::period::Period;
use crate::agreement::{Agreement, Family};
use crate::catalog::Side;
use crate::ids::AccountId;
use crate::invoicing::Invoice;
use crate::invoicing::payment::Standing;
use crate::ledger::disbursement;
use crate::machine::Sandbox;
use crate::rating::{DailyUsage, Demonstration, usage_of_day};
use crate::rejection::Broken;
use crate::time::BillingMonth;

/// What a report asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// The invoices whose charges belong to the month (section 0 row 20).
    InvoicesOf,
    /// The invoices issued in the month.
    InvoicesIssuedIn,
    /// The invoices issued by the end of the month.
    InvoicesIssuedBy,
    /// The invoices paid out in the month.
    InvoicesDisbursedIn,
    /// The invoices issued or paid out in the month.
    InvoicesOfFeed,
    /// The agreements accepted in the month that are paid in instalments.
    SchedulesAcceptedIn,
    /// What was demonstrated in the month.
    DemonstrationsOf,
    /// The invoices issued in the month with what was given back of them since, and their agreements.
    BilledIn,
    /// What is published.
    PublishedFeed,
    /// Every agreement.
    AgreementFeed,
    /// The agreements accepted by the end of the day before.
    AgreementsByDay,
    /// What was used on the day before.
    UsageOfDay,
    /// The invoices issued on the day of the fees.
    FeesOfDay,
    /// What became of free trials on the day before.
    TrialsOfDay,
    /// The instances that were new on the day before.
    InstancesOfDay,
    /// Who subscribed on the day before.
    NewSubscribersOfDay,
    /// Who cancelled on the day before.
    CancelledSubscribersOfDay,
}

/// What a report asks for, of a family or of all.
#[derive(Debug, Default)]
pub struct Facts {
    /// Invoices.
    pub invoices: Vec<Standing>,
    /// Agreements.
    pub agreements: Vec<Agreement>,
    /// What was demonstrated.
    pub demonstrations: Vec<Demonstration>,
    /// What daily reports ask for.
    pub daily: DailyFacts,
}

/// What daily reports ask for, of a family or of all.
#[derive(Debug, Default)]
pub struct DailyFacts {
    /// What was used on a day.
    pub usage: Vec<DailyUsage>,
    /// What became of free trials.
    pub trials: Vec<trials::Trial>,
    /// New instances.
    pub instances: Vec<instances::NewInstances>,
    /// Subscribers that came or went.
    pub subscribers: Vec<subscribers::Subscriber>,
}

impl Facts {
    /// Takes those of the next family.
    pub fn extend(&mut self, more: Facts) {
        self.invoices.extend(more.invoices);
        self.agreements.extend(more.agreements);
        self.demonstrations.extend(more.demonstrations);
        self.daily.extend(more.daily);
    }
}

impl DailyFacts {
    fn extend(&mut self, more: DailyFacts) {
        self.usage.extend(more.usage);
        self.trials.extend(more.trials);
        self.instances.extend(more.instances);
        self.subscribers.extend(more.subscribers);
    }
}

impl From<DailyFacts> for Facts {
    fn from(daily: DailyFacts) -> Facts {
        Facts { daily, ..Facts::default() }
    }
}

impl Asks {
    /// Whether it is of a day, not of a month.
    pub fn is_daily(self) -> bool {
        match self {
            Asks::InvoicesOf
            | Asks::InvoicesIssuedIn
            | Asks::InvoicesIssuedBy
            | Asks::InvoicesDisbursedIn
            | Asks::InvoicesOfFeed
            | Asks::SchedulesAcceptedIn
            | Asks::DemonstrationsOf
            | Asks::BilledIn
            | Asks::PublishedFeed
            | Asks::AgreementFeed => false,
            Asks::AgreementsByDay
            | Asks::UsageOfDay
            | Asks::FeesOfDay
            | Asks::TrialsOfDay
            | Asks::InstancesOfDay
            | Asks::NewSubscribersOfDay
            | Asks::CancelledSubscribersOfDay => true,
        }
    }

    /// Whether it is a feed with a history, which may be asked for its current records.
    pub fn has_history(self) -> bool {
        matches!(self, Asks::PublishedFeed | Asks::AgreementFeed)
    }

    /// The months whose metered hours it looks at.
    pub fn months_of_usage(self, period: Period) -> Vec<BillingMonth> {
        let usage = period.day().usage();
        let before = BillingMonth::containing(usage.start.plus_micros(-1));
        match self {
            Asks::UsageOfDay => vec![period.month()],
            Asks::InstancesOfDay if before == period.month() => vec![before],
            Asks::InstancesOfDay => vec![before, period.month()],
            _ => Vec::new(),
        }
    }
}

impl Report {
    /// What it asks for of a family, as far as it is the seller's.
    pub fn gather(
        &self,
        sandbox: &Sandbox,
        family: &Family,
        seller: AccountId,
        period: Period,
    ) -> Result<Facts, Broken> {
        let month = period.month();
        let of_month = |moment| BillingMonth::containing(moment) == month;
        let issued_in = |standing: &Standing| of_month(standing.invoice.issued_at);
        let disbursed_in = |standing: &Standing| {
            standing.collected_at.is_some_and(|collected| of_month(disbursement::disbursed_at(collected)))
        };
        let invoices = |asked: &dyn Fn(&Standing) -> bool| {
            let sells = |invoice: &Invoice| invoice.revenue.iter().any(|revenue| revenue.seller == seller);
            let mine = family.invoices().iter().filter(|invoice| sells(invoice));
            let standings = mine.map(|invoice| Standing::of(family, invoice));
            Facts { invoices: standings.filter(|standing| asked(standing)).collect(), ..Facts::default() }
        };
        let usage_day = period.day().usage();
        Ok(match self.asks {
            Asks::InvoicesOf => invoices(&|standing| standing.invoice.month == month),
            Asks::InvoicesIssuedIn => invoices(&issued_in),
            Asks::InvoicesIssuedBy => invoices(&|standing| standing.invoice.issued_at < month.end()),
            Asks::InvoicesDisbursedIn => invoices(&disbursed_in),
            Asks::InvoicesOfFeed => invoices(&|standing| issued_in(standing) || disbursed_in(standing)),
            Asks::SchedulesAcceptedIn => {
                let asked = |agreement: &&Agreement| {
                    agreement.seller == seller
                        && !agreement.instalments.is_empty()
                        && BillingMonth::containing(agreement.accepted_at) == month
                };
                Facts { agreements: family.agreements().filter(asked).cloned().collect(), ..Facts::default() }
            }
            Asks::DemonstrationsOf => {
                let asked = family.demonstrations.iter().filter(|shown| shown.month == month);
                Facts { demonstrations: asked.cloned().collect(), ..Facts::default() }
            }
            Asks::BilledIn => {
                let billed = invoices(&|standing| of_month(standing.charged().issued_at));
                let is_charged = |agreement: &&Agreement| {
                    let mut lines = billed.invoices.iter().flat_map(|standing| &standing.invoice.lines);
                    lines.any(|line| line.agreement == agreement.id)
                };
                let agreements = family.agreements().filter(is_charged).cloned().collect();
                Facts { agreements, ..billed }
            }
            Asks::PublishedFeed => Facts::default(),
            Asks::AgreementFeed => {
                Facts { agreements: agreements_of(sandbox, family, seller)?, ..Facts::default() }
            }
            Asks::AgreementsByDay => {
                let mut agreements = agreements_of(sandbox, family, seller)?;
                agreements.retain(|agreement| agreement.accepted_at < usage_day.end);
                Facts { agreements, ..Facts::default() }
            }
            Asks::FeesOfDay => {
                let fees = period.day().fees();
                invoices(&|standing| fees.contains(standing.invoice.issued_at))
            }
            Asks::UsageOfDay => {
                let usage = usage_of_day(sandbox, family, seller, usage_day.start)?;
                DailyFacts { usage, ..DailyFacts::default() }.into()
            }
            Asks::TrialsOfDay => {
                let trials = trials::of_family(sandbox.market(), family, seller)?;
                DailyFacts { trials, ..DailyFacts::default() }.into()
            }
            Asks::InstancesOfDay => {
                let instances = instances::of_family(sandbox, family, seller, usage_day)?;
                DailyFacts { instances, ..DailyFacts::default() }.into()
            }
            Asks::NewSubscribersOfDay => {
                let subscribers = subscribers::new(sandbox.market(), family, seller, usage_day)?;
                DailyFacts { subscribers, ..DailyFacts::default() }.into()
            }
            Asks::CancelledSubscribersOfDay => {
                let subscribers = subscribers::cancelled(sandbox.market(), family, seller, usage_day)?;
                DailyFacts { subscribers, ..DailyFacts::default() }.into()
            }
        })
    }
}

/// The agreements of a seller, and those on what resellers sell of it (J1).
fn agreements_of(sandbox: &Sandbox, family: &Family, seller: AccountId) -> Result<Vec<Agreement>, Broken> {
    let market = sandbox.market();
    let mut agreements = Vec::new();
    for agreement in family.agreements() {
        if Side::of(market, market.known_offer(&agreement.offer)?, seller)?.is_some() {
            agreements.push(agreement.clone());
        }
    }
    Ok(agreements)
}
