//! The connection, and the two ways a call goes over it.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status, Streaming};

use crate::{Call, ClientError, RetryPolicy, Settings, retry};

/// The largest answer that is read: an invoice of a large family has many lines.
pub const MESSAGE_SIZE_MAX: usize = 256 * 1024 * 1024;

/// HTTP/2's default of 64 KiB halves the speed of a stream of usage.
const STREAM_WINDOW_BYTES: u32 = 4 * 1024 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 16 * 1024 * 1024;

/// A client of one server. Cloning it is cheap and shares the connection.
#[derive(Clone, Debug)]
pub struct SoukClient {
    channel: Channel,
    endpoint: Arc<str>,
    settings: Settings,
}

impl SoukClient {
    /// Connects with [`Settings::STANDARD`].
    ///
    /// # Errors
    /// When the endpoint is not an address, or nobody answers there.
    pub async fn connect(endpoint: &str) -> Result<Self, ClientError> {
        Self::connect_with(endpoint, Settings::STANDARD).await
    }

    /// Connects with settings of one's own.
    ///
    /// # Errors
    /// When the endpoint is not an address, or nobody answers there.
    pub async fn connect_with(endpoint: &str, settings: Settings) -> Result<Self, ClientError> {
        let connecting = parse_endpoint(endpoint, &settings)?;
        let channel =
            connecting.connect().await.map_err(|error| ClientError::unreachable(endpoint, error))?;
        Ok(SoukClient { channel, endpoint: endpoint.into(), settings })
    }

    /// Connects with the first call, which then says whether anybody is there.
    ///
    /// # Errors
    /// When the endpoint is not an address.
    pub fn connect_lazily(endpoint: &str, settings: Settings) -> Result<Self, ClientError> {
        let channel = parse_endpoint(endpoint, &settings)?.connect_lazy();
        Ok(SoukClient { channel, endpoint: endpoint.into(), settings })
    }

    /// The same client with another deadline for its calls.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.settings.deadline = deadline;
        self
    }

    /// The same client with other retries.
    #[must_use]
    pub fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.settings.retry = retry;
        self
    }

    /// Where the server is.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// How patient the client is.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// One request, one answer, within the deadline; repeated where that is safe.
    pub(crate) async fn unary<Q, A, F, Answer>(
        &self,
        call: Call,
        question: Q,
        send: F,
    ) -> Result<A, ClientError>
    where
        Q: Clone,
        F: Fn(Channel, Request<Q>) -> Answer,
        Answer: Future<Output = Result<Response<A>, Status>>,
    {
        retry::run(&self.settings, call, |left| {
            let mut request = Request::new(question.clone());
            request.set_timeout(left);
            let answer = send(self.channel(), request);
            async { answer.await.map(Response::into_inner).map_err(|status| self.failure(call, status)) }
        })
        .await
    }

    /// One request, many answers, of which the first is read at once: until it is there the call is repeated
    /// where that is safe. The deadline is for each answer, so the server is not told one for the whole.
    pub(crate) async fn server_stream<Q, A, F, Answer>(
        &self,
        call: Call,
        question: Q,
        send: F,
    ) -> Result<(Option<A>, Streaming<A>), ClientError>
    where
        Q: Clone,
        F: Fn(Channel, Request<Q>) -> Answer,
        Answer: Future<Output = Result<Response<Streaming<A>>, Status>>,
    {
        retry::run(&self.settings, call, |_| {
            let answer = send(self.channel(), Request::new(question.clone()));
            async {
                let opened = async {
                    let mut stream = answer.await?.into_inner();
                    let first = stream.message().await?;
                    Ok((first, stream))
                };
                opened.await.map_err(|status| self.failure(call, status))
            }
        })
        .await
    }

    /// The next message of a stream, within the deadline.
    pub(crate) async fn next_message<A>(
        &self,
        call: Call,
        stream: &mut Streaming<A>,
    ) -> Result<Option<A>, ClientError> {
        match timeout(self.settings.deadline, stream.message()).await {
            Ok(outcome) => outcome.map_err(|status| self.failure(call, status)),
            Err(_) => Err(ClientError::TimedOut { call, deadline: self.settings.deadline }),
        }
    }

    pub(crate) fn failure(&self, call: Call, status: Status) -> ClientError {
        ClientError::from_status(call, status, &self.endpoint, self.settings.deadline)
    }
}

/// Takes a message that the contract promises out of an answer.
pub(crate) fn required<T>(call: Call, part: Option<T>, missing: &'static str) -> Result<T, ClientError> {
    part.ok_or(ClientError::Incomplete { call, missing })
}

fn parse_endpoint(endpoint: &str, settings: &Settings) -> Result<Endpoint, ClientError> {
    // A name without a scheme parses as well, but leads nowhere.
    let parsed = Endpoint::from_shared(endpoint.to_owned()).ok();
    let parsed = parsed.filter(|parsed| parsed.uri().scheme().is_some());
    let parsed = parsed.ok_or_else(|| ClientError::Endpoint { endpoint: endpoint.to_owned() })?;
    Ok(parsed
        .connect_timeout(settings.connect_timeout)
        .tcp_nodelay(true)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_endpoint_that_is_no_address_is_told_from_one_where_nobody_is() {
        for endpoint in ["not an address", "localhost", "localhost:7625", ""] {
            let error = SoukClient::connect(endpoint).await.unwrap_err();
            assert!(matches!(error, ClientError::Endpoint { .. }), "{error}");
        }

        // Port 1 is reserved and nobody listens there.
        let error = SoukClient::connect("http://127.0.0.1:1").await.unwrap_err();
        assert!(matches!(error, ClientError::Unreachable { .. }), "{error}");
        assert!(error.to_string().starts_with("no connection to http://127.0.0.1:1: "), "{error}");
    }
}
