//! Runs and inferences: the form of their fields.

use souk_core::ids::{AccountId, MeteringResource};
use souk_core::metering::{InferencesRequest, NamedInference, NamedRun, Run, RunsRequest};
use souk_core::rejection::Rejection;
use souk_core::rules::MAX_STREAM_RECORDS;
use souk_proto::metering::v1 as proto;

use super::super::time::from_proto_time;
use super::super::{required, required_text};
use super::{
    check_count, check_length, from_proto_dimension_key, from_proto_product_code, from_proto_region,
};

/// Reads runs, 1 to 5,000.
///
/// # Errors
/// The first field that does not have its form; nothing of the request is taken then.
pub fn from_proto_runs(request: &proto::MeterRunsRequest) -> Result<RunsRequest, Rejection> {
    let product_code =
        required(from_proto_product_code(&request.product_code, "productCode")?, "productCode")?;
    let region = from_proto_region(&request.region, "region")?;
    check_count(request.runs.len(), MAX_STREAM_RECORDS, "runs")?;
    let mut runs = Vec::with_capacity(request.runs.len());
    for (index, run) in request.runs.iter().enumerate() {
        runs.push(from_proto_run(run).map_err(|r| r.within(&format!("runs[{index}]")))?);
    }
    Ok(RunsRequest { product_code, region, runs })
}

fn from_proto_run(run: &proto::Run) -> Result<NamedRun, Rejection> {
    let buyer = AccountId::from_field(&run.buyer_account_id, "buyerAccountId")?;
    let dimension = from_proto_dimension_key(&run.dimension, "dimension")?;
    check_length(required_text(&run.resource, "resource")?, "resource")?;
    let from = from_proto_time(run.start_time, "startTime")?;
    let until = from_proto_time(run.end_time, "endTime")?;
    let resource = MeteringResource::new(&run.resource);
    Ok(NamedRun { buyer, dimension, resource, run: Run { from, until } })
}

/// Reads inferences, 1 to 5,000.
///
/// # Errors
/// The first field that does not have its form; nothing of the request is taken then.
pub fn from_proto_inferences(
    request: &proto::MeterInferencesRequest,
) -> Result<InferencesRequest, Rejection> {
    let product_code =
        required(from_proto_product_code(&request.product_code, "productCode")?, "productCode")?;
    let region = from_proto_region(&request.region, "region")?;
    let buyer = AccountId::from_field(&request.buyer_account_id, "buyerAccountId")?;
    let dimension = from_proto_dimension_key(&request.dimension, "dimension")?;
    check_count(request.inferences.len(), MAX_STREAM_RECORDS, "inferences")?;
    let mut calls = Vec::with_capacity(request.inferences.len());
    for (index, call) in request.inferences.iter().enumerate() {
        calls.push(from_proto_inference(call).map_err(|r| r.within(&format!("inferences[{index}]")))?);
    }
    Ok(InferencesRequest { product_code, region, buyer, dimension, calls })
}

fn from_proto_inference(call: &proto::Inference) -> Result<NamedInference, Rejection> {
    Ok(NamedInference {
        name: required_text(&call.inference_id, "inferenceId")?.to_owned(),
        at: from_proto_time(call.call_time, "callTime")?,
        status: call.status_code,
        consumed_units: call.consumed_units,
    })
}

#[cfg(test)]
mod tests {
    use souk_core::rejection::Code::{self, FieldInvalid, FieldMissing, TooManyRecords};

    use super::super::super::refusal;
    use super::*;

    fn at(seconds: i64) -> Option<prost_types::Timestamp> {
        Some(prost_types::Timestamp { seconds, nanos: 0 })
    }

    fn runs() -> proto::MeterRunsRequest {
        proto::MeterRunsRequest {
            sandbox: "s".to_owned(),
            product_code: "code".to_owned(),
            region: "eu-west-1".to_owned(),
            runs: vec![proto::Run {
                buyer_account_id: "123456789012".to_owned(),
                dimension: "pods".to_owned(),
                resource: "pod-1".to_owned(),
                start_time: at(3_605),
                end_time: at(4_835),
            }],
        }
    }

