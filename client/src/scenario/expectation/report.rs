//! `report`: rows of a seller report, by AWS's columns.

use souk_proto::document::{parse_enum, suggest};
use souk_proto::reporting::v1::{ReportKind, ReportProfile, ReportSelection};

use super::Kind;
use crate::scenario::actual::Actual;
use crate::scenario::expected::{Expected, Items, Value};
use crate::scenario::shape::{Field, Named, Takes, maybe, needed};
use crate::scenario::world::{Looking, Stop, World};

const ASKS: &[Field] = &[
    needed("kind", Takes::Text, "The report, by the name of its AWS data set; `souk report list` has them."),
    needed("seller", Takes::Named(Named::Account), "The selling account."),
    maybe("month", Takes::Month, "A closed month; not of daily reports."),
    maybe("date", Takes::Day, "Of daily reports instead: the day on which it is made."),
    maybe(
        "current",
        Takes::Flag,
        "Of feeds with a history: only the records that stand at the end of the month.",
    ),
    maybe(
        "profile",
        Takes::Word(&["LEGACY", "DASHBOARD"]),
        "How rows of public offers show the offer; as the sandbox's rules say when absent.",
    ),
];

pub const KIND: Kind = Kind {
    key: "report",
    about: "Rows of a seller report of a closed month or a day.",
    of: None,
    asks: ASKS,
    look,
};

fn look<'a>(world: &'a mut World, items: &'a Items) -> Looking<'a> {
    Box::pin(async move {
        let selection = ReportSelection {
            sandbox: world.sandbox.clone(),
            seller_account_id: world.names.account(items.asks.text("seller").unwrap_or_default()),
            kind: kind(world, items).await? as i32,
            month: items.asks.text("month").unwrap_or_default().to_owned(),
            profile: match items.asks.text("profile") {
                Some("LEGACY") => ReportProfile::Legacy as i32,
                Some(_) => ReportProfile::Dashboard as i32,
                None => ReportProfile::Unspecified as i32,
            },
            date: items.asks.text("date").unwrap_or_default().to_owned(),
            current: items.asks.flag("current"),
        };
        let report = world.client.read_report(selection).await?;
        for row in items.items.iter().flatten() {
            check_columns(row, &report.columns)?;
        }
        let row = |cells: &[String]| {
            let cells = cells.iter().map(|cell| Actual::Text(cell.clone()));
            Actual::Fields(report.columns.iter().cloned().zip(cells).collect())
        };
        Ok(report.rows.iter().map(|line| row(&line.cells)).collect())
    })
}

/// The report of a name; the server says which there are.
async fn kind(world: &mut World, items: &Items) -> Result<ReportKind, Stop> {
    let text = items.asks.text("kind").unwrap_or_default();
    let descriptor = souk_proto::document::pool().get_enum_by_name("souk.reporting.v1.ReportKind");
    let number = descriptor.and_then(|values| parse_enum(text, &values)).unwrap_or_default();
    if let Some(kind) = ReportKind::try_from(number).ok().filter(|kind| *kind != ReportKind::Unspecified) {
        return Ok(kind);
    }
    if world.reports.is_empty() {
        world.reports = world.client.list_reports().await?;
    }
    let name = |kind: ReportKind| kind.as_str_name().trim_start_matches("REPORT_KIND_").to_lowercase();
    let known: Vec<String> = world.reports.iter().map(|report| name(report.kind())).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    Err(Stop::Wrong {
        position: items.asks.position("kind"),
        problem: format!("there is no report `{text}`"),
        remedy: suggest::remedy(text, &known, "reports"),
    })
}

fn check_columns(row: &Expected, columns: &[String]) -> Result<(), Stop> {
    let Value::Fields(stated) = &row.value else { return Ok(()) };
    match stated.iter().find(|stated| !columns.contains(&stated.name)) {
        None => Ok(()),
        Some(stated) => {
            let known: Vec<&str> = columns.iter().map(String::as_str).collect();
            Err(Stop::Wrong {
                position: stated.position,
                problem: format!("the report has no column `{}`", stated.name),
                remedy: suggest::remedy(&stated.name, &known, "columns"),
            })
        }
    }
}
