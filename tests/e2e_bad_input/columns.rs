//! Columns that are refused as a whole, on a stream that goes on.

use souk_proto::metering::v1::series_name::Customer;
use souk_proto::metering::v1::stream_columns_request::Message;
use souk_proto::metering::v1::stream_columns_response::Answer;
use souk_proto::metering::v1::{OpenColumns, OpenSeries, SeriesName, UsageColumns};
use tonic::Code;

use super::{BUYER, NOBODY, OTHER, SANDBOX, everything, start, unchanged};
use crate::columns::{RawStream, columns, hour, packed, series, text};
use crate::words::{put, turn};

const HOUR: &str = "2025-03-10T11:00:00Z";

#[tokio::test]
async fn columns_that_are_wrong_anywhere_meter_nothing_and_the_stream_goes_on() {
    let served = start().await;
    let mut stream = RawStream::open(&served.endpoint, SANDBOX).await;
    let mut other = RawStream::open(&served.endpoint, SANDBOX).await;
    let names = || vec![series("saascode", BUYER, "users"), series("saascode", BUYER, "data")];
    let opened = stream.series(names()).await;
    let of_other = other.series(names()).await;
    let (lane, handle) = (opened[0].lane, opened[0].handle);
    let before = everything(&served.client).await;

    let good = || columns(lane, hour(HOUR), &[(handle, 5), (opened[1].handle, 7)]);
    let hours = |hours: [i32; 2]| hours.iter().flat_map(|hour| hour.to_le_bytes()).collect::<Vec<_>>();
    let at = |text: &str| columns(lane, hour(text), &[(handle, 5)]);
    let wide = |millionths: [u64; 2]| UsageColumns {
        quantities: Vec::new().into(),
        quantities_millionths: millionths
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect::<Vec<_>>()
            .into(),
        ..good()
    };
    let with = |change: fn(&mut UsageColumns)| {
        let mut columns = good();
        change(&mut columns);
        columns
    };
    let of_hours = |each| UsageColumns { hour: None, hours: hours(each).into(), ..good() };
    let many = vec![(handle, 1); 65_537];
    let mut rows = vec![
        (UsageColumns { lane: 4, ..good() }, "FIELD_INVALID columns.lane"),
        (UsageColumns { lane: (lane + 1) % 4, ..good() }, "SERIES_HANDLE_UNKNOWN columns.handles[0]"),
        (columns(lane, hour(HOUR), &[(handle, 1), (0, 1)]), "SERIES_HANDLE_UNKNOWN columns.handles[1]"),
        (columns(lane, hour(HOUR), &[(handle + 2, 1)]), "SERIES_HANDLE_UNKNOWN columns.handles[0]"),
        (
            columns(lane, hour(HOUR), &[(handle, 1), (of_other[0].handle, 1)]),
            "SERIES_HANDLE_UNKNOWN columns.handles[1]",
        ),
        (with(|c| c.handles.clear()), "FIELD_MISSING columns.handles"),
        (with(|c| c.handles.truncate(7)), "COLUMNS_INVALID columns.handles"),
        (with(|c| c.hour = None), "FIELD_MISSING columns.hours"),
        (with(|c| c.hours = packed(&[0, 0]).into()), "COLUMNS_INVALID columns.hours"),
        (with(|c| c.quantities.clear()), "FIELD_MISSING columns.quantities"),
        (with(|c| c.quantities.truncate(4)), "COLUMNS_INVALID columns.quantities"),
        (with(|c| c.quantities_millionths = vec![0; 16].into()), "COLUMNS_INVALID columns.quantities"),
        (with(|c| c.quantities = packed(&[1, 1 << 31]).into()), "QUANTITY_INVALID columns.quantities[1]"),
        (wide([0, 10_000_000_000_000_000]), "QUANTITY_INVALID columns.quantitiesMillionths[1]"),
        // Exactly 24 hours old, the coming hour, and the month before.
        (at("2025-03-09T12:00:00Z"), "TIMESTAMP_OUT_OF_BOUNDS columns.hour"),
        (at("2025-03-10T13:00:00Z"), "TIMESTAMP_OUT_OF_BOUNDS columns.hour"),
        (at("2025-02-28T23:00:00Z"), "TIMESTAMP_OUT_OF_BOUNDS columns.hour"),
        (of_hours([hour(HOUR), i32::MIN]), "TIMESTAMP_OUT_OF_BOUNDS columns.hours[1]"),
        (of_hours([hour(HOUR), hour(HOUR) + 2]), "TIMESTAMP_OUT_OF_BOUNDS columns.hours[1]"),
    ];
    rows.push((columns(lane, hour(HOUR), &many), "TOO_MANY_RECORDS columns.handles"));
    for (message, expected) in rows {
        assert_eq!(stream.refused(Message::Columns(message)).await, expected);
    }
    stream.send(None).await;
    assert_eq!(stream.next_refused().await, "FIELD_MISSING message");
    assert!(everything(&served.client).await == before, "a refused message changed something");

    // Both streams go on, and the limits themselves are taken.
    assert_eq!(text(&stream.meter(good()).await), "2 0");
    let theirs = columns(of_other[0].lane, hour(HOUR), &[(of_other[0].handle, 5)]);
    assert_eq!(text(&other.meter(theirs).await), "0 1");
    let first_hour = "2025-03-09T13:00:00Z";
    let widest = vec![(handle, 2_147_483_647); 65_536];
    assert_eq!(text(&stream.meter(columns(lane, hour(first_hour), &widest)).await), "1 65535");
    drop(stream);
    drop(other);
    served.stop().await;
}

