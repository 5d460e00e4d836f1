//! Streams of columns over cut connections, killed servers and failed appends: every message is answered once, and
//! every row is billed once.

use std::collections::BTreeSet;
use std::time::Duration;

use souk_client::{
    ColumnRow, Columns, ColumnsAnswer, ColumnsOutcome, ColumnsStream, RecordFilter, RetryPolicy, Settings,
    SoukClient,
};
use souk_core::ids::{AccountId, SandboxName};
use souk_log::{Fault, Landed, LogName, MemoryStore};
use souk_proto::metering::v1::OpenedSeries;
use souk_proto::metering::v1::stream_columns_request::Message;
use souk_server::partition::{partition_of, writer};

use crate::columns::{RawStream, columns, hour, series, text};
use crate::proxy::Proxy;
use crate::served::Served;
use crate::soukd::Soukd;
use crate::words::{preview, put};

const BEGAN: &str = "2025-01-01T00:00:00Z";
const BUYERS: [&str; 5] = ["000000000201", "000000000202", "000000000203", "000000000204", "000000000205"];

fn document() -> String {
    let accounts: String = BUYERS.iter().map(|id| format!("  - {{accountId: {id}}}\n")).collect();
    let agreements: String = BUYERS
        .iter()
        .map(|id| format!("  - {{offerId: offer-a, buyerAccountId: {id}, acceptanceTime: {BEGAN}}}\n"))
        .collect();
    format!(
        "
clock: {{at: 2025-01-31T00:00:00Z}}
rules: {{meteringWindow: OPEN_MONTH}}
accounts:
  - {{accountId: 111122223333, seller: {{}}}}
{accounts}products:
  - productId: prod-a
    productCode: codea
    title: A
    sellerAccountId: 111122223333
    productType: SAAS
    usageCategory: UNITS
    dimensions: [{{key: units, types: [EXTERNALLY_METERED]}}]
offers:
  - {{offerId: offer-a, productId: prod-a, terms: [{{usageBasedPricing: {{rateCard: {{units: 0.01}}}}}}]}}
agreements:
{agreements}"
    )
}

/// A client that comes back soon, and for as long as it takes.
async fn persistent_client(endpoint: &str) -> SoukClient {
    let minute = Duration::from_secs(60);
    let retry = RetryPolicy {
        attempts_max: u32::MAX,
        delay_initial: Duration::from_millis(1),
        delay_max: Duration::from_millis(20),
    };
    let settings = Settings { deadline: minute, connect_timeout: minute, retry };
    SoukClient::connect_with(endpoint, settings).await.expect("a server that listens")
}

/// Messages of all buyers, an hour each, and how many rows they had.
struct Sender {
    stream: ColumnsStream,
    series: Vec<OpenedSeries>,
    hours: i32,
    sent: BTreeSet<u64>,
    rows: u32,
}

impl Sender {
    async fn open(client: &SoukClient, buyers: &[&str]) -> Sender {
        let mut stream = client.stream_columns("s").await.expect("a stream");
        let series = open_series(&mut stream, buyers).await;
        Sender { stream, series, hours: 0, sent: BTreeSet::new(), rows: 0 }
    }

    async fn send(&mut self, hours: i32) {
        for _ in 0..hours {
            let mut columns = Columns::new(100);
            for series in &self.series {
                assert_eq!(columns.push(series, ColumnRow::whole(hour(BEGAN) + self.hours, 7)), None);
                self.rows += 1;
            }
            for message in columns.take() {
                self.sent.insert(self.stream.send(message).await.expect("a stream that goes on"));
            }
            self.hours += 1;
        }
    }

    /// Reads all answers, of which there is one for each message; answers how many rows were metered and repeated.
    async fn finish(mut self) -> (u32, u32) {
        let (mut metered, mut repeated) = (0, 0);
        for ColumnsAnswer { message, outcome } in self.stream.finish().await.expect("all answers") {
            assert!(self.sent.remove(&message), "message {message} is answered twice");
            let ColumnsOutcome::Acknowledged(acknowledged) = outcome else { panic!("{outcome:?}") };
            assert!(acknowledged.exceptions.is_empty(), "{acknowledged:?}");
            metered += acknowledged.metered_count;
            repeated += acknowledged.repeated_count;
        }
        assert!(self.sent.is_empty(), "not answered: {:?}", self.sent);
        assert_eq!(metered + repeated, self.rows);
        (metered, repeated)
    }
}

async fn open_series(stream: &mut ColumnsStream, buyers: &[&str]) -> Vec<OpenedSeries> {
    let names = buyers.iter().map(|buyer| series("codea", buyer, "units")).collect();
    stream.open_series(names).await.expect("series")
}

