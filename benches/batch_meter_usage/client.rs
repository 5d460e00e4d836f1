//! The client: connections that each send prepared bytes and read the answer, one request after the other.
//! It does no more than that while the time runs; the answers are read afterwards.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::market::RECORDS;

/// What every answer must be, besides a 200.
#[derive(Debug, Clone, Copy)]
pub enum Expected {
    /// Whatever it is.
    Anything,
    /// A success for each record.
    Successes,
}

/// What a round took.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    requests: usize,
    time: Duration,
}

impl Measured {
    /// Requests per second.
    pub fn rate(&self) -> f64 {
        self.requests as f64 / self.time.as_secs_f64()
    }
}

/// Sends every request once, over so many connections, and checks the answers.
pub fn drive(
    address: SocketAddr,
    connections: usize,
    requests: &Arc<Vec<Vec<u8>>>,
    expected: Expected,
) -> anyhow::Result<Measured> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (time, answers) = runtime.block_on(send(address, connections, requests))?;
    let (mut answered, mut succeeded) = (0, 0);
    for answers in &answers {
        answered += count(answers, b"HTTP/1.1 200 ");
        succeeded += count(answers, br#""Status":"Success""#);
    }
    anyhow::ensure!(
        answered == requests.len(),
        "{answered} of {} requests: {}",
        requests.len(),
        first(&answers)
    );
    match expected {
        Expected::Anything => {}
        Expected::Successes => {
            let sent = requests.len() * RECORDS;
            anyhow::ensure!(succeeded == sent, "{succeeded} of {sent} records: {}", first(&answers));
        }
    }
    Ok(Measured { requests: requests.len(), time })
}

async fn send(
    address: SocketAddr,
    connections: usize,
    requests: &Arc<Vec<Vec<u8>>>,
) -> anyhow::Result<(Duration, Vec<Vec<u8>>)> {
    let mut streams = Vec::new();
    for _ in 0..connections {
        streams.push(connect(address).await?);
    }
    let next = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for stream in streams {
        tasks.spawn(converse(address, stream, requests.clone(), next.clone()));
    }
    let mut answers = Vec::new();
    while let Some(task) = tasks.join_next().await {
        answers.push(task??);
    }
    Ok((began.elapsed(), answers))
}

async fn connect(address: SocketAddr) -> anyhow::Result<TcpStream> {
    let stream = TcpStream::connect(address).await.context("the server does not listen")?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// One connection: takes requests until there are none left. Answers all that came back.
async fn converse(
    address: SocketAddr,
    mut stream: TcpStream,
    requests: Arc<Vec<Vec<u8>>>,
    next: Arc<AtomicUsize>,
) -> anyhow::Result<Vec<u8>> {
    let mut answers = Vec::with_capacity(64 * 1024);
    while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
        stream.write_all(request).await?;
        let start = answers.len();
        let head = loop {
            anyhow::ensure!(stream.read_buf(&mut answers).await? > 0, "the server closed the connection");
            if let Some(end) = find(&answers[start..], b"\r\n\r\n") {
                break start + end + 4;
            }
        };
        let headers = std::str::from_utf8(&answers[start..head])?.to_ascii_lowercase();
        let length = headers.split_once("content-length: ").and_then(|(_, rest)| rest.split_once("\r\n"));
        let length: usize = length.context("an answer does not say its length")?.0.parse()?;
        while answers.len() < head + length {
            anyhow::ensure!(stream.read_buf(&mut answers).await? > 0, "an answer is cut off");
        }
        if headers.contains("connection: close") {
            stream = connect(address).await?;
        }
    }
    Ok(answers)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

fn count(bytes: &[u8], wanted: &[u8]) -> usize {
    bytes.windows(wanted.len()).filter(|window| *window == wanted).count()
}

/// The beginning of what came back, for messages.
fn first(answers: &[Vec<u8>]) -> String {
    let first = answers.iter().find(|answers| !answers.is_empty()).map(Vec::as_slice).unwrap_or_default();
    String::from_utf8_lossy(&first[..first.len().min(600)]).into_owned()
}
