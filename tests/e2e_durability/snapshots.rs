//! Starts from snapshots: what was there is there, closed months are read from the archive, and a snapshot or an
//! archive that cannot be used costs a replay and nothing else.

use std::fs;
use std::path::{Path, PathBuf};

use souk_client::SoukClient;
use souk_client::proto::metering::v1::{InstanceHours, MeteredRecord, ReportInstanceHoursRequest};
use souk_client::proto::reporting::v1::{ReportKind, ReportProfile, ReportSelection};

use crate::served::Served;
use crate::words::{SELLER, at, csv, invoices, invoices_text, put, turn};

const SANDBOX: &str = "kept";
const BUYERS: u64 = 12;
const DOCUMENT: &str = "
clock: {at: 2025-01-01T00:00:00Z}
rules: {meteringWindow: METERING_WINDOW_OPEN_MONTH}
accounts:
  - {accountId: 111122223333, companyName: Contrail Software, seller: {}}
ACCOUNTS
products:
  - {productId: prod-a, productCode: productcodeofa00000000000, title: A, sellerAccountId: 111122223333, productType: AMI, dimensions: [{key: m5.large, types: [METERED]}]}
offers:
  - {offerId: offer-a, productId: prod-a, terms: [{usageBasedPricing: {rateCard: {m5.large: 0.35}}}]}
agreements:
AGREEMENTS
";

fn buyer(number: u64) -> String {
    format!("{:012}", 101 + number)
}

fn document() -> String {
    let lines = |line: fn(String) -> String| (0..BUYERS).map(buyer).map(line).collect::<Vec<_>>().join("\n");
    let accounts = lines(|buyer| format!("  - {{accountId: {buyer:?}, companyName: Buyer}}"));
    let agreements = lines(|buyer| {
        format!("  - {{offerId: offer-a, buyerAccountId: {buyer:?}, acceptanceTime: 2025-01-01T00:00:00Z}}")
    });
    DOCUMENT.replace("ACCOUNTS", &accounts).replace("AGREEMENTS", &agreements)
}

/// Every buyer runs some instances in the first hours of a month.
async fn run(client: &SoukClient, month: u32, hours: u64) {
    let report = |buyer_number: u64, hour: u64| InstanceHours {
        product_code: "productcodeofa00000000000".to_owned(),
        buyer_account_id: buyer(buyer_number),
        instance_type: "m5.large".to_owned(),
        hour: Some(at(&format!("2025-{month:02}-02T{hour:02}:00:00Z"))),
        count: 1 + (buyer_number * 7 + hour * 3 + u64::from(month)) % 5,
    };
    let reports = (0..BUYERS).flat_map(|buyer| (0..hours).map(move |hour| report(buyer, hour))).collect();
    let request = ReportInstanceHoursRequest { sandbox: SANDBOX.to_owned(), region: String::new(), reports };
    client.report_instance_hours(request).await.expect("open hours");
}

/// Everything that can be read: bills, reports, every line down to its records, and the list of records.
async fn all(client: &SoukClient) -> String {
    let mut text = String::new();
    let issued = invoices(client, SANDBOX, "", "").await;
    text.push_str(&invoices_text(&issued));
    for invoice in &issued {
        for line in 1..=invoice.lines.len() as u32 {
            let explained = client.explain_whole_line(SANDBOX, &invoice.invoice_id, line).await;
            text.push_str(&format!("{:?}\n", explained.expect("a line")));
        }
    }
    for month in ["2025-01", "2025-02"] {
        let kind = ReportKind::MonthlyRevenueBillingAndRevenueData;
        text.push_str(&csv(client, SANDBOX, kind, month, ReportProfile::Dashboard).await);
    }
    for (kind, month) in [(ReportKind::ProductfeedV1, "2025-01"), (ReportKind::AccountfeedV1, "2025-01")] {
        let feed = csv(client, SANDBOX, kind, month, ReportProfile::Dashboard).await;
        assert!(feed.lines().count() > 1, "{feed}");
        text.push_str(&feed);
    }
    // The second of each month: also of those that are in the archive.
    for date in ["2025-01-03", "2025-02-03", "2025-03-03"] {
        for kind in [ReportKind::DailyUsageV1, ReportKind::DailyBusinessNewInstances] {
            let selection = ReportSelection {
                sandbox: SANDBOX.to_owned(),
                seller_account_id: SELLER.to_owned(),
                kind: kind.into(),
                date: date.to_owned(),
                ..ReportSelection::default()
            };
            let report = client.read_report(selection).await.expect("a report");
            assert_eq!(report.rows.len() as u64, BUYERS, "{date} {kind:?}");
            text.push_str(&format!("{report:?}\n"));
        }
    }
    let records = client.all_metered_records(SANDBOX, &Default::default()).await.expect("a list");
    assert_eq!(records.len() as u64, BUYERS * (20 + 10 + 5));
    text.push_str(&format!("{records:?}\n"));
    text
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.filter(|path| path.to_string_lossy().ends_with(ending)).collect()
}

