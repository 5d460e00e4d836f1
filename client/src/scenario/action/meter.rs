//! `meter`: usage records, as BatchMeterUsage takes them.

use souk_client::BATCH_RECORDS_MAX;
use souk_proto::metering::v1::usage_record::Customer;
use souk_proto::metering::v1::{BatchMeterUsageRequest, UsageRecord};

use super::Kind;
use super::hours::{self, ANSWERS, Answers};
use crate::scenario::reading::Reading;
use crate::scenario::shape::{Args, Field, Named, Takes, maybe};
use crate::scenario::world::{Playing, Stop, World};

macro_rules! record_fields {
    ($($more:expr,)*) => {
        &[
            $($more,)*
            maybe("buyer", Takes::Named(Named::Account), "Who used it."),
            maybe("customerIdentifier", Takes::Text, "Or the buyer's legacy identifier."),
            maybe("agreement", Takes::Named(Named::Agreement), "Or the agreement, whose licence the record names; then without a product."),
            maybe("dimension", Takes::Text, "The dimension's key."),
            maybe("quantity", Takes::Decimal, "How much."),
            maybe("time", Takes::Time, "When; the step's time when absent."),
            maybe("from", Takes::Time, "Instead of a time: the first of many hours, with a record in each."),
            maybe("until", Takes::Time, "The end of the hours; not part of them."),
            maybe("hourly", Takes::Hourly, "Instead of a quantity: one for each hour from `from` on; `~` for none."),
            maybe("answer", Takes::Word(ANSWERS), "How AWS answers the record; Success when absent."),
        ]
    };
}

const RECORD: &[Field] = record_fields!();

const FIELDS: &[Field] = record_fields![
    maybe("product", Takes::Named(Named::Product), "The product: its id, code or title."),
    maybe("region", Takes::Text, "The region that meters; us-east-1 when absent."),
    maybe(
        "records",
        Takes::Many(&Takes::Fields(RECORD)),
        "Several records of one request, each with the keys of one."
    ),
];

pub const KIND: Kind = Kind {
    key: "meter",
    about: "A seller sends usage records: one, several in one request, or one in every hour of a time.",
    takes: Takes::Fields(FIELDS),
    gives: None,
    check,
    play,
};

fn check(reading: &mut Reading, args: &Args) {
    if args.has("records") {
        let own = [
            "buyer",
            "customerIdentifier",
            "agreement",
            "dimension",
            "quantity",
            "time",
            "from",
            "hourly",
            "answer",
        ];
        for key in own.into_iter().filter(|key| args.has(key)) {
            let problem = format!("`records` and `{key}` exclude each other");
            reading.error(args.position(key), problem, "write it in each record");
        }
    }
    for record in records(args) {
        if !record.has("dimension") {
            let remedy = "a record says its dimension";
            reading.error(record.position, "`dimension` is missing".to_owned(), remedy);
        }
        let customers = ["buyer", "customerIdentifier", "agreement"];
        if customers.into_iter().filter(|key| record.has(key)).count() != 1 {
            let remedy = "say one of `buyer:`, `customerIdentifier:` and `agreement:`";
            reading.error(record.position, "it is not said who used it".to_owned(), remedy);
        }
        hours::check(reading, record, "quantity");
    }
}

/// The records: those of the list, or the one that the step itself is.
fn records(args: &Args) -> Vec<&Args> {
    if args.has("records") { args.list("records") } else { vec![args] }
}

fn play<'a>(world: &'a mut World, args: &'a Args) -> Playing<'a> {
    Box::pin(async move {
        let product_code = args.text("product").map(|text| world.product_code(text)).unwrap_or_default();
        let region = args.text("region").unwrap_or_default();
        let mut sent: Vec<(&Args, &str, UsageRecord)> = Vec::new();
        for record in records(args) {
            let customer = customer(world, record).await?;
            for (time, amount) in hours::of(record, "quantity", world.now) {
                let (quantity, quantity_as_decimal) = quantity(amount);
                let usage = UsageRecord {
                    timestamp: Some(time),
                    customer: Some(customer.clone()),
                    dimension: record.text("dimension").unwrap_or_default().to_owned(),
                    quantity,
                    quantity_as_decimal,
                    usage_allocations: Vec::new(),
                };
                sent.push((record, amount, usage));
            }
        }
        let mut answers = Answers::default();
        for batch in sent.chunks(BATCH_RECORDS_MAX) {
            let request = BatchMeterUsageRequest {
                sandbox: world.sandbox.clone(),
                product_code: product_code.clone(),
                region: region.to_owned(),
                usage_records: batch.iter().map(|(_, _, usage)| usage.clone()).collect(),
            };
            let results = world.client.batch_meter_usage(request).await?;
            for (index, (record, amount, usage)) in batch.iter().enumerate() {
                let said = (record.text("answer").unwrap_or("Success"), record.position("answer"));
                let result = results.iter().find(|result| usize::try_from(result.record_index) == Ok(index));
                let what = format!("{amount} {}", usage.dimension);
                answers.take(said, &what, usage.timestamp.unwrap_or_default(), result);
            }
        }
        match answers.into_differences() {
            differences if differences.is_empty() => Ok(None),
            differences => Err(Stop::Differs(differences)),
        }
    })
}

async fn customer(world: &World, record: &Args) -> Result<Customer, Stop> {
    if let Some(buyer) = record.text("buyer") {
        return Ok(Customer::CustomerAwsAccountId(world.names.account(buyer)));
    }
    if let Some(identifier) = record.text("customerIdentifier") {
        return Ok(Customer::CustomerIdentifier(identifier.to_owned()));
    }
    let agreement = record.text("agreement").unwrap_or_default();
    let known = world.names.agreement(agreement).map(|agreement| agreement.license_arn.clone());
    let arn = match known {
        Some(arn) => arn,
        None => world.client.get_agreement(&world.sandbox, agreement).await?.license_arn,
    };
    Ok(Customer::LicenseArn(arn))
}

/// A whole quantity as a number, any other as a decimal.
fn quantity(text: &str) -> (Option<u64>, String) {
    match text.parse() {
        Ok(whole) => (Some(whole), String::new()),
        Err(_) => (None, text.to_owned()),
    }
}
