//! What happened in a sandbox, in its own time: told from the state, in which everything that happened stands with
//! its moment. A page of it is found by one walk over the families, which can stop anywhere and go on later.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use super::Sandbox;
use crate::agreement::{Agreement, AgreementStatus, Family, Origin, UpfrontPurchase};
use crate::catalog::{Marketplace, PriceChange};
use crate::earliest::Earliest;
use crate::ids::{
    AccountId, AgreementId, DimensionKey, InvoiceId, LicenseArn, OfferId, ProductId, ResaleAuthorizationId,
};
use crate::invoicing::InvoiceKind;
use crate::money::Money;
use crate::terms::UpfrontKind;
use crate::time::{BillingMonth, Timestamp};

/// What kind of thing happened, in the order in which those of one moment are told: causes come before effects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A reseller was authorized.
    ResaleAuthorized,
    /// An offer was released.
    OfferReleased,
    /// An offer changed prices.
    PricesChanged,
    /// An authorization was restricted.
    ResaleRestricted,
    /// Something became of an agreement.
    Agreement,
    /// An invoice was issued.
    InvoiceIssued,
    /// A payer's month closed.
    MonthClosed,
    /// An invoice was paid.
    InvoicePaid,
}

impl Kind {
    /// Every kind, in order.
    pub const ALL: [Kind; 8] = [
        Kind::ResaleAuthorized,
        Kind::OfferReleased,
        Kind::PricesChanged,
        Kind::ResaleRestricted,
        Kind::Agreement,
        Kind::InvoiceIssued,
        Kind::MonthClosed,
        Kind::InvoicePaid,
    ];
}

/// Where something stands in what happened.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// When.
    pub time: Timestamp,
    /// What kind.
    pub kind: Kind,
    /// The offer or the resale authorization, of what is published.
    pub published: Option<Arc<str>>,
    /// The payer, of everything else.
    pub payer: Option<AccountId>,
    /// The number of the agreement, invoice, month or price change.
    pub number: u32,
    /// How far an agreement has come: its beginning, its purchases by number, those that were given back, its end.
    pub step: u32,
}

/// The beginning of an agreement.
const BEGINNING: u32 = 0;
/// Behind every purchase of the same moment: what was given back.
const GIVEN_BACK: u32 = 1 << 31;
/// Its end.
const END: u32 = u32::MAX;

/// The agreement that something happened to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Its id.
    pub id: AgreementId,
    /// Its licence.
    pub licence: LicenseArn,
    /// Who accepted.
    pub buyer: AccountId,
    /// Whose bill carries it.
    pub payer: AccountId,
    /// The product.
    pub product: ProductId,
    /// The offer.
    pub offer: OfferId,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    /// A reseller was authorized to sell a product.
    ResaleAuthorized {
        /// The authorization.
        authorization: ResaleAuthorizationId,
        /// The product.
        product: ProductId,
        /// Who may sell it.
        reseller: AccountId,
    },
    /// An authorization was restricted.
    ResaleRestricted {
        /// The authorization.
        authorization: ResaleAuthorizationId,
        /// The product.
        product: ProductId,
        /// Who sold it.
        reseller: AccountId,
    },
    /// An offer was released.
    OfferReleased {
        /// The offer.
        offer: OfferId,
        /// Its product.
        product: ProductId,
        /// For chosen buyers.
        private: bool,
    },
    /// An offer changed prices.
    PricesChanged {
        /// The offer.
        offer: OfferId,
        /// Its product.
        product: ProductId,
        /// The change.
        change: PriceChange,
    },
    /// An agreement ended.
    AgreementEnded(About, AgreementStatus),
    /// An agreement began.
    AgreementAccepted {
        /// The agreement.
        about: About,
        /// How it came about.
        origin: Origin,
        /// The first agreement of its chain.
        initial_id: AgreementId,
    },
    /// Something was bought upfront.
    UpfrontPurchased {
        /// The agreement.
        about: About,
        /// The number under the agreement.
        number: u32,
        /// How many of what.
        quantities: BTreeMap<DimensionKey, u64>,
        /// The end of what was bought.
        end: Timestamp,
    },
    /// What was bought upfront was amended: another purchase took its place.
    UpfrontAmended {
        /// The agreement.
        about: About,
        /// The number of the new purchase under the agreement.
        number: u32,
        /// The number of the one whose place it took.
        amended: u32,
        /// How many of what from then on.
        quantities: BTreeMap<DimensionKey, u64>,
        /// The end of both.
        end: Timestamp,
    },
    /// What was bought upfront was given back by its buyer.
    UpfrontRefunded {
        /// The agreement.
        about: About,
        /// The number of the purchase under the agreement.
        number: u32,
    },
    /// An invoice was issued.
    InvoiceIssued {
        /// The invoice.
        id: InvoiceId,
        /// Who pays.
        payer: AccountId,
        /// Usage or upfront.
        kind: InvoiceKind,
        /// The month its charges belong to.
        month: BillingMonth,
        /// The sum of its lines.
        total: Money,
    },
    /// A payer's month closed.
    MonthClosed {
        /// The payer.
        payer: AccountId,
        /// The month.
        month: BillingMonth,
    },
    /// An invoice was paid, by invoice.
    InvoicePaid {
        /// The invoice.
        id: InvoiceId,
        /// Who paid.
        payer: AccountId,
        /// How much.
        amount: Money,
    },
}

