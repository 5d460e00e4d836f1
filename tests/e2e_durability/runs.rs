//! Runs and inferences across restarts: from the log, and from a snapshot that holds them.

use std::path::Path;

use souk_client::SoukClient;
use souk_client::proto::metering::v1::UsageRecordStatus::{self, DuplicateRecord, Success};
use souk_client::proto::metering::v1::{
    Inference, MeterInferencesRequest, MeterRunsRequest, Run, UsageRecordResult,
};

use crate::served::Served;
use crate::words::{at, invoices, invoices_text, preview, put, turn};

const SANDBOX: &str = "default";
const BUYER: &str = "000000000201";
const DOCUMENT: &str = "
clock: {at: 2025-03-10T12:00:00Z}
accounts:
  - {accountId: 111122223333, seller: {}}
  - {accountId: 000000000201}
products:
  - productId: prod-a
    productCode: podcode
    title: A
    sellerAccountId: 111122223333
    productType: CONTAINER
    dimensions: [{key: pod, types: [METERED], billedBy: SECOND}]
  - productId: prod-b
    productCode: modelcode
    title: B
    sellerAccountId: 111122223333
    productType: MACHINE_LEARNING
    dimensions: [{key: call, types: [METERED], billedBy: INFERENCE}]
offers:
  - {offerId: offer-a, productId: prod-a, terms: [{usageBasedPricing: {rateCard: {pod: 6.00}}}]}
  - {offerId: offer-b, productId: prod-b, terms: [{usageBasedPricing: {rateCard: {call: 0.50}}}]}
agreements:
  - {offerId: offer-a, buyerAccountId: 000000000201, acceptanceTime: 2025-03-01T00:00:00Z}
  - {offerId: offer-b, buyerAccountId: 000000000201, acceptanceTime: 2025-03-01T00:00:00Z}
";

async fn tell(client: &SoukClient, until: &str) -> UsageRecordResult {
    let run = Run {
        buyer_account_id: BUYER.to_owned(),
        dimension: "pod".to_owned(),
        resource: "pod-1".to_owned(),
        start_time: Some(at("2025-03-10T10:00:05Z")),
        end_time: Some(at(until)),
    };
    let request = MeterRunsRequest {
        sandbox: SANDBOX.to_owned(),
        product_code: "podcode".to_owned(),
        region: String::new(),
        runs: vec![run],
    };
    client.meter_runs(request).await.expect("an answer").remove(0)
}

async fn call(client: &SoukClient, units: u64) -> UsageRecordStatus {
    let inference = Inference {
        inference_id: "one".to_owned(),
        call_time: Some(at("2025-03-10T10:00:00Z")),
        status_code: 200,
        consumed_units: Some(units),
    };
    let request = MeterInferencesRequest {
        sandbox: SANDBOX.to_owned(),
        product_code: "modelcode".to_owned(),
        region: String::new(),
        buyer_account_id: BUYER.to_owned(),
        dimension: "call".to_owned(),
        inferences: vec![inference],
    };
    client.meter_inferences(request).await.expect("an answer").remove(0).status()
}

/// Starts a server on the folder, with snapshots or without.
async fn start(folder: &Path, snapshots: bool) -> Served {
    match snapshots {
        true => Served::with_snapshots(folder).await,
        false => Served::in_folder(folder).await,
    }
}

#[tokio::test]
async fn what_was_told_counts_once_across_restarts() {
    for snapshots in [false, true] {
        let folder = tempfile::tempdir().expect("a folder");
        let served = start(folder.path(), snapshots).await;
        put(&served.client, SANDBOX, DOCUMENT).await;
        let first = tell(&served.client, "2025-03-10T10:20:35Z").await;
        assert_eq!(first.status(), Success);
        assert_eq!(call(&served.client, 3).await, Success);
        let before = invoices_text(&preview(&served.client, SANDBOX, BUYER, "2025-03").await);
        served.stop().await;
        let is_kept = std::fs::read_dir(folder.path())
            .expect("a folder")
            .any(|file| file.expect("a file").path().extension().is_some_and(|e| e == "snapshot"));
        assert_eq!(is_kept, snapshots);

        let served = start(folder.path(), snapshots).await;
        assert_eq!(tell(&served.client, "2025-03-10T10:20:35Z").await, first);
        assert_eq!(tell(&served.client, "2025-03-10T10:20:36Z").await.status(), DuplicateRecord);
        assert_eq!(call(&served.client, 3).await, Success);
        assert_eq!(call(&served.client, 4).await, DuplicateRecord);
        let after = invoices_text(&preview(&served.client, SANDBOX, BUYER, "2025-03").await);
        assert_eq!(after, before);
        turn(&served.client, SANDBOX, "2025-04-02T00:00:00Z").await;
        let amounts: Vec<_> = invoices(&served.client, SANDBOX, "", "2025-03")
            .await
            .into_iter()
            .flat_map(|invoice| invoice.lines)
            .map(|line| line.amount)
            .collect();
        assert_eq!(amounts, ["2.05", "1.50"]);
        served.stop().await;

        // The month is archived, and its hours explain the line.
        let served = start(folder.path(), snapshots).await;
        let issued = invoices(&served.client, SANDBOX, "", "2025-03").await;
        let explained = served.client.explain_whole_line(SANDBOX, &issued[0].invoice_id, 1).await;
        let hours = explained.expect("a line").hours;
        let found: Vec<_> = hours.iter().map(|hour| &*hour.records[0].resource).collect();
        assert_eq!((found, &*hours[0].billed_quantity), (vec!["pod-1"], "1230"));
        served.stop().await;
    }
}
