//! A server is killed again and again while a client meters by batch and by stream. After every restart each
//! answered record is there, each unanswered one is there or not, and what was closed is the same to the byte.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use souk_client::{AgreementFilter, SoukClient};
use souk_proto::metering::v1::{UsageRecord, UsageRecordResult, UsageRecordStatus};
use souk_proto::reporting::v1::{ReportKind, ReportProfile};
use souk_proto::sandbox::v1::advance_clock_request::Target;
use tokio::sync::Notify;

use crate::soukd::{self, Soukd};
use crate::words::{
    at, batch, code_of, csv, hours_after, invoices, invoices_text, message, meter, preview, put, record, turn,
};

const SANDBOX: &str = "killed";
const BUYERS: u64 = 8;
/// What is metered by batch, and what by stream.
const DIMENSIONS: [&str; 2] = ["batched", "streamed"];
const MONTHS: [(&str, i64, &str); 2] =
    [("2025-01", 31 * 24, "2025-02-01T00:00:00Z"), ("2025-02", 28 * 24, "2025-03-01T00:00:00Z")];

fn buyer(number: u64) -> String {
    format!("{:012}", 201 + number)
}

fn document() -> String {
    let accounts: String =
        (0..BUYERS).map(|n| format!("  - {{accountId: {}, companyName: Buyer {n}}}\n", buyer(n))).collect();
    let agreements: String = (0..BUYERS)
        .map(|n| {
            let account = buyer(n);
            format!(
                "  - {{offerId: offer-a, buyerAccountId: {account}, acceptanceTime: 2025-01-01T00:00:00Z}}\n"
            )
        })
        .collect();
    format!(
        "clock: {{at: {}}}
rules: {{meteringWindow: OPEN_MONTH}}
accounts:
  - {{accountId: 111122223333, seller: {{}}}}
{accounts}products:
  - productId: prod-a
    title: A
    sellerAccountId: 111122223333
    productType: SAAS
    usageCategory: UNITS
    dimensions:
      - {{key: batched, unit: Units, types: [EXTERNALLY_METERED]}}
      - {{key: streamed, unit: Units, types: [EXTERNALLY_METERED]}}
offers:
  - offerId: offer-a
    productId: prod-a
    terms: [{{usageBasedPricing: {{rateCard: {{batched: 0.01, streamed: 0.03}}}}}}]
agreements:
{agreements}",
        MONTHS[0].2
    )
}

/// Numbers that follow from a seed (SplitMix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// A record that was sent, in the words of the test.
#[derive(Debug, Clone)]
struct Sent {
    buyer: u64,
    hour: i64,
    quantity: u64,
    /// In which message.
    message: usize,
    answered: bool,
    id: Option<String>,
}

/// What was sent of one dimension in one month.
struct Door {
    dimension: &'static str,
    month: usize,
    sent: Vec<Sent>,
    messages: usize,
    chance: Chance,
}

impl Door {
    fn new(dimension: &'static str, month: usize, seed: u64) -> Door {
        Door { dimension, month, sent: Vec::new(), messages: 0, chance: Chance(seed) }
    }

    /// The next records that nobody sent yet; answers their positions.
    fn next(&mut self, longest: u64) -> std::ops::Range<usize> {
        let first = self.sent.len();
        for _ in 0..=self.chance.below(longest) {
            let number = self.sent.len() as u64;
            let hour = (number / BUYERS) as i64;
            assert!(hour < MONTHS[self.month].1, "the month has no more hours: kill earlier");
            let quantity = self.chance.below(900);
            let (buyer, message) = (number % BUYERS, self.messages);
            self.sent.push(Sent { buyer, hour, quantity, message, answered: false, id: None });
        }
        self.messages += 1;
        first..self.sent.len()
    }

    fn record(&self, sent: &Sent) -> UsageRecord {
        let begin = format!("{}-01T00:00:00Z", MONTHS[self.month].0);
        record(&buyer(sent.buyer), hours_after(&begin, sent.hour), self.dimension, sent.quantity)
    }

