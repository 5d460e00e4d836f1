//! Days between moments, as proration counts them (Q8).

use super::Timestamp;

/// The days from one moment to an end: the day of the first counts, the day on which the end falls does not, unless
/// it ends with that day.
pub fn days_until(from: Timestamp, end: Timestamp) -> u32 {
    // An end at 23:59:59.999 is that of its whole day.
    let days = (end.plus_micros(1_000).date() - from.date()).num_days();
    u32::try_from(days).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_of_a_change_counts() {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        for (from, end, days) in [
            ("2025-07-02T00:00:00Z", "2026-01-01T00:00:00Z", 183),
            ("2025-07-02T18:30:00Z", "2026-01-01T00:00:00Z", 183),
            ("2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z", 365),
            ("2025-05-20T14:00:00Z", "2026-05-20T14:00:00Z", 365),
            ("2026-01-01T00:00:00Z", "2026-12-31T23:59:59.999Z", 365),
            ("2025-03-11T00:00:00Z", "2026-03-01T00:00:00Z", 355),
        ] {
            assert_eq!(days_until(at(from), at(end)), days, "{from} to {end}");
        }
    }
}
