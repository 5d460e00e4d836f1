//! Entries and postings.

use crate::ids::AccountId;
use crate::money::Money;
use crate::time::Timestamp;

/// Whose money it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holder {
    /// A payer.
    Payer(AccountId),
    /// A seller.
    Seller(AccountId),
    /// What AWS earns, and the taxes that it pays on.
    Aws,
    /// The bank, between payers and sellers.
    Bank,
}

/// What a posting is a share of, in the words of the billing event feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Share {
    /// What was charged.
    SellerRevenue,
    /// The listing fee.
    AwsRevenue,
    /// What a reseller owes the manufacturer of that (J1).
    Wholesale,
    /// What was given back.
    SellerRevenueRefund,
    /// Of the wholesale, what the reseller does not owe any more.
    WholesaleRefund,
    /// Of the listing fee, what came back.
    AwsRevenueRefund,
    /// Tax that the seller is liable for: paid out.
    SellerTax,
    /// The same, given back.
    SellerTaxRefund,
    /// Tax that AWS is liable for: shown to the seller, not paid out.
    AwsTax,
    /// The same, given back.
    AwsTaxRefund,
}

impl Share {
    /// As the feed writes it: of the wholesale, from the reseller to the manufacturer.
    pub fn as_str(self) -> &'static str {
        match self {
            Share::SellerRevenue | Share::Wholesale => "SELLER_REV_SHARE",
            Share::AwsRevenue => "AWS_REV_SHARE",
            Share::SellerRevenueRefund | Share::WholesaleRefund => "SELLER_REV_SHARE_REFUND",
            Share::AwsRevenueRefund => "AWS_REV_SHARE_REFUND",
            Share::SellerTax => "SELLER_TAX_SHARE",
            Share::SellerTaxRefund => "SELLER_TAX_SHARE_REFUND",
            Share::AwsTax => "AWS_TAX_SHARE",
            Share::AwsTaxRefund => "AWS_TAX_SHARE_REFUND",
        }
    }

    /// Whether it changes what the seller gets.
    pub fn is_sellers(self) -> bool {
        !matches!(self, Share::AwsTax | Share::AwsTaxRefund)
    }
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// An invoice was issued.
    Invoiced,
    /// It was collected.
    Collected,
    /// It was paid out to the sellers.
    Disbursed,
}

/// An amount that a holder is to get; negative: has to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posting {
    /// Who.
    pub holder: Holder,
    /// What of; none of a payment.
    pub share: Option<Share>,
    /// The position of the invoice's revenue row.
    pub revenue: Option<usize>,
    /// How much.
    pub amount: Money,
}

/// What happened at one moment: its postings sum to zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What.
    pub action: Action,
    /// When.
    pub at: Timestamp,
    /// Who gets and who gives.
    pub postings: Vec<Posting>,
}

impl Entry {
    /// Whether nothing comes from nowhere.
    pub fn is_balanced(&self) -> bool {
        self.postings.iter().map(|posting| posting.amount.minor()).sum::<i128>() == 0
    }
}
