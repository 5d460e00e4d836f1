//! The form of columns, at its limits and beyond.

use super::super::refusal;
use super::*;

fn units(rows: usize) -> Vec<u8> {
    (0..rows as u32).flat_map(u32::to_le_bytes).collect()
}

fn bytes<const N: usize, T>(values: &[T], to_bytes: impl Fn(&T) -> [u8; N]) -> Vec<u8> {
    values.iter().flat_map(to_bytes).collect()
}

fn message(rows: usize) -> proto::UsageColumns {
    proto::UsageColumns {
        lane: 0,
        handles: units(rows).into(),
        hour: Some(480_000),
        hours: Vec::new().into(),
        quantities: units(rows).into(),
        quantities_millionths: Vec::new().into(),
    }
}

#[test]
fn columns_that_do_not_fit_are_refused_by_their_field() {
    use Code::{ColumnsInvalid, FieldMissing, TooManyRecords};
    type Spoil = fn(&mut proto::UsageColumns);
    let spoils: [(Spoil, Code, &str); 13] = [
        (|m| m.handles.clear(), FieldMissing, "handles"),
        (|m| m.handles = units(ROWS_MAX + 1).into(), TooManyRecords, "handles"),
        (|m| m.handles = vec![0; 7].into(), ColumnsInvalid, "handles"),
        (|m| m.hour = None, FieldMissing, "hours"),
        (|m| m.hours = units(2).into(), ColumnsInvalid, "hours"),
        (|m| (m.hour, m.hours) = (None, vec![0; 9].into()), ColumnsInvalid, "hours"),
        (|m| (m.hour, m.hours) = (None, units(3).into()), ColumnsInvalid, "hours"),
        (|m| m.quantities.clear(), FieldMissing, "quantities"),
        (|m| m.quantities = units(1).into(), ColumnsInvalid, "quantities"),
        (|m| m.quantities = vec![0; 6].into(), ColumnsInvalid, "quantities"),
        (|m| m.quantities_millionths = vec![0; 16].into(), ColumnsInvalid, "quantities"),
        (
            |m| (m.quantities, m.quantities_millionths) = (Vec::new().into(), vec![0; 8].into()),
            ColumnsInvalid,
            "quantitiesMillionths",
        ),
        (
            |m| (m.quantities, m.quantities_millionths) = (Vec::new().into(), vec![0; 12].into()),
            ColumnsInvalid,
            "quantitiesMillionths",
        ),
    ];
    for (spoil, code, field) in spoils {
        let mut wrong = message(2);
        spoil(&mut wrong);
        assert_eq!(refusal(from_proto_columns(&wrong)), Some((code, field.to_owned())), "{wrong:?}");
    }
    for rows in [1, ROWS_MAX] {
        assert_eq!(from_proto_columns(&message(rows)).map(|columns| columns.rows()), Ok(rows));
    }
}

#[test]
fn the_first_quantity_above_the_limit_is_named() {
    let read = |quantities: Vec<u8>, quantities_millionths: Vec<u8>| {
        let message = proto::UsageColumns {
            quantities: quantities.into(),
            quantities_millionths: quantities_millionths.into(),
            ..message(3)
        };
        refusal(from_proto_columns(&message).unwrap().read_quantities())
    };
    let whole = |values: [u32; 3]| read(bytes(&values, |value| value.to_le_bytes()), Vec::new());
    let millionths = |values: [u64; 3]| read(Vec::new(), bytes(&values, |value| value.to_le_bytes()));
    let named = |field: &str| Some((Code::QuantityInvalid, field.to_owned()));
    assert_eq!(whole([0, 2_147_483_647, 1]), None);
    assert_eq!(whole([0, 2_147_483_648, u32::MAX]), named("quantities[1]"));
    assert_eq!(millionths([0, 9_999_999_999_999_999, 1]), None);
    assert_eq!(millionths([0, 1, 10_000_000_000_000_000]), named("quantitiesMillionths[2]"));
    assert_eq!(millionths([u64::MAX, 1, u64::MAX]), named("quantitiesMillionths[0]"));
}

#[test]
fn the_first_hour_outside_is_named() {
    let check = |hour: i32| match (10..=20).contains(&hour) {
        true => Ok(()),
        false => Err(Rejection::new(Code::TimestampOutOfBounds, "", "outside")),
    };
    let read = |hour, hours: &[i32]| {
        let hours = bytes(hours, |hour| hour.to_le_bytes()).into();
        let message = proto::UsageColumns { hour, hours, ..message(3) };
        refusal(from_proto_columns(&message).unwrap().read_hours(check))
    };
    let named = |field: &str| Some((Code::TimestampOutOfBounds, field.to_owned()));
    assert_eq!(read(Some(10), &[]), None);
    assert_eq!(read(Some(9), &[]), named("hour"));
    assert_eq!(read(None, &[10, 20, 15]), None);
    assert_eq!(read(None, &[10, 21, 9]), named("hours[1]"));
    assert_eq!(read(None, &[10, 20, -1]), named("hours[2]"));
    assert_eq!(read(None, &[i32::MIN, i32::MAX, 10]), named("hours[0]"));
}

#[test]
fn a_series_is_named_as_a_record_names_it() {
    use proto::series_name::Customer as Named;
    let name = || proto::SeriesName {
        product_code: "code".to_owned(),
        customer: Some(Named::CustomerAwsAccountId("123456789012".to_owned())),
        dimension: "users".to_owned(),
        region: String::new(),
    };
    let read = from_proto_series(&proto::OpenSeries { series: vec![name()] }).unwrap();
    let series = read.first().unwrap();
    assert_eq!((series.region.as_str(), series.dimension.as_str()), ("us-east-1", "users"));
    type Spoil = fn(&mut proto::SeriesName);
    let spoils: [(Spoil, Code, &str); 6] = [
        (|n| n.product_code.push(' '), Code::FieldInvalid, "productCode"),
        (|n| n.customer = None, Code::CustomerMissing, "customer"),
        (
            |n| n.customer = Some(Named::CustomerAwsAccountId("x".to_owned())),
            Code::FieldInvalid,
            "customerAwsAccountId",
        ),
        (|n| n.customer = Some(Named::LicenseArn("x".to_owned())), Code::LicenseInvalid, "licenseArn"),
        (|n| n.dimension.clear(), Code::FieldMissing, "dimension"),
        (|n| n.region = "mars".to_owned(), Code::FieldInvalid, "region"),
    ];
    for (spoil, code, field) in spoils {
        let mut wrong = name();
        spoil(&mut wrong);
        let message = proto::OpenSeries { series: vec![name(), wrong] };
        assert_eq!(refusal(from_proto_series(&message)), Some((code, format!("series[1].{field}"))));
    }
    let many = proto::OpenSeries { series: vec![name(); SERIES_MAX + 1] };
    assert_eq!(refusal(from_proto_series(&many)), Some((Code::TooManyRecords, "series".to_owned())));
    let none = proto::OpenSeries { series: Vec::new() };
    assert_eq!(refusal(from_proto_series(&none)), Some((Code::FieldMissing, "series".to_owned())));
}
