//! The HTTP port: one for all services and all sandboxes.

use std::future::Future;
use std::sync::Arc;

use axum::Router;
use tokio::net::TcpListener;

use super::endpoint::{Endpoint, handle};
use super::gate::{Line, LineListener};
use crate::admin;

/// Serves until `shutdown`; requests under way are answered first.
pub async fn serve(
    endpoint: Endpoint,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let service = router(endpoint).into_make_service_with_connect_info::<Line>();
    axum::serve(LineListener(listener), service).with_graceful_shutdown(shutdown).await
}

/// What the port answers: administration below its own prefix, AWS everywhere else.
pub fn router(endpoint: Endpoint) -> Router {
    let admin = admin::router(endpoint.souk.clone());
    Router::new().nest_service(admin::PREFIX, admin).fallback(handle).with_state(Arc::new(endpoint))
}