    fn records(&self, range: std::ops::Range<usize>) -> Vec<UsageRecord> {
        self.sent[range].iter().map(|sent| self.record(sent)).collect()
    }
}

/// Meters by batch until the server is gone.
async fn send_batches(client: &SoukClient, code: &str, door: &mut Door, count: impl Fn()) {
    loop {
        let range = door.next(25);
        let Ok(results) = client.batch_meter_usage(batch(SANDBOX, code, door.records(range.clone()))).await
        else {
            return;
        };
        for (sent, result) in door.sent[range].iter_mut().zip(results) {
            assert_eq!(result.status(), UsageRecordStatus::Success, "{sent:?}");
            (sent.answered, sent.id) = (true, Some(result.metering_record_id));
        }
        count();
    }
}

/// Meters by stream, eight messages in flight, until the server is gone.
async fn send_stream(client: &SoukClient, code: &str, door: &mut Door, count: impl Fn()) {
    let mut in_flight = VecDeque::new();
    let Ok(mut stream) = client.stream_usage(8).await else { return };
    loop {
        let range = door.next(40);
        in_flight.push_back(range.clone());
        let Ok(answer) = stream.send(message(SANDBOX, code, door.records(range))).await else { return };
        let Some(answer) = answer else { continue };
        let range = in_flight.pop_front().expect("a message in flight");
        assert_eq!(answer.success_count as usize, range.len(), "{answer:?}");
        door.sent[range].iter_mut().for_each(|sent| sent.answered = true);
        count();
    }
}

/// Meters through both doors, and kills the server when so many messages are answered.
async fn write_and_kill(server: Soukd, doors: &mut [Door; 2], answers: usize) {
    let (answered, enough) = (AtomicUsize::new(0), Notify::new());
    let count = || {
        if answered.fetch_add(1, Ordering::SeqCst) + 1 == answers {
            enough.notify_one();
        }
    };
    let client = server.client.clone();
    let code = code_of(&client, SANDBOX, "prod-a").await;
    let [batched, streamed] = doors;
    tokio::join!(
        send_batches(&client, &code, batched, count),
        send_stream(&client, &code, streamed, count),
        async {
            enough.notified().await;
            server.kill().await;
        }
    );
}

/// Sends records again, with a quantity of the caller's choice.
async fn resend(
    client: &SoukClient,
    code: &str,
    door: &Door,
    positions: &[usize],
    quantity: impl Fn(u64) -> u64,
) -> Vec<UsageRecordResult> {
    let mut results = Vec::new();
    for part in positions.chunks(25) {
        let sent = part.iter().map(|&position| &door.sent[position]);
        let again = sent.map(|sent| door.record(&Sent { quantity: quantity(sent.quantity), ..sent.clone() }));
        let request = batch(SANDBOX, code, again.collect());
        results.extend(client.batch_meter_usage(request).await.expect("a server that runs"));
    }
    results
}

