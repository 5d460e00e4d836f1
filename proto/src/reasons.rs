//! The codes of refusals: `google.rpc.ErrorInfo` carries one as its reason. `REASONS.md` lists them with what they mean;
//! it is made from the server's own list, and a test there compares.

const PAGE: &str = include_str!("../REASONS.md");

/// Every code, in the order of the page.
pub fn all() -> impl Iterator<Item = &'static str> {
    PAGE.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next())
}

#[cfg(test)]
mod tests {
    #[test]
    fn codes_are_found_on_the_page() {
        let codes: Vec<_> = super::all().collect();
        assert!(codes.len() > 80, "{codes:?}");
        assert!(codes.contains(&"OFFER_EXPIRED"));
        assert!(
            codes.iter().all(|code| code.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')),
            "{codes:?}"
        );
    }
}
