//! Why an invoice line has its amount, for one that is not as expected.

use souk_client::PageRequest;
use souk_proto::billing::v1::ExplainedHour;

use super::actual::{Actual, words_of_time};
use super::compare::Difference;
use super::world::World;

/// Hours that are shown of a line.
const HOURS_SHOWN: i32 = 5;

/// How the line came about that a difference is about; nothing when it is about something else.
pub async fn line(world: &World, difference: &Difference) -> Vec<String> {
    let Some(line) = &difference.item else { return Vec::new() };
    let Some(explanation) = line.field("explanation") else { return Vec::new() };
    let of_amount = ["quantity", "unitPrice", "amount"];
    if !difference.rows.iter().any(|row| row.differs && of_amount.contains(&row.field.as_str())) {
        return Vec::new();
    }
    let invoice = difference.around.as_ref().map(|invoice| invoice.text("invoiceId")).unwrap_or_default();
    let (seconds, hour, part) = match line.text("quantityUnit") {
        "SECONDS" | "QUANTITY_UNIT_SECONDS" => (" s", " an hour", " / 3600"),
        _ => ("", "", ""),
    };
    // What is exact of seconds is 3,600 times what they cost.
    let mut told = vec![format!(
        "How line {} of {} came about: {}{seconds} x {}{hour} = {}{part}, so {}",
        line.text("lineNumber"),
        if invoice.is_empty() { "the preview" } else { invoice },
        line.text("quantity"),
        line.text("unitPrice"),
        explanation.text("exactAmount"),
        line.text("amount"),
    )];
    if let Some(Actual::List(segments)) = explanation.field("segments") {
        told.extend(segments.iter().map(segment));
    }
    told.extend(hours(world, invoice, line.text("lineNumber")).await);
    told
}

fn segment(segment: &Actual) -> String {
    format!(
        "  {} until {}: ran {} in {} hours, {} annual subscriptions covered {}, {} billed, priced by {}",
        words_of_time(segment.text("startTime")),
        words_of_time(segment.text("endTime")),
        segment.text("meteredQuantity"),
        segment.text("meteredHours"),
        segment.text("annualSubscriptions"),
        segment.text("coveredQuantity"),
        segment.text("billedQuantity"),
        segment.text("priceSource"),
    )
}

/// The first hours of a line that was invoiced. What cannot be explained is left out: it is no failure of its own.
async fn hours(world: &World, invoice: &str, line: &str) -> Vec<String> {
    let Ok(number) = line.parse() else { return Vec::new() };
    if invoice.is_empty() {
        return Vec::new();
    }
    let page = PageRequest { size: HOURS_SHOWN, token: String::new() };
    let Ok(answer) = world.client.explain_invoice_line(&world.sandbox, invoice, number, page).await else {
        return Vec::new();
    };
    let hour = |hour: &ExplainedHour| {
        let start = hour.hour.as_ref().map(ToString::to_string).unwrap_or_default();
        let parts = [
            &hour.metered_quantity,
            &hour.annual_subscriptions,
            &hour.covered_quantity,
            &hour.billed_quantity,
        ];
        let [metered, subscriptions, covered, billed] = parts;
        format!(
            "  {}: ran {metered}, {subscriptions} subscriptions, {covered} covered, {billed} billed",
            words_of_time(&start)
        )
    };
    let mut told: Vec<String> = answer.hours.iter().map(hour).collect();
    if !answer.next_page_token.is_empty() {
        told.push("  ...".to_owned());
    }
    told
}