#[tokio::test]
async fn series_that_cannot_be_metered_are_refused_by_name() {
    let served = start().await;
    let mut stream = RawStream::open(&served.endpoint, SANDBOX).await;
    let before = everything(&served.client).await;
    let named =
        |customer: Customer| SeriesName { customer: Some(customer), ..series("saascode", BUYER, "users") };
    let licence = |arn: &str| Customer::LicenseArn(arn.to_owned());
    let unknown_licence = "arn:aws:license-manager::294406891311:license:l-0";
    let region = SeriesName { region: "mars".to_owned(), ..series("saascode", BUYER, "users") };
    for (name, expected) in [
        (series("nocode", BUYER, "users"), "PRODUCT_UNKNOWN openSeries.series[1].productCode"),
        (series("no code", BUYER, "users"), "FIELD_INVALID openSeries.series[1].productCode"),
        (series("", BUYER, "users"), "FIELD_INVALID openSeries.series[1].customer"),
        (series("saascode", "Acme", "users"), "FIELD_INVALID openSeries.series[1].customerAwsAccountId"),
        (series("saascode", "", "users"), "CUSTOMER_MISSING openSeries.series[1].customer"),
        (series("saascode", BUYER, ""), "FIELD_MISSING openSeries.series[1].dimension"),
        (series("saascode", BUYER, "flights"), "DIMENSION_UNKNOWN openSeries.series[1].dimension"),
        (series("contractcode", BUYER, "seats"), "DIMENSION_UNKNOWN openSeries.series[1].dimension"),
        (
            named(Customer::CustomerIdentifier("zzzzzzzzzzzzz".to_owned())),
            "CUSTOMER_IDENTIFIER_UNKNOWN openSeries.series[1].customerIdentifier",
        ),
        (named(licence("l-0")), "LICENSE_INVALID openSeries.series[1].licenseArn"),
        (named(licence(unknown_licence)), "FIELD_INVALID openSeries.series[1].customer"),
        (
            SeriesName { product_code: String::new(), ..named(licence(unknown_licence)) },
            "LICENSE_INVALID openSeries.series[1].licenseArn",
        ),
        (region, "FIELD_INVALID openSeries.series[1].region"),
    ] {
        let series = vec![series("saascode", BUYER, "users"), name];
        assert_eq!(stream.refused(Message::OpenSeries(OpenSeries { series })).await, expected);
    }
    let many = vec![series("saascode", BUYER, "users"); 5_001];
    for (series, expected) in
        [(Vec::new(), "FIELD_MISSING openSeries.series"), (many, "TOO_MANY_RECORDS openSeries.series")]
    {
        assert_eq!(stream.refused(Message::OpenSeries(OpenSeries { series })).await, expected);
    }
    // Who has no agreement is told so, series by series.
    let strangers = [OTHER, NOBODY, "7"].map(|buyer| series("saascode", buyer, "users"));
    for opened in stream.series(strangers.to_vec()).await {
        assert_eq!(opened.status().as_str_name(), "USAGE_RECORD_STATUS_CUSTOMER_NOT_SUBSCRIBED");
        assert_eq!((opened.handle, opened.lane), (0, 0));
    }
    drop(stream);
    unchanged(served, &before).await;
}

