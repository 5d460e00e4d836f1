//! `restrictResale`: a seller ends the release of offers with an authorization.

use super::Kind;
use super::authorize_resale::AUTHORIZATION;
use crate::scenario::actual;
use crate::scenario::reading::Reading;
use crate::scenario::shape::{Args, Field, Named, Takes, descriptor, needed};
use crate::scenario::world::{Playing, World};

const FIELDS: &[Field] = &[needed(
    "authorization",
    Takes::Named(Named::ResaleAuthorization),
    "The resale authorization, by its name or id.",
)];

pub const KIND: Kind = Kind {
    key: "restrictResale",
    about: "A seller lets no more offers be released with a resale authorization; those that were stay.",
    takes: Takes::Fields(FIELDS),
    gives: Some(AUTHORIZATION),
    check: |_: &mut Reading, _: &Args| {},
    play,
};

fn play<'a>(world: &'a mut World, args: &'a Args) -> Playing<'a> {
    Box::pin(async move {
        let id = world.names.resale_authorization(args.text("authorization").unwrap_or_default());
        let restricted = world.client.restrict_resale_authorization(&world.sandbox, &id).await?;
        Ok(Some(actual::of(&descriptor(AUTHORIZATION), &restricted)))
    })
}
