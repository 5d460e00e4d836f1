//! Clocks that follow the machine's: what is due is done when the machine's time has come, asked or not.

use std::sync::Arc;

use souk_log::MemoryStore;
use souk_proto::sandbox::v1::FollowMachine;
use souk_proto::sandbox::v1::clock_setting::Setting;
use souk_server::partition::writer;

use crate::served::{Served, SetClock};
use crate::words::{
    at, batch, code_of, hourly, invoices, invoices_text, meter, put, same_text, time_text, turn,
};

const DOCUMENT: &str = "
clock: {follow: {}}
accounts:
  - {accountId: 111122223333, seller: {}}
  - {accountId: 000000000201}
products:
  - productId: prod-a
    title: A
    sellerAccountId: 111122223333
    productType: SAAS
    usageCategory: UNITS
    dimensions: [{key: units, unit: Units, types: [EXTERNALLY_METERED]}]
offers:
  - offerId: offer-a
    productId: prod-a
    terms: [{usageBasedPricing: {rateCard: {units: 0.05}}}]
agreements:
  - {offerId: offer-a, buyerAccountId: 000000000201, acceptanceTime: 2026-01-01T00:00:00Z}
";
const PARTITIONS: usize = 4;
const JANUARY: &str = "
MPIN26-000000000201-1 USAGE 2026-01 000000000201 by AWS Inc. on 2026-02-02T00:00:00Z: 3.00 USD
  1. USAGE 000000000201 A offer-a units: 60 x 0.05 = 3.00 = 3.00 (2026-01-01T00:00:00Z to 2026-02-01T00:00:00Z)
     2026-01-01T00:00:00Z to 2026-02-01T00:00:00Z: Y 60 in 20 h, X 0, covered 0, billed 60: the offer as released";

/// A server whose machine shows the evening of 31 January, with usage of that day.
async fn on_the_last_day() -> (MemoryStore, SetClock, Served) {
    let (store, clock) = (MemoryStore::new(), SetClock::at("2026-01-31T20:00:00Z"));
    let served = Served::with(Arc::new(store.clone()), PARTITIONS, clock.clone()).await;
    put(&served.client, "follows", DOCUMENT).await;
    let code = code_of(&served.client, "follows", "prod-a").await;
    let usage = hourly("000000000201", "2026-01-31T00:00:00Z", 20, "units", "3");
    meter(&served.client, batch("follows", &code, usage)).await;
    (store, clock, served)
}

fn appends(store: &MemoryStore) -> u64 {
    (0..PARTITIONS).map(|index| store.faults().attempts(&writer::log_name(index))).sum()
}

#[tokio::test]
async fn a_month_closes_when_the_machine_s_time_has_come_though_nobody_asks() {
    let (store, clock, served) = on_the_last_day().await;
    let before = appends(&store);
    clock.set("2026-02-01T23:59:59Z");
    tick(&served).await;
    assert_eq!(appends(&store), before, "nothing is due before the 2nd");
    clock.set("2026-02-02T00:00:00Z");
    tick(&served).await;
    assert_eq!(appends(&store), before + 1, "the month of the one payer is closed");
    tick(&served).await;
    assert_eq!(appends(&store), before + 1, "and only once");
    same_text(&invoices_text(&invoices(&served.client, "follows", "", "").await), JANUARY);
    let now = served.client.get_clock("follows").await.expect("a clock");
    assert_eq!((time_text(now.now), now.following), ("2026-02-02T00:00:00Z".to_owned(), true));
    served.stop().await;
}

/// Lets every partition look at the machine's clock, and waits until it has.
async fn tick(served: &Served) {
    served.souk().tick();
    let name = souk_core::ids::SandboxName::new("follows");
    for partition in served.souk().partitions.iter() {
        let looked = partition.enqueue(move |_| Ok(())).await.expect("a partition that runs");
        looked.answer().await.expect("an answer after the tick");
    }
    assert!(served.souk().market(&name).is_ok());
}

#[tokio::test]
async fn who_asks_finds_everything_done_that_is_due() {
    let (_, clock, served) = on_the_last_day().await;
    clock.set("2026-02-02T00:00:00Z");
    same_text(&invoices_text(&invoices(&served.client, "follows", "", "").await), JANUARY);
    served.stop().await;
}

#[tokio::test]
async fn what_became_due_while_no_server_ran_is_done_by_the_next_start() {
    let (store, clock, served) = on_the_last_day().await;
    served.stop().await;
    let before = appends(&store);
    clock.set("2026-02-20T08:00:00Z");
    let served = Served::with(Arc::new(store.clone()), PARTITIONS, clock).await;
    assert_eq!(appends(&store), before + 1);
    same_text(&invoices_text(&invoices(&served.client, "follows", "", "").await), JANUARY);
    served.stop().await;
}

#[tokio::test]
async fn a_clock_is_stopped_turned_and_let_go_again_and_never_goes_back() {
    let (_, clock, served) = on_the_last_day().await;
    let client = &served.client;
    let stopped =
        client.set_clock("follows", Setting::At(at("2026-02-01T12:00:00Z"))).await.expect("a later time");
    assert!(!stopped.clock.following);
    clock.set("2026-02-10T00:00:00Z");
    assert!(invoices(client, "follows", "", "").await.is_empty(), "the clock stands");
    let turned = turn(client, "follows", "2026-02-02T00:00:00Z").await;
    assert_eq!(turned.work_done.invoices_issued, 1);
    same_text(&invoices_text(&invoices(client, "follows", "", "").await), JANUARY);
    let let_go =
        client.set_clock("follows", Setting::Follow(FollowMachine {})).await.expect("the machine is ahead");
    assert_eq!(time_text(let_go.clock.now), "2026-02-10T00:00:00Z");
    // A machine's clock that is set back does not take the sandbox with it.
    clock.set("2026-02-09T00:00:00Z");
    let now = client.get_clock("follows").await.expect("a clock").now;
    assert_eq!(time_text(now), "2026-02-10T00:00:00Z");
    served.stop().await;
}
