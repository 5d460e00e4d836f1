//! Invoices and their lines.

use crate::ids::{AccountId, AgreementId, DimensionKey, InvoiceId, OfferId, ProductId};
use crate::money::{Amount, Currency, Money, Rate, UnitPrice};
use crate::quantity::QuantitySum;
use crate::rating::RatedSegment;
use crate::time::{BillingMonth, Timestamp};

/// What an invoice charges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvoiceKind {
    /// A month's usage, in arrears.
    Usage,
    /// An upfront purchase.
    Upfront,
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
}

/// How a line came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Quantity times unit price, before the one rounding.
    pub exact: Amount,
    /// The stretches of hours it is made of; none for an upfront charge.
    pub segments: Vec<RatedSegment>,
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
    /// The dimension.
    pub dimension: DimensionKey,
    /// How much is charged.
    pub quantity: QuantitySum,
    /// At what price a unit.
    pub unit_price: UnitPrice,
    /// Rounded once, half up.
    pub amount: Money,
    /// The first moment it covers.
    pub start: Timestamp,
    /// The end; not part of it.
    pub end: Timestamp,
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
    /// Its lines; a line's number is its position, from 1.
    pub lines: Vec<InvoiceLine>,
    /// What the sellers get.
    pub revenue: Vec<Revenue>,
}

impl Invoice {
    /// The sum of its lines.
    pub fn total(&self) -> Money {
        self.lines.iter().map(|line| line.amount).fold(Money::zero(self.currency), Money::plus)
    }
}