    fn inferences() -> proto::MeterInferencesRequest {
        proto::MeterInferencesRequest {
            sandbox: "s".to_owned(),
            product_code: "code".to_owned(),
            region: String::new(),
            buyer_account_id: "123456789012".to_owned(),
            dimension: "calls".to_owned(),
            inferences: vec![proto::Inference {
                inference_id: "one".to_owned(),
                call_time: at(3_605),
                status_code: 200,
                consumed_units: Some(3),
            }],
        }
    }

    #[test]
    fn runs_are_read_field_by_field() {
        let read = from_proto_runs(&runs()).unwrap();
        assert_eq!((read.product_code.as_str(), read.region.as_str()), ("code", "eu-west-1"));
        let NamedRun { buyer, dimension, resource, run } = &read.runs[0];
        assert_eq!(
            (buyer.number(), dimension.as_str(), resource.as_str()),
            (123_456_789_012, "pods", "pod-1")
        );
        assert_eq!(run.seconds(), 1_230);
        type Spoil = fn(&mut proto::MeterRunsRequest);
        let spoils: [(Spoil, Code, &str); 9] = [
            (|r| r.product_code.clear(), FieldMissing, "productCode"),
            (|r| r.region.push(' '), FieldInvalid, "region"),
            (|r| r.runs.clear(), FieldMissing, "runs"),
            (|r| r.runs[0].buyer_account_id.push('0'), FieldInvalid, "runs[0].buyerAccountId"),
            (|r| r.runs[0].dimension.clear(), FieldMissing, "runs[0].dimension"),
            (|r| r.runs[0].resource.clear(), FieldMissing, "runs[0].resource"),
            (|r| r.runs[0].resource = "p".repeat(256), FieldInvalid, "runs[0].resource"),
            (|r| r.runs[0].start_time = None, FieldMissing, "runs[0].startTime"),
            (|r| r.runs[0].end_time = None, FieldMissing, "runs[0].endTime"),
        ];
        for (spoil, code, field) in spoils {
            let mut wrong = runs();
            spoil(&mut wrong);
            assert_eq!(refusal(from_proto_runs(&wrong)), Some((code, field.to_owned())));
        }
        let mut many = runs();
        many.runs = vec![many.runs[0].clone(); MAX_STREAM_RECORDS + 1];
        assert_eq!(refusal(from_proto_runs(&many)), Some((TooManyRecords, "runs".to_owned())));
    }

    #[test]
    fn inferences_are_read_field_by_field() {
        let read = from_proto_inferences(&inferences()).unwrap();
        assert_eq!((read.dimension.as_str(), read.region.as_str()), ("calls", "us-east-1"));
        let call = &read.calls[0];
        assert_eq!((call.name.as_str(), call.status, call.consumed_units), ("one", 200, Some(3)));
        type Spoil = fn(&mut proto::MeterInferencesRequest);
        let spoils: [(Spoil, Code, &str); 6] = [
            (|r| r.product_code.clear(), FieldMissing, "productCode"),
            (|r| r.buyer_account_id.clear(), FieldMissing, "buyerAccountId"),
            (|r| r.dimension.clear(), FieldMissing, "dimension"),
            (|r| r.inferences.clear(), FieldMissing, "inferences"),
            (|r| r.inferences[0].inference_id.clear(), FieldMissing, "inferences[0].inferenceId"),
            (|r| r.inferences[0].call_time = None, FieldMissing, "inferences[0].callTime"),
        ];
        for (spoil, code, field) in spoils {
            let mut wrong = inferences();
            spoil(&mut wrong);
            assert_eq!(refusal(from_proto_inferences(&wrong)), Some((code, field.to_owned())));
        }
        let mut many = inferences();
        many.inferences = vec![many.inferences[0].clone(); MAX_STREAM_RECORDS + 1];
        assert_eq!(refusal(from_proto_inferences(&many)), Some((TooManyRecords, "inferences".to_owned())));
    }
}
