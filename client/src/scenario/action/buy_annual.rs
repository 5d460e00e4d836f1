//! `buyAnnual`: annual cover on top of an hourly agreement.

use souk_proto::agreement::v1::UpfrontConfiguration;

use super::{AGREEMENT, Kind, agreement_id, check_agreement};
use crate::scenario::actual;
use crate::scenario::shape::{Args, Field, Named, Takes, descriptor, maybe, needed};
use crate::scenario::world::{Playing, World};

const FIELDS: &[Field] = &[
    maybe("agreement", Takes::Named(Named::Agreement), "The live agreement, by its name or id."),
    maybe("buyer", Takes::Named(Named::Account), "Or whose live agreement it is."),
    maybe("product", Takes::Named(Named::Product), "And on which product."),
    needed("quantities", Takes::Counts, "How many annual subscriptions of each instance type."),
    maybe("autoRenew", Takes::Flag, "Whether they renew themselves."),
];

pub const KIND: Kind = Kind {
    key: "buyAnnual",
    about: "A buyer buys annual subscriptions (twelve months of cover) under a live agreement.",
    takes: Takes::Fields(FIELDS),
    gives: Some(AGREEMENT),
    check: check_agreement,
    play,
};

fn play<'a>(world: &'a mut World, args: &'a Args) -> Playing<'a> {
    Box::pin(async move {
        let id = agreement_id(world, args).await?;
        let chosen = UpfrontConfiguration {
            duration: "P12M".to_owned(),
            quantities: args.counts("quantities"),
            auto_renew: args.flag("autoRenew"),
        };
        let bought = world.client.add_annual_subscription(&world.sandbox, &id, chosen).await?;
        Ok(Some(actual::of(&descriptor(AGREEMENT), &bought.agreement)))
    })
}
