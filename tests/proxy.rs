//! A way to a server that a test can cut, and lead to another server.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The way; it ends with the test's runtime.
pub struct Proxy {
    /// The address that clients connect to.
    pub endpoint: String,
    target: Arc<Mutex<Option<SocketAddr>>>,
    open: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl Proxy {
    /// A way to the server at an endpoint.
    pub async fn to(endpoint: &str) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let proxy =
            Proxy { endpoint: format!("http://{address}"), target: Arc::default(), open: Arc::default() };
        proxy.lead_to(endpoint);
        let (target, open) = (proxy.target.clone(), proxy.open.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let target = *target.lock().expect("no panic");
                let copying = tokio::spawn(async move { connect(client, target).await });
                open.lock().expect("no panic").push(copying);
            }
        });
        proxy
    }

    /// Leads to another server from the next connection on.
    pub fn lead_to(&self, endpoint: &str) {
        let address = endpoint.trim_start_matches("http://").parse().expect("an address");
        *self.target.lock().expect("no panic") = Some(address);
    }

    /// Leads nowhere from the next connection on.
    pub fn lead_nowhere(&self) {
        *self.target.lock().expect("no panic") = None;
    }

    /// Cuts every connection that there is.
    pub fn cut(&self) {
        for copying in self.open.lock().expect("no panic").drain(..) {
            copying.abort();
        }
    }
}

async fn connect(mut client: TcpStream, target: Option<SocketAddr>) {
    let Some(target) = target else { return };
    if let Ok(mut server) = TcpStream::connect(target).await {
        // Either side may go away at any time.
        let _ = copy_bidirectional(&mut client, &mut server).await;
    }
}
