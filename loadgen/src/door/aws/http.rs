//! HTTP/1.1 as far as one request after the other on a connection needs it.

use anyhow::{Context, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Bytes of an answer at most.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// A connection that stays open.
#[derive(Debug)]
pub struct Connection {
    address: String,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

impl Connection {
    /// To this host and port, made with the first request.
    #[must_use]
    pub fn to(address: &str) -> Connection {
        Connection { address: address.to_owned(), stream: None, buffer: Vec::with_capacity(8 * 1024) }
    }

    /// Sends a whole request, and reads the answer: its status and body.
    ///
    /// # Errors
    /// When the connection breaks or the answer is no HTTP; the next request then makes a new one.
    pub async fn ask(&mut self, request: &[u8]) -> anyhow::Result<(u16, &[u8])> {
        // Only a connection that did its work is kept.
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => connect(&self.address).await?,
        };
        stream.write_all(request).await.context("failed to send a request")?;
        self.buffer.clear();
        let head = loop {
            read(&mut stream, &mut self.buffer).await?;
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
        };
        let answer = Head::parse(&self.buffer[..head])?;
        while self.buffer.len() < head + answer.length {
            read(&mut stream, &mut self.buffer).await?;
        }
        if !answer.closes {
            self.stream = Some(stream);
        }
        Ok((answer.status, &self.buffer[head..head + answer.length]))
    }
}

async fn connect(address: &str) -> anyhow::Result<TcpStream> {
    let stream = TcpStream::connect(address).await.with_context(|| format!("nobody answers at {address}"))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> anyhow::Result<()> {
    ensure!(buffer.len() < ANSWER_BYTES_MAX, "an answer is longer than {ANSWER_BYTES_MAX} bytes");
    let count = stream.read_buf(buffer).await.context("failed to read an answer")?;
    ensure!(0 < count, "the server closed the connection");
    Ok(())
}

/// What is needed of an answer's head.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    length: usize,
    closes: bool,
}

impl Head {
    fn parse(bytes: &[u8]) -> anyhow::Result<Head> {
        let text = std::str::from_utf8(bytes).context("an answer's head is no text")?;
        let mut lines = text.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
        let status = status.with_context(|| format!("an answer has no status: {text}"))?;
        let (mut length, mut closes) = (None, false);
        for line in lines {
            let Some((name, value)) = line.split_once(':') else { continue };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().ok();
            } else if name.eq_ignore_ascii_case("connection") {
                closes = value.trim().eq_ignore_ascii_case("close");
            }
        }
        let length = length.with_context(|| format!("an answer does not say its length: {text}"))?;
        Ok(Head { status, length, closes })
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn heads_are_read_in_any_spelling() {
        let head =
            Head::parse(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 17\r\nConnection: close\r\n\r\n")
                .unwrap();
        assert_eq!(head, Head { status: 400, length: 17, closes: true });
        assert!(Head::parse(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
        assert!(Head::parse(b"nonsense\r\n\r\n").is_err());
    }

    #[tokio::test]
    async fn a_connection_serves_many_requests_and_is_made_anew_when_it_broke() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = tokio::spawn(async move {
            for answers in [2, 1] {
                let (mut stream, _) = listener.accept().await.unwrap();
                for _ in 0..answers {
                    let mut request = [0; 4];
                    stream.read_exact(&mut request).await.unwrap();
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel").await.unwrap();
                    stream.write_all(b"lo").await.unwrap();
                }
            }
        });
        let mut connection = Connection::to(&address);
        for _ in 0..2 {
            assert_eq!(connection.ask(b"PING").await.unwrap(), (200, b"hello".as_slice()));
        }
        assert!(connection.ask(b"PING").await.is_err());
        assert_eq!(connection.ask(b"PING").await.unwrap().0, 200);
        server.await.unwrap();
    }
}
