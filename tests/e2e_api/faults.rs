//! The faults of a sandbox by gRPC: set, listed, refused, and kept. What they do is shown where SDKs call.

use souk_client::SoukClient;
use souk_log::MemoryStore;
use souk_proto::fault::v1::fault_rule::Calls;
use souk_proto::fault::v1::{FaultCount, FaultKind, FaultRule};

use crate::served::Served;
use crate::words::{put, refused};

fn rule(operation: &str, calls: Option<Calls>, kind: FaultKind) -> FaultRule {
    FaultRule { operation: operation.to_owned(), calls, kind: kind.into(), ..FaultRule::default() }
}

fn rules() -> Vec<FaultRule> {
    vec![
        rule("BatchMeterUsage", Some(Calls::NthCall(2)), FaultKind::CutAfterCommit),
        rule("", Some(Calls::Probability(0.05)), FaultKind::Throttle),
    ]
}

async fn listed(client: &SoukClient, sandbox: &str) -> Vec<FaultCount> {
    client.list_faults(sandbox).await.expect("a list")
}

#[tokio::test]
async fn faults_are_set_listed_and_kept_when_the_server_starts_again() {
    let store = MemoryStore::new();
    let served = Served::on(&store, 4).await;
    for sandbox in ["one", "other"] {
        put(&served.client, sandbox, "description: empty").await;
    }
    let set = served.client.set_faults("one", rules()).await.expect("rules that are taken");
    let count = |rule| FaultCount { rule: Some(rule), calls: 0, struck: 0 };
    assert_eq!(set, rules().into_iter().map(count).collect::<Vec<_>>());
    assert_eq!(listed(&served.client, "one").await, set);
    assert_eq!(listed(&served.client, "other").await, []);
    served.stop().await;

    let served = Served::on(&store, 4).await;
    assert_eq!(listed(&served.client, "one").await, set);
    assert_eq!(served.client.set_faults("one", Vec::new()).await.expect("no rules"), []);
    assert_eq!(listed(&served.client, "one").await, []);
    served.stop().await;
}

#[tokio::test]
async fn rules_that_cannot_be_are_refused_by_their_field_and_change_nothing() {
    let served = Served::start().await;
    put(&served.client, "one", "description: empty").await;
    let set = served.client.set_faults("one", rules()).await.expect("rules that are taken");
    let throttle = FaultKind::Throttle;
    for (wrong, field) in [
        (rule("", None, FaultKind::Unspecified), "FIELD_MISSING faults[1].kind"),
        (rule("Meter", None, throttle), "FIELD_INVALID faults[1].operation"),
        (rule("", Some(Calls::NthCall(0)), throttle), "FIELD_INVALID faults[1].nthCall"),
        (rule("", Some(Calls::Probability(1.5)), throttle), "FIELD_INVALID faults[1].probability"),
        (rule("", None, FaultKind::Latency), "FIELD_MISSING faults[1].latency"),
        (FaultRule { records: Some(1), ..rule("", None, throttle) }, "FIELD_INVALID faults[1].records"),
        (rule("MeterUsage", None, FaultKind::UnprocessedRecords), "FIELD_INVALID faults[1].kind"),
    ] {
        let answer = served.client.set_faults("one", vec![rule("", None, throttle), wrong]).await;
        assert_eq!(refused(answer), format!("InvalidArgument {field}"));
    }
    let many = vec![rule("", None, throttle); 101];
    let answer = served.client.set_faults("one", many).await;
    assert_eq!(refused(answer), "InvalidArgument FIELD_INVALID faults");
    let nowhere = served.client.list_faults("none").await;
    assert_eq!(refused(nowhere), "NotFound SANDBOX_UNKNOWN sandbox");
    assert_eq!(listed(&served.client, "one").await, set);
    served.stop().await;
}
