//! Invoices and their lines.

use crate::catalog::{CountedIn, TaxLiability};
use crate::ids::{AccountId, AgreementId, DimensionKey, InvoiceId, OfferId, ProductId};
use crate::money::{Amount, Currency, Money, Rate, UnitPrice};
use crate::quantity::QuantitySum;
use crate::rating::RatedSegment;
use crate::terms::UpfrontKind;
use crate::time::{BillingMonth, Timestamp};

/// What an invoice charges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvoiceKind {
    /// A month's usage, in arrears.
    Usage,
    /// An upfront purchase.
    Upfront,
    /// A payment of a payment schedule.
    Instalment,
    /// What the seller gives back of another invoice.
    CreditMemo,
}

/// What a line charges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChargeType {
    /// Metered usage.
    Usage,
    /// An annual subscription.
    Annual,
    /// A contract.
    Contract,
    /// A fee a month.
    Monthly,
}

impl ChargeType {
    /// What a row of the report counts it as: monthly fees stand with usage.
    #[must_use]
    pub fn of_row(self) -> ChargeType {
        match self {
            ChargeType::Monthly => ChargeType::Usage,
            ChargeType::Usage | ChargeType::Annual | ChargeType::Contract => self,
        }
    }

    /// What an upfront purchase is charged as.
    pub fn of_upfront(kind: UpfrontKind) -> ChargeType {
        match kind {
            UpfrontKind::Annual => ChargeType::Annual,
            UpfrontKind::Contract => ChargeType::Contract,
            UpfrontKind::Monthly => ChargeType::Monthly,
        }
    }
}

/// A part of a term in days (Q8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proration {
    /// The days that are charged.
    pub days: u32,
    /// The days of the term.
    pub of_days: u32,
}

/// How a line came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Quantity times unit price, before the one rounding and before the part of a term, or of an hour, is taken.
    pub exact: Amount,
    /// The stretches of hours it is made of; none for an upfront charge.
    pub segments: Vec<RatedSegment>,
    /// Of a charge for a part of a term, the part.
    pub proration: Option<Proration>,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceLine {
    /// What it charges.
    pub charge_type: ChargeType,
    /// Who sells.
    pub seller: AccountId,
    /// Who used or bought.
    pub buyer: AccountId,
    /// The product.
    pub product: ProductId,
    /// The offer of the agreement.
    pub offer: OfferId,
    /// The agreement.
    pub agreement: AgreementId,
    /// The dimension; none where one price buys several.
    pub dimension: Option<DimensionKey>,
    /// How much is charged; what is given back is negative.
    pub quantity: QuantitySum,
    /// At what price a unit.
    pub unit_price: UnitPrice,
    /// Rounded once, half up.
    pub amount: Money,
    /// The first moment it covers.
    pub start: Timestamp,
    /// The end; not part of it.
    pub end: Timestamp,
    /// Of what a reseller sells: what it owes the manufacturer of the amount (J1), rounded once, too.
    pub wholesale: Option<Money>,
    /// How it came about.
    pub explanation: Explanation,
}

/// What the seller gets of some lines: the grain at which the listing fee is rounded, and the row of the
/// monthly report (section 0 row 14): one invoice, subscriber, product and offer, and for upfront charges
/// dimension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revenue {
    /// What was charged.
    pub charge_type: ChargeType,
    /// Who sells.
    pub seller: AccountId,
    /// The subscriber.
    pub buyer: AccountId,
    /// The product.
    pub product: ProductId,
    /// The offer.
    pub offer: OfferId,
    /// Of upfront charges, the dimension.
    pub dimension: Option<DimensionKey>,
    /// What was billed.
    pub billed: Money,
    /// The listing fee as a share.
    pub fee_rate: Rate,
    /// The listing fee: negative.
    pub fee: Money,
    /// What was given back: negative.
    pub refunded: Money,
    /// The share of the listing fee that comes back with it.
    pub fee_refund: Money,
    /// The tax on top.
    pub tax: Option<Tax>,
    /// Of what a reseller sells, whose row it is: the reseller's, or the manufacturer's, which stands behind it.
    pub resale: Option<ResaleRow>,
    /// The agreements whose lines it sums up, where another row of the invoice differs in the fee rate alone; else none
    /// is named, and it sums up every line of its buyer, product and offer.
    pub agreements: Vec<AgreementId>,
}

/// One of the two rows of what a reseller sells (J1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResaleRow {
    /// The reseller's: what the buyer pays, and what the reseller owes of that.
    Reseller {
        /// To whom.
        manufacturer: AccountId,
        /// The share that AWS takes of the wholesale: rows of one offer may differ in that alone.
        wholesale_fee_rate: Rate,
        /// How much: negative.
        cost: Money,
        /// What of it came back with what was given back.
        cost_refund: Money,
    },
    /// The manufacturer's: the wholesale is what was billed, and given back.
    Manufacturer {
        /// Who owes it.
        reseller: AccountId,
        /// Whether its reports show the buyer; if not, the reseller is its customer.
        shows_buyer: bool,
    },
}

