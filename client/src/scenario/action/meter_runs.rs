//! `meterRuns`: from when until when pods, tasks or instances ran.

use souk_client::RUNS_MAX;
use souk_proto::metering::v1::{MeterRunsRequest, Run};

use super::Kind;
use super::hours::{ANSWERS, Answers};
use crate::scenario::reading::Reading;
use crate::scenario::shape::{Args, Field, Named, Takes, maybe, needed};
use crate::scenario::world::{Playing, Stop, World};

macro_rules! run_fields {
    ($($more:expr,)*) => {
        &[
            $($more,)*
            maybe("buyer", Takes::Named(Named::Account), "The account that ran it."),
            maybe("dimension", Takes::Text, "The dimension's key."),
            maybe("resource", Takes::Text, "The pod, task or instance."),
            maybe("count", Takes::Count, "So many at once: resource-1, resource-2 and so on."),
            maybe("from", Takes::Time, "Its first moment."),
            maybe("until", Takes::Time, "Its end; not part of it."),
            maybe("answer", Takes::Word(ANSWERS), "What becomes of it; Success when absent."),
        ]
    };
}

const RUN: &[Field] = run_fields!();
const OWN: [&str; 7] = ["buyer", "dimension", "resource", "count", "from", "until", "answer"];

const FIELDS: &[Field] = run_fields![
    needed("product", Takes::Named(Named::Product), "The product: its id, code or title."),
    maybe("region", Takes::Text, "Where they ran; us-east-1 when absent."),
    maybe("runs", Takes::Many(&Takes::Fields(RUN)), "Several runs, each with the keys of one."),
];

pub const KIND: Kind = Kind {
    key: "meterRuns",
    about: "From when until when something ran that is billed by the second or minute: one run, or several.",
    takes: Takes::Fields(FIELDS),
    gives: None,
    check,
    play,
};

fn check(reading: &mut Reading, args: &Args) {
    if args.has("runs") {
        for key in OWN.into_iter().filter(|key| args.has(key)) {
            let problem = format!("`runs` and `{key}` exclude each other");
            reading.error(args.position(key), problem, "write it in each run");
        }
    }
    for run in runs(args) {
        for key in ["buyer", "dimension", "resource", "from", "until"].into_iter().filter(|key| !run.has(key))
        {
            let remedy = "a run says its buyer, dimension and resource, from when and until when";
            reading.error(run.position, format!("`{key}` is missing"), remedy);
        }
    }
}

/// The runs: those of the list, or the one that the step itself is.
fn runs(args: &Args) -> Vec<&Args> {
    if args.has("runs") { args.list("runs") } else { vec![args] }
}

/// What one of them stands for: itself, or so many at once.
fn resources(args: &Args) -> Vec<String> {
    let resource = args.text("resource").unwrap_or_default();
    match args.text("count").and_then(|count| count.parse::<u32>().ok()) {
        None => vec![resource.to_owned()],
        Some(count) => (1..=count).map(|number| format!("{resource}-{number}")).collect(),
    }
}

fn play<'a>(world: &'a mut World, args: &'a Args) -> Playing<'a> {
    Box::pin(async move {
        let product_code = world.product_code(args.text("product").unwrap_or_default());
        let mut told: Vec<(&Args, Run)> = Vec::new();
        for run in runs(args) {
            let of = |resource: String| Run {
                buyer_account_id: world.names.account(run.text("buyer").unwrap_or_default()),
                dimension: run.text("dimension").unwrap_or_default().to_owned(),
                resource,
                start_time: run.time("from"),
                end_time: run.time("until"),
            };
            told.extend(resources(run).into_iter().map(|resource| (run, of(resource))));
        }
        let mut answers = Answers::default();
        for some in told.chunks(RUNS_MAX) {
            let request = MeterRunsRequest {
                sandbox: world.sandbox.clone(),
                product_code: product_code.clone(),
                region: args.text("region").unwrap_or_default().to_owned(),
                runs: some.iter().map(|(_, run)| run.clone()).collect(),
            };
            let results = world.client.meter_runs(request).await?;
            for (index, (args, run)) in some.iter().enumerate() {
                let said = (args.text("answer").unwrap_or("Success"), args.position("answer"));
                let result = results.iter().find(|result| usize::try_from(result.record_index) == Ok(index));
                answers.take(said, &run.resource, run.start_time.unwrap_or_default(), result);
            }
        }
        match answers.into_differences() {
            differences if differences.is_empty() => Ok(None),
            differences => Err(Stop::Differs(differences)),
        }
    })
}
