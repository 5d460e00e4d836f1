//! `meterInferences`: calls of a model.

use souk_client::INFERENCES_MAX;
use souk_proto::metering::v1::{Inference, MeterInferencesRequest};

use super::Kind;
use super::hours::{ANSWERS, Answers};
use crate::scenario::shape::{Args, Field, Named, Takes, maybe, needed};
use crate::scenario::world::{Playing, Stop, World};

const CALL: &[Field] = &[
    needed("id", Takes::Text, "What the call is called."),
    maybe("time", Takes::Time, "When; the step's time when absent."),
    needed("status", Takes::Count, "Its HTTP status."),
    maybe("units", Takes::Count, "Its ConsumedUnits header; one unit when absent."),
    maybe("answer", Takes::Word(ANSWERS), "What becomes of it; Success when absent."),
];

const FIELDS: &[Field] = &[
    needed("product", Takes::Named(Named::Product), "The product: its id, code or title."),
    needed("buyer", Takes::Named(Named::Account), "The account that called."),
    needed("dimension", Takes::Text, "The dimension's key."),
    maybe("region", Takes::Text, "Where the endpoint is; us-east-1 when absent."),
    needed("calls", Takes::Many(&Takes::Fields(CALL)), "The calls."),
];

pub const KIND: Kind = Kind {
    key: "meterInferences",
    about: "A buyer calls a model that is billed by its inferences.",
    takes: Takes::Fields(FIELDS),
    gives: None,
    check: |_, _| (),
    play,
};

fn play<'a>(world: &'a mut World, args: &'a Args) -> Playing<'a> {
    Box::pin(async move {
        let calls = args.list("calls");
        let mut answers = Answers::default();
        for some in calls.chunks(INFERENCES_MAX) {
            let number = |call: &Args, key| call.text(key).and_then(|text| text.parse().ok());
            let inference = |call: &&Args| Inference {
                inference_id: call.text("id").unwrap_or_default().to_owned(),
                call_time: Some(call.time("time").unwrap_or(world.now)),
                // What is too large for a status is refused by the server, in its words.
                status_code: number(call, "status")
                    .map_or(u32::MAX, |status: u64| u32::try_from(status).unwrap_or(u32::MAX)),
                consumed_units: number(call, "units"),
            };
            let request = MeterInferencesRequest {
                sandbox: world.sandbox.clone(),
                product_code: world.product_code(args.text("product").unwrap_or_default()),
                region: args.text("region").unwrap_or_default().to_owned(),
                buyer_account_id: world.names.account(args.text("buyer").unwrap_or_default()),
                dimension: args.text("dimension").unwrap_or_default().to_owned(),
                inferences: some.iter().map(inference).collect(),
            };
            let results = world.client.meter_inferences(request).await?;
            for (index, call) in some.iter().enumerate() {
                let said = (call.text("answer").unwrap_or("Success"), call.position("answer"));
                let result = results.iter().find(|result| usize::try_from(result.record_index) == Ok(index));
                let what = format!("call {}", call.text("id").unwrap_or_default());
                answers.take(said, &what, call.time("time").unwrap_or(world.now), result);
            }
        }
        match answers.into_differences() {
            differences if differences.is_empty() => Ok(None),
            differences => Err(Stop::Differs(differences)),
        }
    })
}
