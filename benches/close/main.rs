//! The close of a month from raw hours: 500,000 series, each metered in all of its 744 hours.
//!
//! - The kernel: what each series metered above its cover (Y-X) times its price, exact amounts, on one thread and on
//!   two. The baseline reads the same memory once.
//! - The whole close, as advancing a clock runs it: 50,000 families, to their invoices.
//! - The preview of one family of 10,000 series that share their cover.
//! - DuckDB on 20 million rows, when `SOUK_BENCH_DUCKDB` names a Python that has it; see benches/README.md.
//!
//! All are measured in turn, round by round, so that what the machine does beside them strikes all alike.

mod duckdb;
mod market;

use std::hint::black_box;
use std::ops::Range;
use std::time::{Duration, Instant};

use souk_benches::{account, family, month};
use souk_core::invoicing::close_month::usage_invoices;
use souk_core::machine::follow::run_due;
use souk_core::machine::{Event, Sandbox};
use souk_core::metering::SeriesHandle;
use souk_core::metering::month_tiles::MonthTiles;
use souk_core::metering::tile::{BLOCK, Quantities, TILE_HOURS};
use souk_core::money::{Amount, Currency, UnitPrice};
use souk_core::quantity::QuantitySum;
use souk_core::rating::BlockSums;

const FAMILIES: u32 = 50_000;
/// Rounds that count; one more warms up.
const ROUNDS: usize = 7;
/// Closes that count: each needs its families built anew.
const CLOSES: usize = 5;
/// Events and lines after which a writer appends.
const BATCH: usize = 50_000;
const THREADS: [usize; 2] = [1, 2];

fn main() -> anyhow::Result<()> {
    let sandbox = market::families(FAMILIES);
    let tiles = market::full_month(&sandbox);
    let covers = covers(&sandbox);
    let cells = (sandbox.tally().all_series().len() * tiles.hours()) as f64;
    let bytes = bytes(&tiles) as f64;
    println!("{cells} cells in {bytes} bytes");

    let mut reads = [Vec::new(), Vec::new()];
    let mut kernels = [Vec::new(), Vec::new()];
    for round in 0..=ROUNDS {
        for (index, threads) in THREADS.into_iter().enumerate() {
            let read = time(|| on_threads(&tiles, threads, |blocks| read(&tiles, blocks)));
            let kernel = time(|| on_threads(&tiles, threads, |blocks| overflow(&tiles, &covers, blocks)));
            if round > 0 {
                reads[index].push(read);
                kernels[index].push(kernel);
            }
        }
    }
    drop(sandbox);
    for (index, threads) in THREADS.into_iter().enumerate() {
        let (read, kernel) = (median(&reads[index]), median(&kernels[index]));
        // Of each round, so that both met the same neighbours.
        let ratios: Vec<_> = reads[index].iter().zip(&kernels[index]).map(|(read, own)| read / own).collect();
        println!(
            "{threads} threads: read {:.1} GB/s ({:.1} ms); Y-X with prices {:.1} GB/s ({:.1} ms, {:.3} ns a cell); ratio {:.2}",
            bytes / read / 1e9,
            read * 1e3,
            bytes / kernel / 1e9,
            kernel * 1e3,
            kernel * 1e9 / cells,
            median(&ratios)
        );
    }

    let mut closes = Vec::new();
    let mut lines = 0;
    for round in 0..=CLOSES {
        let mut sandbox = market::families(FAMILIES);
        sandbox.tally_mut().put_month(month(), tiles.clone());
        let (closed, took) = close(&mut sandbox);
        lines = closed;
        if round > 0 {
            closes.push(took);
        }
    }
    let close = median(&closes);
    println!(
        "close of {FAMILIES} families, 1 thread, {lines} lines: {:.0} ms, {:.0} ns a series, {:.2} ns a cell; {:.2} of reading",
        close * 1e3,
        close * 1e9 / (cells / tiles.hours() as f64),
        close * 1e9 / cells,
        median(&reads[0]) / close
    );
    drop(tiles);

    preview();
    match duckdb::measure(&THREADS)? {
        None => println!("DuckDB is left out: SOUK_BENCH_DUCKDB names no Python"),
        Some(duckdb) => {
            for (threads, nanos) in duckdb.nanos {
                let index = threads - 1;
                let kernel = median(&kernels[index]) * 1e9 / cells;
                println!(
                    "{threads} threads: DuckDB {} {nanos:.2} ns a row, {:.0} times the kernel's {kernel:.3}, {:.1} times the close's",
                    duckdb.version,
                    nanos / kernel,
                    nanos / (close * 1e9 / cells)
                );
            }
        }
    }
    Ok(())
}

