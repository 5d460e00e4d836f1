//! `addAccount`: an account comes into the marketplace, or changes.

use souk_proto::account::v1::Account;

use super::Kind;
use crate::scenario::actual;
use crate::scenario::reading::Reading;
use crate::scenario::shape::{Args, Named, Takes, descriptor};
use crate::scenario::world::{Playing, World};

const ACCOUNT: &str = "souk.account.v1.Account";

pub const KIND: Kind = Kind {
    key: "addAccount",
    about: "An account is added, or changed, written as in a sandbox document; names of accounts are read, too.",
    takes: Takes::Message(ACCOUNT),
    gives: Some(ACCOUNT),
    check,
    play,
};

fn account_of(args: &Args) -> Account {
    args.message("message").and_then(|(message, _)| message.transcode_to().ok()).unwrap_or_default()
}

fn check(reading: &mut Reading, args: &Args) {
    let account = account_of(args);
    reading.know(Named::Account, &account.company_name, &account.account_id);
}

fn play<'a>(world: &'a mut World, args: &'a Args) -> Playing<'a> {
    Box::pin(async move {
        let mut account = account_of(args);
        account.account_id = world.names.account(&account.account_id);
        account.payer_account_id = world.names.account(&account.payer_account_id);
        let stored = world.client.put_account(&world.sandbox, account).await?;
        world.names.refresh(&world.client, &world.sandbox).await?;
        Ok(Some(actual::of(&descriptor(ACCOUNT), &stored)))
    })
}