#[tokio::test]
async fn a_stream_is_opened_once_and_first() {
    let served = start().await;
    let mut stream = RawStream::start(&served.endpoint).await;
    let open = |sandbox: &str| Message::Open(OpenColumns { sandbox: sandbox.to_owned() });
    for (message, expected) in [
        (Message::Columns(UsageColumns::default()), "STREAM_NOT_OPEN open"),
        (Message::OpenSeries(OpenSeries::default()), "STREAM_NOT_OPEN open"),
        (open(""), "FIELD_MISSING open.sandbox"),
        (open("Bad_Name"), "FIELD_INVALID open.sandbox"),
        (open("nowhere"), "SANDBOX_UNKNOWN open.sandbox"),
    ] {
        assert_eq!(stream.refused(message).await, expected);
    }
    match stream.ask(open(SANDBOX)).await {
        Answer::Opened(opened) => assert_eq!((opened.lanes, opened.rows_max), (4, 65_536)),
        other => panic!("{other:?}"),
    }
    assert_eq!(stream.refused(open(SANDBOX)).await, "STREAM_NOT_OPEN open");
    // Nothing gives credit before the stream is open; the refusal after it gives back its own.
    assert_eq!(stream.credits, [0, 0, 0, 0, 0, 16, 1]);
    drop(stream);
    served.stop().await;
}

#[tokio::test]
async fn a_message_beyond_the_limit_ends_its_stream_with_a_clear_status() {
    let served = start().await;
    let mut stream = RawStream::open(&served.endpoint, SANDBOX).await;
    let handles = vec![0; 9 * 1024 * 1024].into();
    stream.send(Some(Message::Columns(UsageColumns { handles, ..UsageColumns::default() }))).await;
    let status = stream.try_next().await.expect_err("no answer");
    assert_eq!(status.code(), Code::OutOfRange, "{status}");
    assert!(status.message().contains("9437184"), "{status}");
    drop(stream);
    served.stop().await;
}

#[tokio::test]
async fn handles_of_a_sandbox_that_was_replaced_or_deleted_are_refused() {
    let served = start().await;
    let client = &served.client;
    let mut stream = RawStream::open(&served.endpoint, SANDBOX).await;
    let name = || vec![series("saascode", BUYER, "users")];
    let old = stream.series(name()).await[0];
    let rows = |series: souk_proto::metering::v1::OpenedSeries| {
        Message::Columns(columns(series.lane, hour(HOUR), &[(series.handle, 5)]))
    };
    put(client, SANDBOX, super::DOCUMENT).await;
    let before = everything(client).await;
    assert_eq!(stream.refused(rows(old)).await, "SERIES_HANDLE_UNKNOWN columns.handles");
    assert!(everything(client).await == before, "a refused message changed something");
    // Opened again it has another handle, and the old one stays void.
    let new = stream.series(name()).await[0];
    assert_ne!(new.handle, old.handle);
    assert_eq!(stream.refused(rows(old)).await, "SERIES_HANDLE_UNKNOWN columns.handles[0]");
    assert!(
        matches!(stream.ask(rows(new)).await, Answer::Acknowledged(acknowledged) if text(&acknowledged) == "1 0")
    );

    client.delete_sandbox(SANDBOX).await.expect("a sandbox");
    assert_eq!(stream.refused(rows(new)).await, "SANDBOX_UNKNOWN sandbox");
    put(client, SANDBOX, super::DOCUMENT).await;
    assert_eq!(stream.refused(rows(new)).await, "SERIES_HANDLE_UNKNOWN columns.handles");
    // A turned clock changes no handle.
    let newest = stream.series(name()).await[0];
    turn(client, SANDBOX, "2025-03-10T12:30:00Z").await;
    assert!(matches!(stream.ask(rows(newest)).await, Answer::Acknowledged(_)));
    drop(stream);
    served.stop().await;
}
