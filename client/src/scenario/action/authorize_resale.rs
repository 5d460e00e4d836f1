//! `authorizeResale`: a seller lets another one sell its product.

use souk_proto::catalog::v1::ResaleAuthorization;

use super::Kind;
use crate::scenario::actual;
use crate::scenario::reading::Reading;
use crate::scenario::shape::{Args, Named, Takes, descriptor};
use crate::scenario::world::{Playing, World};

pub const AUTHORIZATION: &str = "souk.catalog.v1.ResaleAuthorization";

pub const KIND: Kind = Kind {
    key: "authorizeResale",
    about: "A seller lets a reseller sell its product, written as in a sandbox document; names of products and accounts are read, too.",
    takes: Takes::Message(AUTHORIZATION),
    gives: Some(AUTHORIZATION),
    check,
    play,
};

fn authorization_of(args: &Args) -> ResaleAuthorization {
    args.message("message").and_then(|(message, _)| message.transcode_to().ok()).unwrap_or_default()
}

fn check(reading: &mut Reading, args: &Args) {
    let authorization = authorization_of(args);
    let id = format!("line {}", args.position.line);
    reading.know(Named::ResaleAuthorization, &authorization.name, &id);
    reading.know(Named::ResaleAuthorization, &authorization.resale_authorization_id, &id);
    let Some((_, positions)) = args.message("message") else { return };
    let mut check = |field: &str, kind, text: &str| {
        if !text.is_empty() {
            reading.check_name(positions.find(field), kind, text);
        }
    };
    check("productId", Named::Product, &authorization.product_id);
    check("resellerAccountId", Named::Account, &authorization.reseller_account_id);
    for (index, buyer) in authorization.buyer_account_ids.iter().enumerate() {
        check(&format!("buyerAccountIds[{index}]"), Named::Account, buyer);
    }
}

fn play<'a>(world: &'a mut World, args: &'a Args) -> Playing<'a> {
    Box::pin(async move {
        let mut authorization = authorization_of(args);
        authorization.product_id = world.product_id(&authorization.product_id);
        authorization.reseller_account_id = world.names.account(&authorization.reseller_account_id);
        for buyer in &mut authorization.buyer_account_ids {
            *buyer = world.names.account(buyer);
        }
        let granted = world.client.create_resale_authorization(&world.sandbox, authorization).await?;
        world.names.refresh(&world.client, &world.sandbox).await?;
        Ok(Some(actual::of(&descriptor(AUTHORIZATION), &granted)))
    })
}
