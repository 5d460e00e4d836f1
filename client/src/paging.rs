//! Lists: a page at a time, or to their end.

use std::future::Future;

use crate::{Call, ClientError};

/// The largest page that a server answers.
pub const PAGE_SIZE_MAX: i32 = 1_000;

/// Which page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageRequest {
    /// At most so many entries; 0 takes the server's default.
    pub size: i32,
    /// Where to go on, from the page before; empty for the first page.
    pub token: String,
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// Its entries.
    pub entries: Vec<T>,
    /// Where the next page goes on; empty on the last page.
    pub next_page_token: String,
}

/// Reads a list to its end, in the largest pages.
pub(crate) async fn all<T, F, Answer>(call: Call, mut read: F) -> Result<Vec<T>, ClientError>
where
    F: FnMut(PageRequest) -> Answer,
    Answer: Future<Output = Result<Page<T>, ClientError>>,
{
    let mut entries = Vec::new();
    let mut token = String::new();
    loop {
        let page = read(PageRequest { size: PAGE_SIZE_MAX, token: token.clone() }).await?;
        entries.extend(page.entries);
        if page.next_page_token.is_empty() {
            return Ok(entries);
        }
        // The same token again would go on for ever.
        if page.next_page_token == token {
            return Err(ClientError::Incomplete { call, missing: "a token that goes on" });
        }
        token = page.next_page_token;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_list_is_read_to_its_end_and_never_in_a_circle() {
        let pages = |stuck: bool| {
            move |request: PageRequest| async move {
                assert_eq!(request.size, PAGE_SIZE_MAX);
                let (entry, next) = match request.token.as_str() {
                    "" => (1, "b"),
                    "b" if stuck => (2, "b"),
                    "b" => (2, "c"),
                    _ => (3, ""),
                };
                Ok(Page { entries: vec![entry], next_page_token: next.to_owned() })
            }
        };
        assert_eq!(all(Call::ListAccounts, pages(false)).await.unwrap(), [1, 2, 3]);
        let error = all(Call::ListAccounts, pages(true)).await.unwrap_err();
        assert_eq!(error.to_string(), "the answer to ListAccounts lacks a token that goes on");
    }
}