/// Checks that everything that was answered is there, and finds out what became of the rest.
async fn check(client: &SoukClient, door: &mut Door) {
    let code = code_of(client, SANDBOX, "prod-a").await;
    let before = previewed(client, door).await;
    let (answered, unanswered): (Vec<_>, Vec<_>) =
        (0..door.sent.len()).partition(|&position| door.sent[position].answered);

    let again = resend(client, &code, door, &answered, |quantity| quantity).await;
    for (&position, result) in answered.iter().zip(&again) {
        let sent = &mut door.sent[position];
        assert_eq!(result.status(), UsageRecordStatus::Success, "lost: {sent:?}");
        let id = sent.id.get_or_insert_with(|| result.metering_record_id.clone());
        assert_eq!(*id, result.metering_record_id, "{position}");
    }
    let some: Vec<_> = answered.iter().copied().filter(|position| position % 5 == 0).collect();
    let other = resend(client, &code, door, &some, |quantity| quantity + 1).await;
    for (&position, result) in some.iter().zip(&other) {
        assert_eq!(result.status(), UsageRecordStatus::DuplicateRecord, "{:?}", door.sent[position]);
        assert_eq!(Some(&result.metering_record_id), door.sent[position].id.as_ref());
    }

    // Another quantity is a duplicate when the first one landed, and the first one when it did not.
    let mut expected = totals(door, &answered);
    let mut landed: BTreeMap<(usize, u64), bool> = BTreeMap::new();
    let results = resend(client, &code, door, &unanswered, |quantity| quantity + 1_000).await;
    for (&position, result) in unanswered.iter().zip(results) {
        let sent = &mut door.sent[position];
        let is_there = match result.status() {
            UsageRecordStatus::DuplicateRecord => true,
            UsageRecordStatus::Success => false,
            other => panic!("{other:?}: {sent:?}"),
        };
        match is_there {
            true => *expected.entry(sent.buyer).or_default() += sent.quantity,
            false => sent.quantity += 1_000,
        }
        (sent.answered, sent.id) = (true, Some(result.metering_record_id));
        let whole = *landed.entry((sent.message, sent.buyer)).or_insert(is_there);
        assert_eq!(whole, is_there, "a message's records of one buyer are there together or not at all");
    }
    assert_eq!(before, expected, "{} of {}", door.dimension, MONTHS[door.month].0);
    let all: Vec<_> = (0..door.sent.len()).collect();
    assert_eq!(previewed(client, door).await, totals(door, &all));
}

fn totals(door: &Door, positions: &[usize]) -> BTreeMap<u64, u64> {
    let mut totals: BTreeMap<u64, u64> = (0..BUYERS).map(|buyer| (buyer, 0)).collect();
    for sent in positions.iter().map(|&position| &door.sent[position]) {
        *totals.entry(sent.buyer).or_default() += sent.quantity;
    }
    totals
}

/// What each buyer's line of the dimension would bill.
async fn previewed(client: &SoukClient, door: &Door) -> BTreeMap<u64, u64> {
    let mut totals = BTreeMap::new();
    for number in 0..BUYERS {
        let invoices = preview(client, SANDBOX, &buyer(number), MONTHS[door.month].0).await;
        let lines = invoices.iter().flat_map(|invoice| &invoice.lines);
        let quantities = lines.filter(|line| line.dimension == door.dimension).map(|line| &line.quantity);
        totals.insert(number, quantities.map(|text| text.parse::<u64>().expect("a whole number")).sum());
    }
    totals
}

/// Everything that must be the same before and after a restart: agreements, invoices, reports.
async fn closed(client: &SoukClient) -> String {
    let mut text = String::new();
    for agreement in client.all_agreements(SANDBOX, &AgreementFilter::default()).await.expect("a list") {
        text.push_str(&format!("{agreement:?}\n"));
    }
    text.push_str(&invoices_text(&invoices(client, SANDBOX, "", MONTHS[0].0).await));
    let section_1 = ReportKind::MonthlyRevenueBillingAndRevenueData;
    text.push_str(&csv(client, SANDBOX, section_1, MONTHS[0].0, ReportProfile::Dashboard).await);
    text
}

#[tokio::test]
async fn what_was_answered_outlives_every_kill() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut chance = Chance(20_130_101);
    let server = Soukd::start(folder.path()).await;
    put(&server.client, SANDBOX, &document()).await;
    server.kill().await;

    let mut doors = DIMENSIONS.map(|dimension| Door::new(dimension, 0, chance.below(u64::MAX)));
    for _ in 0..4 {
        let server = Soukd::start(folder.path()).await;
        write_and_kill(server, &mut doors, 3 + chance.below(40) as usize).await;
        let server = Soukd::start(folder.path()).await;
        for door in &mut doors {
            check(&server.client, door).await;
        }
        server.kill().await;
    }

    // The month is closed, and the server killed meanwhile: once more is as good as once.
    let server = Soukd::start(folder.path()).await;
    let client = server.client.clone();
    let closing = Target::To(at("2025-02-02T00:00:00Z"));
    let (_, ()) = tokio::join!(client.advance_clock(SANDBOX, closing), server.kill());
    let server = Soukd::start(folder.path()).await;
    turn(&server.client, SANDBOX, MONTHS[1].2).await;
    let before = closed(&server.client).await;
    check_invoices(&server.client, &doors).await;
    server.kill().await;

    let mut doors = DIMENSIONS.map(|dimension| Door::new(dimension, 1, chance.below(u64::MAX)));
    for _ in 0..2 {
        let server = Soukd::start(folder.path()).await;
        assert_eq!(closed(&server.client).await, before);
        write_and_kill(server, &mut doors, 3 + chance.below(40) as usize).await;
        let server = Soukd::start(folder.path()).await;
        for door in &mut doors {
            check(&server.client, door).await;
        }
        assert_eq!(closed(&server.client).await, before);
        server.kill().await;
    }
}

