//! Pages of lists. A page token is the key of the last item that was answered, with a check over the list it
//! belongs to: a token of another list, or one that no answer gave, is refused instead of giving a wrong page.

use souk_core::ids::{content_hash, letters};
use souk_core::rejection::{Code, Rejection};

/// Items of a page when the request does not say.
pub const PAGE_SIZE_DEFAULT: usize = 100;
/// Items of a page at most.
pub const PAGE_SIZE_MAX: usize = 1_000;

const CHECK_LETTERS: usize = 8;

/// Takes the page that a request asks for out of `items`, which come in the order of their keys; with the
/// token of the next page, empty on the last. `list` names what is listed, with its filters.
///
/// # Errors
/// `FIELD_INVALID` for the page size, `PAGE_TOKEN_INVALID` for a token of no answer about this list.
pub fn page<T>(
    list: &str,
    items: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> String,
    page_size: i32,
    page_token: &str,
) -> Result<(Vec<T>, String), Rejection> {
    let size = from_proto_page_size(page_size)?;
    let after = from_proto_page_token(list, page_token)?;
    let is_behind = |item: &T| after.as_ref().is_some_and(|after| key(item) <= *after);
    Ok(first_page(list, items.into_iter().skip_while(is_behind), &key, size))
}

/// The same out of items that all come after the token: so many of them, with the token of the next page if
/// there are more.
pub fn first_page<T>(
    list: &str,
    items: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> String,
    size: usize,
) -> (Vec<T>, String) {
    let mut rest = items.into_iter().peekable();
    let page: Vec<T> = rest.by_ref().take(size).collect();
    let next = match (rest.peek(), page.last()) {
        (Some(_), Some(last)) => to_proto_page_token(list, &key(last)),
        _ => String::new(),
    };
    (page, next)
}

/// Reads a page size: 1 to 1,000, and 100 when absent.
///
/// # Errors
/// `FIELD_INVALID`.
pub fn from_proto_page_size(page_size: i32) -> Result<usize, Rejection> {
    match usize::try_from(page_size) {
        Ok(0) => Ok(PAGE_SIZE_DEFAULT),
        Ok(size) if size <= PAGE_SIZE_MAX => Ok(size),
        _ => {
            let message = format!("{page_size} is no page size: give 1 to {PAGE_SIZE_MAX}, or leave it out");
            Err(Rejection::new(Code::FieldInvalid, "pageSize", message))
        }
    }
}

/// Reads the key after which a page begins; none when there is no token.
///
/// # Errors
/// `PAGE_TOKEN_INVALID`.
pub fn from_proto_page_token(list: &str, token: &str) -> Result<Option<String>, Rejection> {
    if token.is_empty() {
        return Ok(None);
    }
    let checked = token.split_at_checked(CHECK_LETTERS).and_then(|(check_letters, digits)| {
        let key = String::from_utf8(from_hex(digits)?).ok()?;
        (check(list, &key) == check_letters).then_some(key)
    });
    checked.map(Some).ok_or_else(|| {
        let message = "no answer to this request gave this token: take nextPageToken of the page before, and \
                       change nothing else in the request";
        Rejection::new(Code::PageTokenInvalid, "pageToken", message)
    })
}

/// The token of the page after the item with this key.
pub fn to_proto_page_token(list: &str, key: &str) -> String {
    let digits: String = key.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("{}{digits}", check(list, key))
}

fn check(list: &str, key: &str) -> String {
    letters(content_hash("page token", &[list, key]), CHECK_LETTERS)
}

fn from_hex(digits: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let pairs = digits.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::refusal;
    use super::*;

    fn keys(count: usize) -> Vec<String> {
        (0..count).map(|number| format!("{number:04}")).collect()
    }

    fn pages(count: usize, size: i32) -> Vec<Vec<String>> {
        let mut pages = Vec::new();
        let mut token = String::new();
        loop {
            let (items, next) = page("things", keys(count), String::clone, size, &token).unwrap();
            pages.push(items);
            if next.is_empty() {
                return pages;
            }
            token = next;
        }
    }

    #[test]
    fn page_sizes_have_a_default_and_a_limit() {
        for (size, expected) in
            [(0, Some(100)), (1, Some(1)), (1_000, Some(1_000)), (-1, None), (1_001, None), (i32::MIN, None)]
        {
            let read = from_proto_page_size(size);
            match expected {
                Some(expected) => assert_eq!(read, Ok(expected), "{size}"),
                None => {
                    assert_eq!(refusal(read), Some((Code::FieldInvalid, "pageSize".to_owned())), "{size}");
                }
            }
        }
    }

    #[test]
    fn a_full_last_page_has_no_next() {
        for (count, size, lengths) in
            [(0, 2, vec![0]), (1, 2, vec![1]), (2, 2, vec![2]), (3, 2, vec![2, 1]), (101, 0, vec![100, 1])]
        {
            let found: Vec<_> = pages(count, size).iter().map(Vec::len).collect();
            assert_eq!(found, lengths, "{count} items by {size}");
        }
    }

    #[test]
    fn a_page_goes_on_behind_an_item_that_is_gone() {
        let (_, token) = page("things", keys(5), String::clone, 2, "").unwrap();
        let rest: Vec<String> = keys(5).into_iter().filter(|key| key != "0001").collect();
        let (items, _) = page("things", rest, String::clone, 2, &token).unwrap();
        assert_eq!(items, ["0002", "0003"]);
    }

    #[test]
    fn a_token_of_no_answer_is_refused() {
        let own = to_proto_page_token("things", "0001");
        let other = to_proto_page_token("others", "0001");
        let longer = format!("{own}0");
        let mut turned = own.clone();
        turned.replace_range(..1, if own.starts_with('a') { "b" } else { "a" });
        let upper = own.to_uppercase();
        for token in [&other, &longer, &turned, &upper, "x", "0001", "00000000", "ääääääää"] {
            let refused = refusal(page("things", keys(3), String::clone, 0, token));
            assert_eq!(refused, Some((Code::PageTokenInvalid, "pageToken".to_owned())), "{token}");
        }
    }

    proptest! {
        #[test]
        fn pages_together_are_the_list(count in 0_usize..40, size in 1_i32..12) {
            prop_assert_eq!(pages(count, size).concat(), keys(count));
        }

        #[test]
        fn tokens_carry_any_key(key in any::<String>()) {
            let token = to_proto_page_token("things", &key);
            prop_assert_eq!(from_proto_page_token("things", &token), Ok(Some(key)));
        }
    }
}
