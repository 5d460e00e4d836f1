//! Memory, cost against size, and the preview of the open month.

use std::time::Instant;

use anyhow::{Context, ensure};
use souk_client::SoukClient;

use super::doors::{Burst, plain};
use super::{Group, Row, Suite, Target, median};
use crate::door::Door;
use crate::drive::ServerChoice;
use crate::measure::Watched;
use crate::plan::{Plan, Shape, Share};
use crate::report::Report;
use crate::server::Started;

/// Rows about size.
pub const GROUPS: [Group; 2] = [
    Group { name: "memory", target: Target::Below(6.0), measure: |suite| Box::pin(memory(suite)) },
    Group { name: "cost against size", target: Target::AtMost(2.0), measure: |suite| Box::pin(cost(suite)) },
];

/// Bytes of a number in a plain array.
const PLAIN_BYTES: f64 = 4.0;
/// How often a preview is asked.
const PREVIEWS: usize = 5;
/// A month is sent as long as it takes, but not longer.
const MONTH_SECONDS: f64 = 120.0;

/// A server whose open month holds a plan's usage.
struct Filled {
    started: Started,
    report: Report,
    plan: Plan,
    /// Its memory before anything was sent.
    empty: u64,
}

/// Fills a server by columns.
async fn filled(suite: &Suite, shape: Shape, seconds: f64) -> anyhow::Result<Filled> {
    let started = Started::soukd(&suite.soukd).await?;
    let empty = memory_of(&started)?;
    let burst = Burst {
        door: Door::Columns,
        shape: shape.clone(),
        batch: 8_192,
        in_flight: 8,
        streams: 2,
        seconds,
        leave_open: true,
    };
    let server = ServerChoice::Running {
        grpc: started.addresses.grpc.clone(),
        http: None,
        data: started.data().map(ToOwned::to_owned),
    };
    let report = burst.send(server).await?;
    Ok(Filled { started, report, plan: Plan::new(shape), empty })
}

fn memory_of(started: &Started) -> anyhow::Result<u64> {
    Watched::of(started.pid().context("the server is gone")?).memory()
}

/// Bytes of memory a cell, at 50 k series of a whole month, and the preview of the largest family of it.
async fn memory(suite: &Suite) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (name, decimals, limit) in
        [("memory a cell, whole quantities", Share::NONE, 6.0), ("memory a cell, decimals", Share::ALL, 12.0)]
    {
        let shape = Shape { months: 1, decimals, ..plain(210, 10, 24) };
        let Filled { started, report, plan, empty } = filled(suite, shape, MONTH_SECONDS).await?;
        ensure!(report.acknowledged.records == plan.cells(), "the month was not filled in {MONTH_SECONDS} s");
        let bytes = (memory_of(&started)? - empty) as f64 / plan.cells() as f64;
        let note = format!("{} series of {} hours", plan.market.series.len(), plan.calendar.hours());
        let baseline = "a plain array of 4 bytes a cell";
        rows.push(
            Row::measured(name, "B/cell", baseline, Target::Below(limit), &[(bytes, PLAIN_BYTES)])
                .noted(note),
        );
        if decimals.is_none() {
            rows.push(preview(&started, &plan).await?);
        }
        started.remove().await?;
    }
    Ok(rows)
}

/// How long the preview of the largest family takes.
async fn preview(started: &Started, plan: &Plan) -> anyhow::Result<Row> {
    let market = &plan.market;
    let mut sizes = vec![0_u64; market.families() as usize];
    for series in 0..market.series.len() as u32 {
        sizes[market.buyer_of(series).family as usize] += 1;
    }
    let largest = sizes.iter().zip(0_u32..).max().map_or(0, |(_, family)| family);
    let payer = market
        .buyers
        .iter()
        .find(|buyer| buyer.family == largest)
        .context("there is no buyer")?
        .payer
        .to_string();
    let month = plan.calendar.months.first().context("there is no month")?.month.to_string();
    let client = SoukClient::connect(&started.addresses.grpc).await?;
    let (mut times, mut lines) = (Vec::new(), 0);
    for _ in 0..PREVIEWS {
        let began = Instant::now();
        let invoices = client.preview_invoices(&plan.sandbox, &payer, Some(&month)).await?;
        times.push(began.elapsed().as_secs_f64() * 1e3);
        lines = invoices.iter().map(|invoice| invoice.lines.len()).sum();
    }
    // What the same cells take to be read once, as plain numbers.
    let cells = sizes[largest as usize] as usize * plan.calendar.hours() as usize;
    let column = vec![3_u32; cells];
    let began = Instant::now();
    let sum: u64 = std::hint::black_box(&column).iter().map(|cell| u64::from(*cell)).sum();
    let read = began.elapsed().as_secs_f64() * 1e3;
    ensure!(sum == 3 * cells as u64, "the cells were not read");
    let row = Row::measured(
        "preview of the largest family",
        "ms",
        "reading its cells once",
        Target::Below(50.0),
        &[(median(times.into_iter()), read)],
    );
    Ok(row.noted(format!("{} series, {lines} lines", sizes[largest as usize])))
}

/// Nanoseconds a record by columns, at more and more series.
async fn cost(suite: &Suite) -> anyhow::Result<Vec<Row>> {
    let sizes = [plain(140, 10, 24), plain(1_050, 10, 24), plain(2_100, 20, 24)];
    let mut found = Vec::new();
    for shape in sizes {
        let Filled { started, report, plan, .. } = filled(suite, shape, suite.seconds).await?;
        started.remove().await?;
        found.push((plan.market.series.len(), 1e9 / report.measured.records_per_second));
    }
    let (Some((small, baseline)), Some((large, value))) = (found.first(), found.last()) else {
        anyhow::bail!("no size was measured");
    };
    let steps: Vec<_> = found.iter().map(|(series, ns)| format!("{ns:.1} ns at {series} series")).collect();
    let row = Row::measured(
        &format!("cost against size, {large} series"),
        "ns/record",
        &format!("the same at {small} series"),
        Target::AtMost(2.0),
        &[(*value, *baseline)],
    );
    Ok(vec![row.noted(format!("through the door, messages of 8,192 rows: {}", steps.join(", ")))])
}