/// A tax on top of what was billed; of a credit memo, negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tax {
    /// Who pays it on.
    pub liable: TaxLiability,
    /// How much: rounded for each row.
    pub amount: Money,
}

/// What a credit memo gives back, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// The invoice of which it gives something back.
    pub invoice: InvoiceId,
    /// The agreement whose charges it gives back.
    pub agreement: AgreementId,
    /// Why, in the words of the billing adjustment API.
    pub reason: AdjustmentReason,
    /// Longer words.
    pub description: String,
    /// What the request called itself, so that it can be repeated.
    pub client_token: String,
}

/// Why a seller gives something back, in the words of the Agreement API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdjustmentReason {
    /// The buyer accepted wrong terms.
    IncorrectTermsAccepted,
    /// What was metered was wrong.
    IncorrectMetering,
    /// The charges came from a test.
    TestEnvironmentCharges,
    /// The buyer bought in another way.
    AlternativeProcurementChannel,
    /// The buyer did not mean to renew.
    UnintendedRenewal,
    /// The buyer is not content.
    BuyerDissatisfaction,
    /// Anything else.
    Other,
}

/// An invoice of one payer, invoicing entity and currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoice {
    /// Its id.
    pub id: InvoiceId,
    /// Who pays.
    pub payer: AccountId,
    /// Who invoices.
    pub entity: String,
    /// In what currency.
    pub currency: Currency,
    /// Usage or upfront.
    pub kind: InvoiceKind,
    /// The month its charges belong to.
    pub month: BillingMonth,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it is due, of a payer who pays by invoice; none: it is charged to a card as it is issued.
    pub due_at: Option<Timestamp>,
    /// Its lines; a line's number is its position, from 1.
    pub lines: Vec<InvoiceLine>,
    /// What the sellers get.
    pub revenue: Vec<Revenue>,
    /// Of a credit memo, what it gives back.
    pub correction: Option<Correction>,
}

impl Revenue {
    /// Whether lines of an agreement, of its buyer, product and offer, are among those that it sums up.
    pub fn counts(&self, agreement: &AgreementId) -> bool {
        self.agreements.is_empty() || self.agreements.contains(agreement)
    }

    /// Whether a reseller owes it, and not the payer.
    pub fn is_manufacturers(&self) -> bool {
        matches!(self.resale, Some(ResaleRow::Manufacturer { .. }))
    }

    /// What a reseller owes of it, and what of that came back; nothing of other rows.
    pub fn costs(&self) -> [Money; 2] {
        match self.resale {
            Some(ResaleRow::Reseller { cost, cost_refund, .. }) => [cost, cost_refund],
            Some(ResaleRow::Manufacturer { .. }) | None => [Money::zero(self.billed.currency()); 2],
        }
    }

    /// Whom the seller's reports name: the subscriber, or a reseller that hides it.
    pub fn customer(&self) -> AccountId {
        match self.resale {
            Some(ResaleRow::Manufacturer { reseller, shows_buyer: false }) => reseller,
            _ => self.buyer,
        }
    }

    /// What the seller gets: the sum of the rounded parts (Q3).
    pub fn net(&self) -> Money {
        let parts = [self.fee, self.refunded, self.fee_refund].into_iter().chain(self.costs());
        parts.fold(self.billed, Money::plus)
    }
}

impl Explanation {
    /// What the quantity of its line is counted in.
    pub fn counted_in(&self) -> CountedIn {
        self.segments.first().map_or(CountedIn::Units, |segment| segment.counted_in)
    }

    /// The amount that it explains: of seconds, of which an hour has the price, a 3,600th (P2).
    pub fn amount(&self) -> Money {
        match self.proration {
            None => self.exact.part(1, self.counted_in().per_unit()),
            Some(Proration { days, of_days }) => self.exact.part(days, of_days),
        }
    }
}

impl Invoice {
    /// The sum of its lines.
    pub fn total(&self) -> Money {
        self.lines.iter().map(|line| line.amount).fold(Money::zero(self.currency), Money::plus)
    }

    /// The taxes on top of it.
    pub fn tax(&self) -> Money {
        let billed = self.revenue.iter().filter(|revenue| !revenue.is_manufacturers());
        let taxes = billed.filter_map(|revenue| revenue.tax);
        taxes.map(|tax| tax.amount).fold(Money::zero(self.currency), Money::plus)
    }

    /// What is paid.
    pub fn total_with_tax(&self) -> Money {
        self.total().plus(self.tax())
    }
}
