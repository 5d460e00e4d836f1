//! Clocks that would go back or be two things, and sandboxes that cannot be named.

use prost_types::{Duration, Timestamp};
use souk_proto::sandbox::v1::advance_clock_request::Target;
use souk_proto::sandbox::v1::clock_setting::Setting;
use souk_proto::sandbox::v1::put_sandbox_request::Source;
use souk_proto::sandbox::v1::sandbox_service_client::SandboxServiceClient;
use souk_proto::sandbox::v1::{
    AdvanceClockRequest, ClockSetting, FollowMachine, PutSandboxRequest, SandboxDocument, SetClockRequest,
};
use tonic_types::StatusExt;

use super::{SANDBOX, everything, is, start, unchanged};
use crate::words::{at, put, time_text};

#[tokio::test]
async fn a_clock_only_turns_forward() {
    let served = start().await;
    let client = &served.client;
    let before = everything(client).await;
    let by = |seconds, nanos| Target::By(Duration { seconds, nanos });
    let to = |seconds, nanos| Target::To(Timestamp { seconds, nanos });
    for (target, expected) in [
        (by(-1, 0), "FailedPrecondition CLOCK_BACKWARDS by"),
        (by(0, -1_000), "FailedPrecondition CLOCK_BACKWARDS by"),
        (by(1, -1), "InvalidArgument FIELD_INVALID by"),
        (by(i64::MAX, 0), "InvalidArgument FIELD_INVALID by"),
        (Target::To(at("2025-03-10T11:59:59Z")), "FailedPrecondition CLOCK_BACKWARDS to"),
        (to(-1, 0), "InvalidArgument FIELD_INVALID to"),
        (to(i64::MAX, 0), "InvalidArgument FIELD_INVALID to"),
        (to(253_402_300_800, 0), "InvalidArgument FIELD_INVALID to"),
    ] {
        is(client.advance_clock(SANDBOX, target).await, expected);
    }
    is(
        client.set_clock(SANDBOX, Setting::At(at("2025-03-10T11:59:59Z"))).await,
        "FailedPrecondition CLOCK_BACKWARDS clock.at",
    );
    is(client.advance_clock("nowhere", by(1, 0)).await, "NotFound SANDBOX_UNKNOWN sandbox");
    is(
        client.set_clock("nowhere", Setting::Follow(FollowMachine {})).await,
        "NotFound SANDBOX_UNKNOWN sandbox",
    );
    unchanged(served, &before).await;
}

#[tokio::test]
async fn a_clock_that_follows_the_machines_is_not_turned() {
    let served = start().await;
    let client = &served.client;
    put(client, "follows", "clock: {follow: {}}").await;
    let to = Target::To(at("2030-01-01T00:00:00Z"));
    is(client.advance_clock("follows", to).await, "FailedPrecondition CLOCK_FOLLOWING");
    let by = Target::By(Duration { seconds: 1, nanos: 0 });
    is(client.advance_clock("follows", by).await, "FailedPrecondition CLOCK_FOLLOWING");

    // A clock ahead of the machine's cannot begin to follow it.
    put(client, "ahead", "clock: {at: 2030-01-01T00:00:00Z}").await;
    is(
        client.set_clock("ahead", Setting::Follow(FollowMachine {})).await,
        "FailedPrecondition CLOCK_BACKWARDS clock.follow",
    );
    assert_eq!(time_text(client.get_clock("ahead").await.expect("a clock").now), "2030-01-01T00:00:00Z");
    served.stop().await;
}

#[tokio::test]
async fn a_clock_without_a_target_or_a_setting_is_not_touched() {
    let served = start().await;
    let before = everything(&served.client).await;
    let mut service = SandboxServiceClient::connect(served.endpoint.clone()).await.expect("a server");
    let told = |status: tonic::Status| {
        let reason = status.get_details_error_info().expect("a reason").reason;
        let fields = status.get_details_bad_request().expect("a field").field_violations;
        format!("{:?} {reason} {}", status.code(), fields[0].field)
    };
    let sandbox = SANDBOX.to_owned();
    let advance = AdvanceClockRequest { sandbox: sandbox.clone(), target: None };
    let status = service.advance_clock(advance).await.expect_err("no target");
    assert_eq!(told(status), "InvalidArgument FIELD_MISSING target");
    for clock in [None, Some(ClockSetting { setting: None })] {
        let status = service.set_clock(SetClockRequest { sandbox: sandbox.clone(), clock }).await;
        assert_eq!(told(status.expect_err("no setting")), "InvalidArgument FIELD_MISSING clock");
    }
    let put = PutSandboxRequest { sandbox, source: None };
    let status = service.put_sandbox(put).await.expect_err("no document");
    assert_eq!(told(status), "InvalidArgument FIELD_MISSING document");
    unchanged(served, &before).await;
}

#[tokio::test]
async fn a_sandbox_has_the_name_of_a_host_and_must_be_there() {
    let served = start().await;
    let client = &served.client;
    let before = everything(client).await;
    let long = "a".repeat(64);
    for name in ["Upper", "-a", "a-", "a_b", "a.b", "a b", "ä", &long] {
        let empty = Source::Document(SandboxDocument::default());
        is(client.put_sandbox(name, empty).await, "InvalidArgument FIELD_INVALID sandbox");
        is(client.get_sandbox(name).await, "InvalidArgument FIELD_INVALID sandbox");
        is(client.delete_sandbox(name).await, "InvalidArgument FIELD_INVALID sandbox");
    }
    let empty = Source::Document(SandboxDocument::default());
    is(client.put_sandbox("", empty).await, "InvalidArgument FIELD_MISSING sandbox");
    is(client.get_sandbox("nowhere").await, "NotFound SANDBOX_UNKNOWN sandbox");
    is(client.delete_sandbox("nowhere").await, "NotFound SANDBOX_UNKNOWN sandbox");
    assert_eq!(client.all_sandboxes().await.expect("a list").len(), 1);
    unchanged(served, &before).await;
}
