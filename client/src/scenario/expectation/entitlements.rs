//! `entitlements`: what live contracts entitle their buyers to, now or later.

use souk_client::EntitlementFilter;

use super::Kind;
use crate::scenario::actual;
use crate::scenario::expected::Items;
use crate::scenario::shape::descriptor;
use crate::scenario::world::{Looking, World};

const ENTITLEMENT: &str = "souk.agreement.v1.Entitlement";

pub const KIND: Kind = Kind {
    key: "entitlements",
    about: "What the live contracts entitle their buyers to, now or from a later day on.",
    of: Some(ENTITLEMENT),
    asks: &[],
    look,
};

fn look<'a>(world: &'a mut World, _: &'a Items) -> Looking<'a> {
    Box::pin(async move {
        let mut found = Vec::new();
        for product in world.names.products() {
            let filter = EntitlementFilter {
                product_id: product.product_id.clone(),
                include_scheduled: true,
                ..EntitlementFilter::default()
            };
            let entitlements = world.client.all_entitlements(&world.sandbox, &filter).await?;
            found.extend(actual::of_all(&descriptor(ENTITLEMENT), &entitlements));
        }
        Ok(found)
    })
}
