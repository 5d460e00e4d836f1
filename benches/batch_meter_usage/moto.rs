//! moto's server, when somebody installed it and says where it is.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running server; it ends with this.
pub struct Moto {
    /// Where it listens.
    pub address: SocketAddr,
    process: Child,
}

impl Drop for Moto {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

/// Starts the program that `SOUK_BENCH_MOTO` names, if it names one, and waits until it listens.
pub fn start() -> anyhow::Result<Option<Moto>> {
    let Some(program) = std::env::var_os("SOUK_BENCH_MOTO") else { return Ok(None) };
    // Free now; nobody else asks for ports here.
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let port = address.port().to_string();
    let mut command = Command::new(program);
    command.args(["-H", "127.0.0.1", "-p", &port]).stdout(Stdio::null()).stderr(Stdio::null());
    let moto = Moto { address, process: command.spawn()? };
    let began = Instant::now();
    while TcpStream::connect(address).is_err() {
        anyhow::ensure!(began.elapsed() < Duration::from_secs(60), "moto's server does not listen");
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(Some(moto))
}
