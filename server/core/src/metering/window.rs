//! Which moments may be metered now (aws-api A.2: the time window).

use crate::rejection::{Code, Rejection};
use crate::rules::{FUTURE_SKEW_MICROS, MeteringWindow};
use crate::time::timestamp::HOUR_MICROS;
use crate::time::{BillingMonth, Timestamp};

/// Refuses a record's timestamp that is too old, in the future, or of a month that takes no more usage.
pub fn check(
    moment: Timestamp,
    now: Timestamp,
    window: MeteringWindow,
    field: &str,
) -> Result<(), Rejection> {
    let refuse = |why: String| Err(Rejection::new(Code::TimestampOutOfBounds, field, why));
    if moment > now.plus_micros(FUTURE_SKEW_MICROS) {
        return refuse(format!("{moment} lies in the future: it is {now} in the sandbox"));
    }
    let month = BillingMonth::containing(moment);
    match window {
        MeteringWindow::Hours(hours) => {
            let age_micros = now.micros() - moment.micros();
            if age_micros >= i64::from(hours) * HOUR_MICROS {
                return refuse(format!("{moment} is {hours} hours old or older: it is {now} in the sandbox"));
            }
            if now >= month.metering_ends_at() {
                let end = month.metering_ends_at();
                return refuse(format!(
                    "usage of {month} was accepted until {end}: it is {now} in the sandbox"
                ));
            }
        }
        MeteringWindow::OpenMonth => {
            if now >= month.invoiced_at() {
                return refuse(format!(
                    "{month} was closed at {}: it is {now} in the sandbox",
                    month.invoiced_at()
                ));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ok(moment: &str, now: &str, window: MeteringWindow) -> bool {
        let at = |text: &str| Timestamp::parse(&format!("{text}Z")).unwrap();
        check(at(moment), at(now), window, "timestamp").is_ok()
    }

    #[test]
    fn a_record_is_accepted_for_less_than_its_window() {
        let day = MeteringWindow::Hours(24);
        for (moment, now, expected) in [
            ("2025-03-10T12:00:00", "2025-03-11T11:59:59.999999", true),
            ("2025-03-10T12:00:00", "2025-03-11T12:00:00", false),
            ("2025-03-10T12:05:00", "2025-03-10T12:00:00", true),
            ("2025-03-10T12:05:00.000001", "2025-03-10T12:00:00", false),
        ] {
            assert_eq!(ok(moment, now, day), expected, "{moment} at {now}");
        }
        assert!(ok("2025-03-10T12:00:01", "2025-03-10T18:00:00", MeteringWindow::Hours(6)));
        assert!(!ok("2025-03-10T12:00:00", "2025-03-10T18:00:00", MeteringWindow::Hours(6)));
        assert!(!ok("2025-03-10T12:00:00", "2025-03-10T13:00:00", MeteringWindow::Hours(1)));
    }

    #[test]
    fn the_month_before_ends_at_six_on_the_first() {
        let day = MeteringWindow::Hours(24);
        assert!(ok("2025-03-31T23:00:00", "2025-04-01T05:59:59", day));
        assert!(!ok("2025-03-31T23:00:00", "2025-04-01T06:00:00", day));
        assert!(ok("2025-04-01T00:00:00", "2025-04-01T06:00:00", day));
    }

    #[test]
    fn an_open_month_takes_any_past_hour_until_it_closes() {
        let open = MeteringWindow::OpenMonth;
        assert!(ok("2025-03-01T00:00:00", "2025-04-01T23:59:59", open));
        assert!(!ok("2025-03-31T23:00:00", "2025-04-02T00:00:00", open));
        assert!(!ok("2025-03-10T13:00:00", "2025-03-10T12:00:00", open));
    }
}
