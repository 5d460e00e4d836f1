//! The daily business report: what happened on the day before it is made, and the fees of three days before (F-19). Six
//! sections, each a data set of its own.

pub mod fees;
pub mod instances;
pub mod subscribers;
pub mod trials;
pub mod usage;

use super::cells::{address_on, customer_reference, payer_reference, place};
use super::{ReportInput, Row};
use crate::catalog::{Account, Offer, Product, Side};
use crate::ids::{AccountId, OfferId, ProductId};
use crate::rejection::Broken;
use crate::rules::OfferIdColumn;

/// Whom a row is about: the user subscribed, the customer is charged.
struct Parties<'a> {
    user: &'a Account,
    customer: &'a Account,
    product: &'a Product,
    side: Side,
}

impl<'a> Parties<'a> {
    fn of(
        input: &ReportInput<'a>,
        user: AccountId,
        customer: AccountId,
        product: &ProductId,
        side: Side,
    ) -> Result<Parties<'a>, Broken> {
        Ok(Parties {
            user: input.market.known_account(user)?,
            customer: input.market.known_account(customer)?,
            product: input.market.known_product(product)?,
            side,
        })
    }

    /// Customer Reference ID to Product Code.
    fn user_and_product(&self, seller: AccountId) -> Row {
        let [country, state, ..] = place(self.user);
        let product = [self.product.title.clone(), self.product.code.to_string()];
        [customer_reference(seller, self.user.id), state, country].into_iter().chain(product).collect()
    }

    /// Customer Country to Customer Email Domain.
    fn customer_place(&self) -> Row {
        place(self.customer).into_iter().chain([self.customer.email_domain.clone()]).collect()
    }

    /// Customer AWS Account Number to Customer Email Domain.
    fn customer(&self) -> Row {
        std::iter::once(self.customer.id.to_string()).chain(self.customer_place()).collect()
    }

    /// Solution Title to Payer Address ID: without the opportunity.
    fn trailer(&self) -> Row {
        let blank = [String::new(), String::new()];
        let payer = [payer_reference(self.customer.id), address_on(self.side, self.customer)];
        blank.into_iter().chain(payer).collect()
    }
}

/// Offer ID and Offer Visibility (Q10).
pub(super) fn offer_columns(input: &ReportInput<'_>, offer: &OfferId) -> Result<[String; 2], Broken> {
    let offer: &Offer = input.market.known_offer(offer)?;
    let id = match input.offer_id_column {
        OfferIdColumn::Legacy if !offer.is_private() => String::new(),
        OfferIdColumn::Legacy | OfferIdColumn::Dashboard => offer.id.to_string(),
    };
    Ok([id, offer.visibility().to_string()])
}
