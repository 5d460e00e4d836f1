//! How a seller has to do with what is sold under an offer: it sells it, or it is the manufacturer of what a reseller
//! sells (J1). What its reports show follows from that.

use super::{Marketplace, Offer};
use crate::ids::{AccountId, DimensionKey};
use crate::money::UnitPrice;
use crate::rejection::Broken;

/// The side on which a seller stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// It is the seller of record.
    Seller,
    /// A reseller sells what it makes.
    Manufacturer {
        /// Who.
        reseller: AccountId,
        /// Whether its reports show the buyer; if not, the reseller is its customer.
        shows_buyer: bool,
    },
}

impl Side {
    /// A seller's side of an offer; none when it has nothing to do with it.
    pub fn of(market: &Marketplace, offer: &Offer, seller: AccountId) -> Result<Option<Side>, Broken> {
        let product = market.known_product(&offer.product)?;
        if offer.seller(product) == seller {
            return Ok(Some(Side::Seller));
        }
        let resale = offer.resale.as_ref().filter(|_| product.seller == seller);
        Ok(resale
            .map(|resale| Side::Manufacturer { reseller: resale.reseller, shows_buyer: resale.shows_buyer }))
    }

    /// Whether it is the manufacturer's, whom nobody shows the payer's address.
    pub fn is_manufacturers(self) -> bool {
        matches!(self, Side::Manufacturer { .. })
    }

    /// Who is shown as customer and as payer.
    pub fn parties(self, buyer: AccountId, payer: AccountId) -> (AccountId, AccountId) {
        match self {
            Side::Manufacturer { reseller, shows_buyer: false } => (reseller, reseller),
            Side::Manufacturer { .. } | Side::Seller => (buyer, payer),
        }
    }

    /// The price of a unit of usage: what the buyer pays, or the wholesale price of it.
    pub fn usage_price(
        self,
        offer: &Offer,
        key: &DimensionKey,
        sold_at: UnitPrice,
    ) -> Result<UnitPrice, Broken> {
        match self {
            Side::Seller => Ok(sold_at),
            Side::Manufacturer { .. } => offer.wholesale_usage_price(key),
        }
    }
}
