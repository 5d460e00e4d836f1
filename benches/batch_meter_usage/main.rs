//! BatchMeterUsage over HTTP: 25 new records a request, the signature checked, durable on disk before the answer.
//! The baseline is a bare axum handler that parses the same bytes in the same run.
//!
//! Every server is measured in turn, round by round, by one client on a thread of its own: closed loop, so many
//! connections, requests built and signed before the round begins. Client and servers share the machine's
//! cores. At the end the data folder is opened anew, and must hold every record that was sent.
//!
//! moto's server is measured beside them when `SOUK_BENCH_MOTO` names its program; see benches/README.md.

mod bare;
mod client;
mod market;
mod moto;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use souk_core::ids::SandboxName;
use souk_server::aws::sigv4::Mode;
use souk_server::clock::SystemClock;
use souk_server::compose::{self, Running};
use souk_server::document;
use souk_server::grpc::convert::sandbox::from_proto_document;
use souk_server::serve::{Doors, serve_until};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use self::client::{Expected, Measured};
use self::market::{BatchesMade, Naming, RECORDS};

/// Connections, each with one request on its way, and the requests of a round.
const LOADS: [(usize, usize); 3] = [(1, 1_000), (32, 8_000), (256, 8_000)];
/// Rounds that count; one more warms up.
const ROUNDS: usize = 7;
/// Requests of a round for moto, which is slower.
const MOTO_REQUESTS: usize = 200;

/// A server to measure, and what it must answer.
struct Variant {
    name: &'static str,
    address: SocketAddr,
    expected: Expected,
    /// Rounds of each load.
    rounds: [Vec<Measured>; LOADS.len()],
}

impl Variant {
    fn new(name: &'static str, address: SocketAddr, expected: Expected) -> Variant {
        Variant { name, address, expected, rounds: Default::default() }
    }
}

fn main() -> anyhow::Result<()> {
    let servers = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let running = servers.block_on(open(folder.path()))?;
    servers.block_on(make_market(&running))?;
    let (stop, stopped) = oneshot::channel::<()>();
    let (grpc, http) = servers.block_on(async { anyhow::Ok((listen().await?, listen().await?)) })?;
    let souk = http.local_addr()?;
    let serving =
        servers.spawn(serve_until(running, Doors { grpc, http: Some((http, Mode::Verify)) }, async move {
            _ = stopped.await
        }));
    let mut variants = vec![
        Variant::new("axum, parses", servers.block_on(bare::serve(bare::parse))?, Expected::Anything),
        Variant::new(
            "axum, parses and echoes",
            servers.block_on(bare::serve(bare::echo))?,
            Expected::Successes,
        ),
        Variant::new("Souk", souk, Expected::Successes),
    ];
    let moto = moto::start()?;
    let mut batches = BatchesMade::default();
    for round in 0..=ROUNDS {
        for (load, (connections, requests)) in LOADS.into_iter().enumerate() {
            let signed = Arc::new(batches.make(requests, Naming::Account));
            for variant in &mut variants {
                let measured = client::drive(variant.address, connections, &signed, variant.expected)?;
                if round > 0 {
                    variant.rounds[load].push(measured);
                }
            }
        }
    }
    print_table(&variants);
    if let Some(moto) = moto {
        for (connections, _) in LOADS {
            let signed = Arc::new(BatchesMade::default().make(MOTO_REQUESTS, Naming::Identifier));
            let measured = client::drive(moto.address, connections, &signed, Expected::Anything)?;
            println!("{:<25} {connections:>4}  {:>8.0}", "moto", measured.rate());
        }
    }
    _ = stop.send(());
    servers.block_on(serving)??;
    servers.block_on(check(folder.path(), &batches))
}

async fn listen() -> std::io::Result<TcpListener> {
    TcpListener::bind("127.0.0.1:0").await
}

async fn open(folder: &Path) -> anyhow::Result<Running> {
    let folder = folder.to_owned();
    Ok(tokio::task::spawn_blocking(move || compose::start_in(&folder, Arc::new(SystemClock))).await??)
}

async fn make_market(running: &Running) -> anyhow::Result<()> {
    let plan = from_proto_document(document::parse(&market::document())?)?;
    running.souk.put_sandbox(&sandbox(), plan).await?;
    Ok(())
}

/// The sandbox of a path that names none.
fn sandbox() -> SandboxName {
    SandboxName::new("default")
}

/// Opens the folder anew and compares what each buyer's preview counts with what was sent.
async fn check(folder: &Path, batches: &BatchesMade) -> anyhow::Result<()> {
    let running = open(folder).await?;
    for (buyer, sent) in batches.units_by_buyer() {
        let invoices = running.souk.preview(&sandbox(), buyer, Some(market::month())).await?;
        let lines = invoices.iter().flat_map(|invoice| &invoice.lines);
        let units: Result<Vec<u64>, _> = lines.map(|line| line.quantity.to_string().parse()).collect();
        let held: u64 = units?.iter().sum();
        anyhow::ensure!(held == sent, "{buyer}: {held} units are held, {sent} were sent");
    }
    println!("\nThe data folder, opened anew, holds all {} records.", batches.count() * RECORDS);
    running.stop().await;
    Ok(())
}

fn print_table(variants: &[Variant]) {
    println!(
        "                          conn.    req/s  records/s   of the first, median (least, most); of the second"
    );
    for (load, (connections, _)) in LOADS.into_iter().enumerate() {
        for variant in variants {
            let rate = median(variant.rounds[load].iter().map(Measured::rate));
            let of = |other: &Variant| -> Vec<f64> {
                let rounds = variant.rounds[load].iter().zip(&other.rounds[load]);
                rounds.map(|(own, other)| own.rate() / other.rate()).collect()
            };
            let (first, second) = (of(&variants[0]), of(&variants[1]));
            println!(
                "{:<25} {connections:>4}  {rate:>8.0}  {:>9.0}   {:.2} ({:.2}, {:.2}); {:.2}",
                variant.name,
                rate * RECORDS as f64,
                median(first.iter().copied()),
                first.iter().copied().fold(f64::INFINITY, f64::min),
                first.iter().copied().fold(0.0, f64::max),
                median(second.iter().copied()),
            );
        }
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