/// Two months closed and one open.
async fn history(folder: &Path) -> String {
    let served = Served::with_snapshots(folder).await;
    put(&served.client, SANDBOX, &document()).await;
    turn(&served.client, SANDBOX, "2025-01-03T00:00:00Z").await;
    run(&served.client, 1, 20).await;
    turn(&served.client, SANDBOX, "2025-02-03T00:00:00Z").await;
    run(&served.client, 2, 10).await;
    turn(&served.client, SANDBOX, "2025-03-03T00:00:00Z").await;
    run(&served.client, 3, 5).await;
    let before = all(&served.client).await;
    served.stop().await;
    before
}

#[tokio::test]
async fn a_start_from_snapshots_finds_everything() {
    let folder = tempfile::tempdir().expect("a folder");
    let before = history(folder.path()).await;
    assert_eq!(files(folder.path(), ".snapshot").len(), 4);
    assert!(!files(folder.path(), "archive-0.sqlite").is_empty(), "closed months are archived");
    let served = Served::with_snapshots(folder.path()).await;
    assert_eq!(all(&served.client).await, before);
    // The open month goes on where it was.
    run(&served.client, 3, 5).await;
    assert_eq!(all(&served.client).await, before);
    served.stop().await;
    // Without any limits that apply, the same.
    let served = Served::in_folder(folder.path()).await;
    assert_eq!(all(&served.client).await, before);
    served.stop().await;
}

#[tokio::test]
async fn what_cannot_be_used_is_replayed() {
    let folder = tempfile::tempdir().expect("a folder");
    let before = history(folder.path()).await;
    for path in files(folder.path(), ".snapshot") {
        let mut bytes = fs::read(&path).expect("a snapshot");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&path, bytes).expect("a file");
    }
    let served = Served::with_snapshots(folder.path()).await;
    assert_eq!(all(&served.client).await, before);
    served.stop().await;

    // The archive is gone, and the snapshots know of it.
    for path in
        files(folder.path(), ".sqlite").into_iter().filter(|path| path.to_string_lossy().contains("archive-"))
    {
        fs::remove_file(path).expect("an archive");
    }
    let served = Served::with_snapshots(folder.path()).await;
    assert_eq!(all(&served.client).await, before);
    served.stop().await;

    // All of it is gone.
    for path in files(folder.path(), ".snapshot") {
        fs::remove_file(path).expect("a snapshot");
    }
    let served = Served::in_folder(folder.path()).await;
    assert_eq!(all(&served.client).await, before);
    served.stop().await;
}

#[tokio::test]
async fn a_replaced_sandbox_has_nothing_of_the_old_ones_months() {
    let folder = tempfile::tempdir().expect("a folder");
    history(folder.path()).await;
    // Limits that take no snapshot: the old ones stay, and know the old months' archive.
    let served = Served::in_folder(folder.path()).await;
    put(&served.client, SANDBOX, &document()).await;
    turn(&served.client, SANDBOX, "2025-01-03T00:00:00Z").await;
    run(&served.client, 1, 3).await;
    let before = records(&served.client).await;
    assert_eq!(before.len() as u64, BUYERS * 3);
    served.stop().await;
    let served = Served::in_folder(folder.path()).await;
    assert_eq!(records(&served.client).await, before);
    served.stop().await;
}

async fn records(client: &SoukClient) -> Vec<MeteredRecord> {
    client.all_metered_records(SANDBOX, &Default::default()).await.expect("a list")
}