/// What is told; what is none takes all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryFilter {
    /// Only agreements and purchases of this buyer.
    pub buyer: Option<AccountId>,
    /// Only what belongs to this payer's family.
    pub payer: Option<AccountId>,
    /// Only what happened then or later.
    pub since: Option<Timestamp>,
}

/// A walk over what is published, and over the families of one partition after another.
#[derive(Debug, Clone)]
pub struct HistoryWalk {
    filter: HistoryFilter,
    found: Earliest<Position, Happening>,
    /// The last family that was seen.
    last: Option<AccountId>,
    /// When months closed: calendars are slow.
    closes: BTreeMap<BillingMonth, Timestamp>,
}

impl HistoryWalk {
    /// Looks for the first `limit` things behind `after`.
    pub fn new(filter: HistoryFilter, after: Option<Position>, limit: usize) -> HistoryWalk {
        HistoryWalk { filter, found: Earliest::new(after, limit), last: None, closes: BTreeMap::new() }
    }

    /// Begins with the families of another partition.
    pub fn begin(&mut self) {
        self.last = None;
    }

    /// Takes what sellers published; it belongs to no buyer and no payer.
    pub fn published(&mut self, market: &Marketplace) {
        if self.filter.buyer.is_some() || self.filter.payer.is_some() {
            return;
        }
        for granted in market.resale_authorizations().values() {
            let (authorization, product) = (granted.id.clone(), granted.product.clone());
            let reseller = granted.reseller;
            let position = |time, kind| published(time, kind, authorization.as_str(), 0);
            if let Some(at) = granted.restricted_at {
                let (authorization, product) = (authorization.clone(), product.clone());
                self.add(position(at, Kind::ResaleRestricted), || Happening::ResaleRestricted {
                    authorization,
                    product,
                    reseller,
                });
            }
            self.add(position(granted.granted_at, Kind::ResaleAuthorized), || Happening::ResaleAuthorized {
                authorization: authorization.clone(),
                product,
                reseller,
            });
        }
        for offer in market.offers().values() {
            let position = |time, kind, number| published(time, kind, offer.id.as_str(), number);
            self.add(position(offer.released_at, Kind::OfferReleased, 0), || Happening::OfferReleased {
                offer: offer.id.clone(),
                product: offer.product.clone(),
                private: offer.is_private(),
            });
            for (change, number) in offer.price_changes.iter().zip(1..) {
                self.add(position(change.notice, Kind::PricesChanged, number), || Happening::PricesChanged {
                    offer: offer.id.clone(),
                    product: offer.product.clone(),
                    change: change.clone(),
                });
            }
        }
    }

    /// Goes on with the families of a partition for about so many steps, of which each thing that happened is one.
    /// Answers whether every family was seen.
    pub fn go_on(&mut self, sandbox: &Sandbox, steps: usize) -> bool {
        let last = self.last;
        let behind = last.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let mut done = 0;
        for (&payer, family) in sandbox.families().range_from(behind) {
            if done >= steps {
                return false;
            }
            done += 1;
            self.last = Some(payer);
            if self.filter.payer.is_none_or(|wanted| wanted == payer) {
                done += self.agreements(family);
                if self.filter.buyer.is_none() {
                    done += self.invoices(family) + self.months(family);
                }
            }
        }
        true
    }

