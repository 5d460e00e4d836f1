//! A plan in the words of the contract: the document that makes its sandbox, and its messages.

use souk_client::proto::account::v1::{Account, SellerProfile};
use souk_client::proto::catalog::v1::{
    Dimension, DimensionType, Offer, Product as ProtoProduct, ProductType, UsageCategory,
};
use souk_client::proto::metering::v1::{StreamUsageRequest, UsageRecord, usage_record::Customer};
use souk_client::proto::sandbox::v1::{
    AcceptedAgreement, ClockSetting, MeteringWindow, Rules, SandboxDocument, clock_setting::Setting,
};
use souk_client::proto::terms::v1::{Term, UsageBasedPricingTerm, term};
use souk_core::time::Timestamp;

use super::{Buyer, Message, ONE, Plan, PricedDimension, Product, Row, Series, Use};

const HOUR_SECONDS: u64 = 3_600;

impl Plan {
    /// The document that makes the sandbox. Its clock stands at the end of the month, which is still open.
    #[must_use]
    pub fn document(&self) -> SandboxDocument {
        let rules = Rules {
            max_dimensions: Some(self.shape.dimensions.max(1)),
            metering_window: MeteringWindow::OpenMonth.into(),
            ..Rules::default()
        };
        let sellers = self.products.iter().map(Product::seller_account);
        let agreement = |buyer: &Buyer, product: &u32| AcceptedAgreement {
            offer_id: self.products[*product as usize].offer.clone(),
            buyer_account_id: buyer.account.to_string(),
            acceptance_time: Some(wire_time(self.month.start(), 0)),
            configuration: None,
        };
        let agreements = |buyer: &Buyer| {
            buyer.products.iter().map(|product| agreement(buyer, product)).collect::<Vec<_>>()
        };
        SandboxDocument {
            description: format!("The load of seed {}", self.shape.seed),
            clock: Some(ClockSetting { setting: Some(Setting::At(wire_time(self.month.end(), 0))) }),
            rules: Some(rules),
            accounts: sellers.chain(self.buyers.iter().map(Buyer::to_account)).collect(),
            products: self.products.iter().map(Product::to_product).collect(),
            offers: self.products.iter().map(Product::to_offer).collect(),
            agreements: self.buyers.iter().flat_map(agreements).collect(),
            ..SandboxDocument::default()
        }
    }

    /// The moment to which the clock is turned: the month's usage is invoiced then.
    #[must_use]
    pub fn close_time(&self) -> prost_types::Timestamp {
        wire_time(self.month.invoiced_at(), 0)
    }

    /// A message as it is sent.
    #[must_use]
    pub fn request(&self, message: &Message) -> StreamUsageRequest {
        StreamUsageRequest {
            sandbox: self.sandbox.clone(),
            product_code: self.products[message.product as usize].code.clone(),
            region: String::new(),
            usage_records: message.rows.iter().map(|row| self.record(*row)).collect(),
        }
    }

    fn record(&self, row: Row) -> UsageRecord {
        let Series { buyer, .. } = self.series[row.cell.series as usize];
        let dimension = self.dimension(row.cell.series);
        let stated = self.stated(row);
        let (quantity, quantity_as_decimal) = match dimension.whole {
            true => (Some(stated.millionths() / ONE), String::new()),
            false => (None, stated.to_string()),
        };
        // Any second of the hour will do, and a duplicate need not have that of its record.
        let second = self.random(Use::Second, row.cell).wrapping_add(row.purpose as u64 * 7) % HOUR_SECONDS;
        let seconds = u64::from(row.cell.hour) * HOUR_SECONDS + second;
        UsageRecord {
            timestamp: Some(wire_time(self.month.start(), seconds)),
            customer: Some(Customer::CustomerAwsAccountId(self.buyers[buyer as usize].account.to_string())),
            dimension: dimension.key.clone(),
            quantity,
            quantity_as_decimal,
            ..UsageRecord::default()
        }
    }
}

impl Product {
    fn seller_account(&self) -> Account {
        let profile = SellerProfile { invoicing_entity: self.entity.to_owned() };
        Account {
            account_id: self.seller.to_string(),
            company_name: format!("Seller {}", self.seller),
            seller: Some(profile),
            ..Account::default()
        }
    }

    fn to_product(&self) -> ProtoProduct {
        let dimension = |dimension: &PricedDimension| Dimension {
            key: dimension.key.clone(),
            unit: "Units".to_owned(),
            types: vec![DimensionType::ExternallyMetered.into()],
            ..Dimension::default()
        };
        ProtoProduct {
            product_id: self.id.clone(),
            product_code: self.code.clone(),
            title: format!("Product of {}", self.seller),
            seller_account_id: self.seller.to_string(),
            product_type: ProductType::Saas.into(),
            usage_category: UsageCategory::Units.into(),
            dimensions: self.dimensions.iter().map(dimension).collect(),
            concurrent_agreements: false,
        }
    }

    fn to_offer(&self) -> Offer {
        let rates =
            self.dimensions.iter().map(|dimension| (dimension.key.clone(), dimension.price.to_string()));
        let usage = UsageBasedPricingTerm { currency_code: String::new(), rate_card: rates.collect() };
        Offer {
            offer_id: self.offer.clone(),
            product_id: self.id.clone(),
            terms: vec![Term { term: Some(term::Term::UsageBasedPricing(usage)) }],
            ..Offer::default()
        }
    }
}

impl Buyer {
    fn to_account(&self) -> Account {
        Account {
            account_id: self.account.to_string(),
            company_name: format!("Buyer {}", self.account),
            payer_account_id: self.payer.to_string(),
            ..Account::default()
        }
    }
}

/// So many seconds after a moment.
fn wire_time(start: Timestamp, seconds: u64) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: start.micros() / 1_000_000 + seconds.cast_signed(), nanos: 0 }
}

#[cfg(test)]
mod tests {
    use super::super::Shape;
    use super::*;

    const SHAPE: Shape =
        Shape { seed: 7, buyers: 20, sellers: 3, dimensions: 4, hours: 30, duplicates_percent: 10 };

    fn requests(plan: &Plan) -> Vec<StreamUsageRequest> {
        let streams = (0..2).flat_map(|stream| plan.messages(stream, 2, 100));
        streams.map(|message| plan.request(&message)).collect()
    }

    #[test]
    fn a_seed_always_makes_the_same_plan_and_another_makes_another() {
        let [first, again, other] = [7, 7, 8].map(|seed| Plan::new(Shape { seed, ..SHAPE }));
        assert_eq!(first.document(), again.document());
        assert_eq!(requests(&first), requests(&again));
        assert_ne!(first.document(), other.document());
        assert_ne!(requests(&first), requests(&other));
    }
}
