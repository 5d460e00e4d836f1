//! `run`: instances that an account runs, of a product that AWS Marketplace meters itself.

use prost_types::Timestamp;
use souk_client::REPORTS_MAX;
use souk_proto::metering::v1::{InstanceHours, ReportInstanceHoursRequest};

use super::Kind;
use super::hours::{self, ANSWERS, Answers};
use crate::scenario::shape::{Args, Field, Named, Takes, maybe, needed};
use crate::scenario::world::{Playing, Stop, World};

const FIELDS: &[Field] = &[
    needed("product", Takes::Named(Named::Product), "The product: its id, code or title."),
    needed("buyer", Takes::Named(Named::Account), "The account that runs them."),
    needed("type", Takes::Text, "The instance type: the dimension's key."),
    maybe("count", Takes::Count, "How many run."),
    maybe("time", Takes::Time, "Any moment of the hour; the step's time when absent."),
    maybe("from", Takes::Time, "Instead of a time: the first of many hours."),
    maybe("until", Takes::Time, "The end of the hours; not part of them."),
    maybe("hourly", Takes::Hourly, "Instead of a count: one for each hour from `from` on; `~` for none."),
    maybe("region", Takes::Text, "Where they run; us-east-1 when absent."),
    maybe("answer", Takes::Word(ANSWERS), "What becomes of the hours; Success when absent."),
];

pub const KIND: Kind = Kind {
    key: "run",
    about: "A buyer runs so many instances of a type, in an hour or in every hour of a time.",
    takes: Takes::Fields(FIELDS),
    gives: None,
    check: |reading, args| hours::check(reading, args, "count"),
    play,
};

fn play<'a>(world: &'a mut World, args: &'a Args) -> Playing<'a> {
    Box::pin(async move {
        let product_code = world.product_code(args.text("product").unwrap_or_default());
        let buyer = world.names.account(args.text("buyer").unwrap_or_default());
        let instance_type = args.text("type").unwrap_or_default();
        let said = (args.text("answer").unwrap_or("Success"), args.position("answer"));
        let mut answers = Answers::default();
        for hours in hours::of(args, "count", world.now).chunks(REPORTS_MAX) {
            let report = |(hour, count): &(Timestamp, &str)| InstanceHours {
                product_code: product_code.clone(),
                buyer_account_id: buyer.clone(),
                instance_type: instance_type.to_owned(),
                hour: Some(*hour),
                count: count.parse().unwrap_or_default(),
            };
            let request = ReportInstanceHoursRequest {
                sandbox: world.sandbox.clone(),
                region: args.text("region").unwrap_or_default().to_owned(),
                reports: hours.iter().map(report).collect(),
            };
            let results = world.client.report_instance_hours(request).await?;
            for (index, (hour, count)) in hours.iter().enumerate() {
                let result = results.iter().find(|result| usize::try_from(result.record_index) == Ok(index));
                answers.take(said, &format!("{count} {instance_type}"), *hour, result);
            }
        }
        match answers.into_differences() {
            differences if differences.is_empty() => Ok(None),
            differences => Err(Stop::Differs(differences)),
        }
    })
}
