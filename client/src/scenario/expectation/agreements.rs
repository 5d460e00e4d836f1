//! `agreements`: what was accepted, and where it stands.

use souk_client::AgreementFilter;

use super::Kind;
use crate::scenario::actual;
use crate::scenario::expected::Items;
use crate::scenario::shape::descriptor;
use crate::scenario::world::{Looking, World};

const AGREEMENT: &str = "souk.agreement.v1.Agreement";

pub const KIND: Kind = Kind {
    key: "agreements",
    about: "The agreements so far, the ended ones, too.",
    of: Some(AGREEMENT),
    asks: &[],
    look,
};

fn look<'a>(world: &'a mut World, _: &'a Items) -> Looking<'a> {
    Box::pin(async move {
        let agreements = world.client.all_agreements(&world.sandbox, &AgreementFilter::default()).await?;
        Ok(actual::of_all(&descriptor(AGREEMENT), &agreements))
    })
}
