//! What resellers sell.

use souk_core::catalog::{Resale, ResaleAuthorization, WholesalePricing};
use souk_core::ids::{ProductId, ResaleAuthorizationId};
use souk_core::invoicing::ResaleRow;

use super::Tape;

impl Tape<'_> {
    pub(super) fn authorization(&mut self) -> ResaleAuthorization {
        ResaleAuthorization {
            id: self.id(ResaleAuthorizationId::new),
            product: self.id(ProductId::new),
            reseller: self.account(),
            name: self.text(),
            description: self.text(),
            single_use: self.flag(),
            until: self.option(Self::day),
            pricing: match self.flag() {
                true => WholesalePricing::Discount(self.percentage()),
                false => WholesalePricing::Terms(Box::new(self.terms())),
            },
            buyer_accounts: self.list(Self::account).into_iter().collect(),
            granted_at: self.time(),
            restricted_at: self.option(Self::time),
        }
    }

    pub(super) fn resale(&mut self) -> Resale {
        Resale {
            authorization: self.id(ResaleAuthorizationId::new),
            reseller: self.account(),
            shows_buyer: self.flag(),
            wholesale: self.terms(),
        }
    }

    pub(super) fn resale_row(&mut self) -> ResaleRow {
        match self.flag() {
            true => ResaleRow::Reseller {
                manufacturer: self.account(),
                wholesale_fee_rate: self.percentage(),
                cost: self.money(),
                cost_refund: self.money(),
            },
            false => ResaleRow::Manufacturer { reseller: self.account(), shows_buyer: self.flag() },
        }
    }
}