    /// What was found, in order.
    pub fn into_entries(self) -> impl Iterator<Item = (Position, Happening)> {
        self.found.into_entries()
    }

    fn add(&mut self, position: Position, happening: impl FnOnce() -> Happening) {
        if self.filter.since.is_none_or(|since| since <= position.time) {
            self.found.add(position, happening);
        }
    }

    fn agreements(&mut self, family: &Family) -> usize {
        let mut seen = 0;
        for agreement in family.agreements() {
            seen += 1 + agreement.purchases.len();
            if self.filter.buyer.is_some_and(|buyer| buyer != agreement.buyer) {
                continue;
            }
            let position = |time, step| of_family(family, time, Kind::Agreement, agreement.number, step);
            self.add(position(agreement.accepted_at, BEGINNING), || Happening::AgreementAccepted {
                about: about(agreement),
                origin: agreement.origin,
                initial_id: agreement.initial_id.clone(),
            });
            let purchases = agreement.purchases.iter();
            for purchase in purchases.filter(|purchase| purchase.kind != UpfrontKind::Monthly) {
                self.add(position(agreement.bought_at(purchase), purchase.number), || {
                    bought(agreement, purchase)
                });
                if let Some(at) = purchase.ended_early_at.filter(|_| !agreement.is_amended(purchase)) {
                    self.add(position(at, GIVEN_BACK + purchase.number), || Happening::UpfrontRefunded {
                        about: about(agreement),
                        number: purchase.number,
                    });
                }
            }
            if let Some(ended) = agreement.ended_at {
                self.add(position(ended, END), || {
                    Happening::AgreementEnded(about(agreement), agreement.status)
                });
            }
        }
        seen
    }

    fn invoices(&mut self, family: &Family) -> usize {
        for (invoice, number) in family.invoices().iter().zip(1..) {
            let position = of_family(family, invoice.issued_at, Kind::InvoiceIssued, number, 0);
            self.add(position, || Happening::InvoiceIssued {
                id: invoice.id.clone(),
                payer: invoice.payer,
                kind: invoice.kind,
                month: invoice.month,
                total: invoice.total(),
            });
            if let Some(payment) = family.payment(&invoice.id) {
                let position = of_family(family, payment.at, Kind::InvoicePaid, number, 0);
                self.add(position, || Happening::InvoicePaid {
                    id: invoice.id.clone(),
                    payer: invoice.payer,
                    amount: payment.amount,
                });
            }
        }
        family.invoices().len()
    }

    /// A family's months are closed from that of its first agreement on.
    fn months(&mut self, family: &Family) -> usize {
        let first =
            family.agreements().next().map(|agreement| BillingMonth::containing(agreement.accepted_at));
        let mut month = first.unwrap_or(family.open_month);
        let mut seen = 0;
        while month < family.open_month {
            let closed = *self.closes.entry(month).or_insert_with(|| month.invoiced_at());
            let position = of_family(family, closed, Kind::MonthClosed, month.index().unsigned_abs(), 0);
            self.add(position, || Happening::MonthClosed { payer: family.payer, month });
            month = month.next();
            seen += 1;
        }
        seen
    }
}

fn published(time: Timestamp, kind: Kind, id: &str, number: u32) -> Position {
    Position { time, kind, published: Some(id.into()), payer: None, number, step: 0 }
}

fn of_family(family: &Family, time: Timestamp, kind: Kind, number: u32, step: u32) -> Position {
    Position { time, kind, published: None, payer: Some(family.payer), number, step }
}

fn bought(agreement: &Agreement, purchase: &UpfrontPurchase) -> Happening {
    let (about, quantities) = (about(agreement), purchase.quantities.clone());
    let (number, end) = (purchase.number, purchase.end);
    match purchase.amends {
        None => Happening::UpfrontPurchased { about, number, quantities, end },
        Some(amended) => Happening::UpfrontAmended { about, number, amended, quantities, end },
    }
}

fn about(agreement: &Agreement) -> About {
    About {
        id: agreement.id.clone(),
        licence: agreement.licence.clone(),
        buyer: agreement.buyer,
        payer: agreement.payer,
        product: agreement.product.clone(),
        offer: agreement.offer.clone(),
    }
}