/// The invoices bill exactly what was metered.
async fn check_invoices(client: &SoukClient, doors: &[Door; 2]) {
    let issued = invoices(client, SANDBOX, "", MONTHS[0].0).await;
    assert_eq!(issued.len() as u64, BUYERS);
    for (number, invoice) in (0..BUYERS).zip(&issued) {
        assert_eq!(invoice.payer_account_id, buyer(number));
        let mut cents = 0;
        for (door, price) in doors.iter().zip([1, 3]) {
            let all: Vec<_> = (0..door.sent.len()).collect();
            cents += totals(door, &all)[&number] * price;
        }
        assert_eq!(invoice.total, format!("{}.{:02}", cents / 100, cents % 100), "{invoice:?}");
    }
}

#[tokio::test]
async fn a_server_that_is_told_to_stop_ends_in_order_and_goes_on_where_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Soukd::start(folder.path()).await;
    put(&server.client, SANDBOX, &document()).await;
    let code = code_of(&server.client, SANDBOX, "prod-a").await;
    let mut door = Door::new("batched", 0, 1);
    let range = door.next(25);
    let request = batch(SANDBOX, &code, door.records(range));
    let ids = meter(&server.client, request.clone()).await;
    turn(&server.client, SANDBOX, "2025-02-02T00:00:00Z").await;
    let before = closed(&server.client).await;
    server.stop().await;
    let unfolded = folder.path().join("control.sqlite-wal");
    assert!(!unfolded.exists(), "an orderly end leaves nothing but the logs themselves");

    let server = Soukd::start(folder.path()).await;
    assert_eq!(closed(&server.client).await, before);
    let late = server.client.batch_meter_usage(request).await;
    assert!(late.is_err(), "the month is closed after the restart as well: {late:?}");
    let hours = server.client.explain_whole_line(SANDBOX, "MPIN25-000000000201-1", 1).await;
    let hours = hours.expect("an explanation").hours;
    assert_eq!(hours[0].records[0].metering_record_id, ids[0]);
    server.stop().await;
}

#[tokio::test]
async fn a_folder_that_was_cut_off_while_it_was_made_is_finished_by_the_next_start() {
    for last in
        ["usage/journal.lock", "usage/journal.manifest", "control.lock", "control.sqlite", "souk.json"]
    {
        let parent = tempfile::tempdir().expect("a folder");
        let folder = parent.path().join("data");
        kill_when_there(&folder, last).await;
        let server = Soukd::start(&folder).await;
        put(&server.client, SANDBOX, &document()).await;
        let code = code_of(&server.client, SANDBOX, "prod-a").await;
        let mut door = Door::new("batched", 0, 1);
        let range = door.next(25);
        let request = batch(SANDBOX, &code, door.records(range));
        meter(&server.client, request).await;
        server.kill().await;
    }
}

/// Starts a server on a new folder and kills it as soon as a file is there.
async fn kill_when_there(folder: &Path, file: &str) {
    let mut child = soukd::spawn(folder);
    while !folder.join(file).exists() {
        assert_eq!(child.try_wait().expect("a process"), None, "it ended before it made {file}");
        assert!(
            !folder.join("endpoints.json").exists() || folder.join(file).exists(),
            "it serves without {file}"
        );
        tokio::task::yield_now().await;
    }
    child.kill().await.expect("a process to kill");
}
