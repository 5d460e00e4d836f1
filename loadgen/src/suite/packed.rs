//! The rows of a columns stream as packed fixed32, to a server that counts them: the same generator does the same
//! work, and the message is what the generated code of any language would read.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use prost::Message;
use tokio::task::JoinSet;

use super::Suite;
use super::doors::Burst;
use crate::door::grpc;
use crate::door::protobuf::put_length;
use crate::noop::grpc::{PACKED, PackedCount};
use crate::plan::feed::part;
use crate::plan::{Feed, Plan};
use crate::server::{Program, Started};

/// Records a second.
///
/// # Errors
/// When the server fails.
pub async fn rate(suite: &Suite, burst: &Burst) -> anyhow::Result<f64> {
    let started = Started::program(Program::of(&suite.own, &["noop-server", "grpc"])).await?;
    let plan = Arc::new(Plan::new(burst.shape.clone()));
    let began = Instant::now();
    let until = began + Duration::from_secs_f64(burst.seconds);
    let mut streams = JoinSet::new();
    for series in part(&plan, burst.streams, |_| true) {
        let lanes = vec![0; series.len()];
        let feed = Feed::of_columns(&plan, 0, &series, &lanes, burst.batch);
        streams.spawn(stream(
            started.addresses.grpc.clone(),
            Arc::clone(&plan),
            feed,
            burst.in_flight,
            until,
        ));
    }
    let mut rows = 0;
    while let Some(stream) = streams.join_next().await {
        rows += stream.context("a stream failed")??;
    }
    let seconds = began.elapsed().as_secs_f64();
    started.remove().await?;
    Ok(rows as f64 / seconds)
}

async fn stream(
    endpoint: String,
    plan: Arc<Plan>,
    feed: Feed,
    in_flight: usize,
    until: Instant,
) -> anyhow::Result<u64> {
    let channel = grpc::connect(&endpoint).await?;
    let (messages, mut answers) = grpc::open(&channel, PACKED, in_flight).await?;
    let (mut sent, mut answered, mut rows) = (0_u64, 0_u64, 0_u64);
    loop {
        let is_over = until <= Instant::now();
        while !is_over && sent < answered + in_flight as u64 {
            let message = message(&plan, &feed, sent % feed.end_of_month(&plan, 0));
            ensure!(messages.send(message).await.is_ok(), "the server ended the stream");
            sent += 1;
        }
        if answered == sent {
            return Ok(rows);
        }
        let answer = answers.message().await?.context("the server ended the stream")?;
        rows += u64::from(PackedCount::decode(answer)?.rows);
        answered += 1;
    }
}

fn message(plan: &Plan, feed: &Feed, number: u64) -> Vec<u8> {
    let (hour, chunk) = feed.place(number);
    let series = feed.series_of(chunk);
    let mut out = Vec::with_capacity(12 * series.len() + 32);
    let mut put = |field: u32, value: &dyn Fn(u32) -> u32| {
        put_length(&mut out, field, 4 * series.len());
        out.extend(series.iter().flat_map(|series| value(*series).to_le_bytes()));
    };
    put(1, &|series| series);
    put(2, &|_| plan.calendar.index(hour).cast_unsigned());
    put(3, &|series| plan.usage.units(series, hour));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noop::grpc::PackedRows;
    use crate::plan::odd_shape;

    #[test]
    fn rows_are_packed_as_the_generated_code_would_pack_them() {
        let plan = Plan::new(odd_shape());
        let series: Vec<u32> = (0..plan.market.series.len() as u32).collect();
        let feed = Feed::of_columns(&plan, 0, &series, &vec![0; series.len()], 50);
        let bytes = message(&plan, &feed, 1);
        let read = PackedRows::decode(bytes.as_slice()).unwrap();
        assert_eq!(read.encode_to_vec(), bytes);
        let (hour, chunk) = feed.place(1);
        assert_eq!(read.handles, feed.series_of(chunk));
        assert_eq!(read.quantities[0], plan.usage.units(read.handles[0], hour));
    }
}
