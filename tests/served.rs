//! A server inside the test: the same composition as `soukd serve`, on a store in memory or in a folder, on any
//! free port, with a machine clock that the test sets.

use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use souk_client::{RetryPolicy, Settings, SoukClient};
use souk_core::time::Timestamp;
use souk_log::{LogStore, MemoryStore};
use souk_server::app::Souk;
use souk_server::clock::MachineClock;
use souk_server::compose::{self, Running};
use souk_server::folder::UsageLog;
use souk_server::grpc::server;
use souk_server::partition::snapshot::Limits;
use souk_server::serve::serve_until;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::words::moment;

/// A machine's clock that shows what it was told last.
#[derive(Debug, Clone)]
pub struct SetClock(Arc<AtomicI64>);

impl SetClock {
    /// A clock that shows this time.
    pub fn at(text: &str) -> SetClock {
        SetClock(Arc::new(AtomicI64::new(moment(text).micros())))
    }

    /// Sets it.
    pub fn set(&self, text: &str) {
        self.0.store(moment(text).micros(), Ordering::SeqCst);
    }
}

impl MachineClock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst)).expect("a time of the calendar")
    }
}

/// A server of this process and a client of it.
pub struct Served {
    /// A client that never repeats a call, so that tests see every answer.
    pub client: SoukClient,
    /// The address.
    pub endpoint: String,
    /// The marketplace behind the server.
    souk: Option<Souk>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<anyhow::Result<()>>,
}

/// Tells a server to stop.
type Stopped = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The machine's time where a test does not care about it.
pub const MACHINE_TIME: &str = "2026-11-21T12:00:00Z";

impl Served {
    /// Four partitions in memory.
    pub async fn start() -> Served {
        Served::on(&MemoryStore::new(), 4).await
    }

    /// So many partitions on a store in memory.
    pub async fn on(store: &MemoryStore, partitions: usize) -> Served {
        Served::with(Arc::new(store.clone()), partitions, SetClock::at(MACHINE_TIME)).await
    }

    /// On any store, with a machine clock.
    pub async fn with(store: Arc<dyn LogStore>, partitions: usize, clock: SetClock) -> Served {
        let running = compose::start(store, partitions, Arc::new(clock)).expect("a store that can be used");
        Served::run(running, serve_until).await
    }

    /// Four partitions on a store in memory, which nobody asks every second whether something is due: for tests
    /// that count what reaches the logs.
    pub async fn without_ticks(store: &MemoryStore) -> Served {
        let clock = Arc::new(SetClock::at(MACHINE_TIME));
        let running = compose::start(Arc::new(store.clone()), 4, clock).expect("a store that can be used");
        let serve = |running: Running, listener, stop| async move {
            let served = server::serve(running.souk.clone(), listener, stop).await;
            running.stop().await;
            Ok(served?)
        };
        Served::run(running, serve).await
    }

    /// On a data folder whose snapshots are taken all the time, and whose closed months leave memory at once.
    pub async fn with_snapshots(folder: &Path) -> Served {
        let limits = Limits { snapshot_rows: 1, archive_bytes: 0 };
        let clock = Arc::new(SetClock::at(MACHINE_TIME));
        let running = compose::start_with_limits(folder, UsageLog::default(), limits, clock);
        Served::run(running.expect("a folder that can be used"), serve_until).await
    }

    /// On a data folder whose usage is in SQLite, if it is new.
    pub async fn in_sqlite(folder: &Path) -> Served {
        let clock = Arc::new(SetClock::at(MACHINE_TIME));
        let running = compose::start_with_limits(folder, UsageLog::Sqlite, Limits::default(), clock);
        Served::run(running.expect("a folder that can be used"), serve_until).await
    }

    /// On a data folder.
    pub async fn in_folder(folder: &Path) -> Served {
        let clock = Arc::new(SetClock::at(MACHINE_TIME));
        let running = compose::start_in(folder, clock).expect("a folder that can be used");
        Served::run(running, serve_until).await
    }

    async fn run<S, Serving>(running: Running, serve: S) -> Served
    where
        S: FnOnce(Running, TcpListener, Stopped) -> Serving,
        Serving: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let (stop, stopped) = oneshot::channel();
        let souk = Some(running.souk.clone());
        let stopped: Stopped = Box::pin(async {
            let _ = stopped.await;
        });
        let serving = tokio::spawn(serve(running, listener, stopped));
        let client = patient_client(&endpoint).await;
        Served { client, endpoint, souk, stop, serving }
    }

    /// The marketplace behind the server.
    pub fn souk(&self) -> &Souk {
        self.souk.as_ref().expect("a server that runs")
    }

    /// Stops it in order, and waits until its logs are closed.
    pub async fn stop(self) {
        let Served { client, souk, stop, serving, .. } = self;
        drop((client, souk));
        let _ = stop.send(());
        serving.await.expect("no panic").expect("an orderly end");
    }
}

/// A client that waits long on a busy machine and never repeats a call.
pub async fn patient_client(endpoint: &str) -> SoukClient {
    let minute = std::time::Duration::from_secs(60);
    let settings = Settings { deadline: minute, connect_timeout: minute, retry: RetryPolicy::NEVER };
    SoukClient::connect_with(endpoint, settings).await.expect("a server that listens")
}