/// X of every series by its block.
fn covers(sandbox: &Sandbox) -> Vec<Vec<u64>> {
    let count = sandbox.tally().all_series().len();
    let block = |first: usize| market::block_cover((first..first + BLOCK).map(|n| SeriesHandle(n as u32)));
    (0..count).step_by(BLOCK).map(block).collect()
}

/// What tiles take in memory.
fn bytes(tiles: &MonthTiles) -> usize {
    let all = (0..tiles.days()).flat_map(|day| (0..tiles.blocks()).map(move |block| (day, block)));
    let row = |width: usize| width / 8 + width * 4;
    all.filter_map(|(day, block)| Some(row(tiles.tile(day, block)?.width()) * TILE_HOURS)).sum()
}

/// Runs work on the blocks of the tiles, shared out to so many threads.
fn on_threads<T: Send>(
    tiles: &MonthTiles,
    threads: usize,
    work: impl Fn(Range<usize>) -> T + Sync,
) -> Vec<T> {
    let share = tiles.blocks().div_ceil(threads);
    let parts = (0..threads).map(|n| n * share..((n + 1) * share).min(tiles.blocks()));
    std::thread::scope(|scope| {
        let work = &work;
        let running: Vec<_> = parts.map(|blocks| scope.spawn(move || work(blocks))).collect();
        running.into_iter().map(|thread| thread.join().expect("a thread that ends well")).collect()
    })
}

/// The baseline: every word once.
fn read(tiles: &MonthTiles, blocks: Range<usize>) -> u64 {
    let mut sum = 0_u64;
    for block in blocks {
        for day in 0..tiles.days() {
            let Some(tile) = tiles.tile(day, block) else { continue };
            for hour in 0..TILE_HOURS {
                let words = tile.bitmap(hour).iter().fold(0, |sum: u64, word| sum.wrapping_add(*word));
                let Quantities::Units(units) = tile.quantities(hour) else { continue };
                let units = units.iter().fold(0, |sum: u32, units| sum.wrapping_add(*units));
                sum = sum.wrapping_add(words).wrapping_add(u64::from(units));
            }
        }
    }
    black_box(sum)
}

/// The exact amount of what each series metered above its cover.
fn overflow(tiles: &MonthTiles, covers: &[Vec<u64>], blocks: Range<usize>) -> Vec<Amount> {
    let mut amounts = Vec::with_capacity(blocks.len() * BLOCK);
    for block in blocks {
        let sums = BlockSums::of(tiles, block, 0..BLOCK / 64, 0..tiles.hours(), &covers[block]);
        for index in 0..BLOCK {
            let Some(sums) = sums.get(index) else { continue };
            let price = price((block * BLOCK + index) as i64);
            amounts.push(price.times(QuantitySum(sums.overflow.cast_signed()), Currency::Usd));
        }
    }
    black_box(amounts)
}

fn price(series: i64) -> UnitPrice {
    UnitPrice::from_scaled(1_234_567 + series).unwrap_or(UnitPrice::ZERO)
}

/// Does what is due after the month as a partition's writer does, but for its log; answers the lines invoiced.
fn close(sandbox: &mut Sandbox) -> (usize, f64) {
    let now = month().invoiced_at();
    let began = Instant::now();
    let mut lines = 0;
    loop {
        let mut events = Vec::new();
        let finished = run_due(sandbox, now, BATCH, &mut events).expect("a sound state");
        lines += events.iter().map(lines_of).sum::<usize>();
        if finished {
            return (lines, began.elapsed().as_secs_f64());
        }
    }
}

fn lines_of(event: &Event) -> usize {
    match event {
        Event::InvoiceIssued(invoice) => invoice.lines.len(),
        _ => 0,
    }
}

fn preview() {
    for (name, cover) in [("shared cover", true), ("no cover", false)] {
        let sandbox = family(999, cover);
        let family = sandbox.family(account(0)).expect("the family");
        let times: Vec<_> =
            (0..=ROUNDS).map(|_| time(|| usage_invoices(&sandbox, family, month()))).collect();
        println!("preview of 10,000 series, {name}: {:.1} ms", median(&times[1..]) * 1e3);
    }
}

fn time<T>(work: impl FnOnce() -> T) -> f64 {
    let began = Instant::now();
    let result = black_box(work());
    let took: Duration = began.elapsed();
    drop(result);
    took.as_secs_f64()
}

fn median(times: &[f64]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
