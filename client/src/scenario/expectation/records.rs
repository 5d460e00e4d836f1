//! `records`: the usage records that stand.

use souk_client::RecordFilter;

use super::Kind;
use crate::scenario::actual;
use crate::scenario::expected::Items;
use crate::scenario::shape::descriptor;
use crate::scenario::world::{Looking, World};

const RECORD: &str = "souk.metering.v1.MeteredRecord";

pub const KIND: Kind = Kind {
    key: "records",
    about: "The usage records that stand: the first of each hour.",
    of: Some(RECORD),
    asks: &[],
    look,
};

fn look<'a>(world: &'a mut World, _: &'a Items) -> Looking<'a> {
    Box::pin(async move {
        let records = world.client.all_metered_records(&world.sandbox, &RecordFilter::default()).await?;
        Ok(actual::of_all(&descriptor(RECORD), &records))
    })
}