/// Every row that was sent is metered once.
async fn check(client: &SoukClient, buyers: &[&str], hours: i32) {
    let records = client.all_metered_records("s", &RecordFilter::default()).await.expect("a list");
    assert_eq!(records.len(), buyers.len() * hours as usize);
    for buyer in buyers {
        let invoices = preview(client, "s", buyer, "2025-01").await;
        let quantities: Vec<_> = invoices.iter().flat_map(|i| &i.lines).map(|line| &*line.quantity).collect();
        assert_eq!(quantities, [(hours * 7).to_string()], "{buyer}");
    }
}

#[tokio::test]
async fn a_stream_goes_on_over_cut_connections_and_meters_nothing_twice() {
    let served = Served::start().await;
    put(&served.client, "s", &document()).await;
    let proxy = Proxy::to(&served.endpoint).await;
    let client = persistent_client(&proxy.endpoint).await;
    let mut sender = Sender::open(&client, &BUYERS[..3]).await;
    for round in 0..8 {
        sender.send(3 + round % 4).await;
        proxy.cut();
    }
    // Series that are opened after a break are beside those from before it.
    let both = open_series(&mut sender.stream, &[BUYERS[3], BUYERS[0]]).await;
    assert_eq!(both[1], sender.series[0], "a known series keeps its handle");
    assert!(!sender.series.contains(&both[0]));
    sender.send(5).await;
    proxy.cut();
    sender.send(5).await;
    let hours = sender.hours;
    sender.finish().await;
    check(&served.client, &BUYERS[..3], hours).await;
    served.stop().await;
}

#[tokio::test]
async fn a_stream_that_nobody_repeats_breaks_with_an_error() {
    let served = Served::start().await;
    put(&served.client, "s", &document()).await;
    let proxy = Proxy::to(&served.endpoint).await;
    let client = crate::served::patient_client(&proxy.endpoint).await;
    let mut sender = Sender::open(&client, &BUYERS[..1]).await;
    proxy.lead_nowhere();
    proxy.cut();
    let mut columns = Columns::new(1);
    let message = columns.push(&sender.series[0], ColumnRow::whole(hour(BEGAN), 1)).expect("a full message");
    let broken = loop {
        if let Err(error) = sender.stream.send(message.clone()).await {
            break error;
        }
        if let Err(error) = sender.stream.next_answer().await {
            break error;
        }
    };
    assert!(matches!(broken, souk_client::ClientError::Unreachable { .. }), "{broken:?}");
    drop(sender);
    served.stop().await;
}

#[tokio::test]
async fn a_killed_server_loses_nothing_that_it_answered_and_a_resumed_stream_doubles_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = Soukd::start(folder.path()).await;
    put(&server.client, "s", &document()).await;
    let proxy = Proxy::to(server.client.endpoint()).await;
    let client = persistent_client(&proxy.endpoint).await;
    let mut sender = Sender::open(&client, &BUYERS).await;
    for _ in 0..3 {
        sender.send(4).await;
        proxy.lead_nowhere();
        server.kill().await;
        server = Soukd::start(folder.path()).await;
        proxy.lead_to(server.client.endpoint());
    }
    sender.send(2).await;
    let hours = sender.hours;
    sender.finish().await;
    check(&server.client, &BUYERS, hours).await;
    server.stop().await;
}

fn log_of(payer: &str) -> LogName {
    let payer = AccountId::parse(payer).expect("an account");
    writer::log_name(partition_of(&SandboxName::new("s"), payer, 4))
}

#[tokio::test]
async fn columns_of_a_failed_append_are_sent_again_and_handles_hold() {
    let store = MemoryStore::new();
    let served = Served::without_ticks(&store).await;
    put(&served.client, "s", &document()).await;
    let mut stream = RawStream::open(&served.endpoint, "s").await;
    let opened = stream.series(vec![series("codea", BUYERS[0], "units")]).await[0];
    let faults = [
        (Fault::FailedCommit(Landed::Nowhere), "1 0"),
        (Fault::FailedCommit(Landed::Durable), "0 1"),
        (Fault::Full, "1 0"),
    ];
    for (n, (fault, expected)) in (0..).zip(faults) {
        let row = || columns(opened.lane, hour(BEGAN) + n, &[(opened.handle, 7)]);
        store.faults().next(&log_of(BUYERS[0]), fault);
        assert_eq!(stream.refused(Message::Columns(row())).await, "UNAVAILABLE  again", "{fault:?}");
        assert_eq!(text(&stream.meter(row()).await), expected, "{fault:?}");
    }
    // The library sends it again by itself.
    let client = persistent_client(&served.endpoint).await;
    let mut sender = Sender::open(&client, &BUYERS[..1]).await;
    sender.hours = 3;
    store.faults().next(&log_of(BUYERS[0]), Fault::FailedCommit(Landed::Nowhere));
    sender.send(4).await;
    assert_eq!(sender.finish().await, (4, 0));
    check(&served.client, &BUYERS[..1], 7).await;
    drop(stream);
    served.stop().await;
}
