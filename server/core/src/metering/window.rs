//! Which moments may be metered now (aws-api A.2 and A.3: the time window).

use super::request::Door;
use crate::rejection::{Code, Rejection};
use crate::rules::{METER_USAGE_HOURS, MeteringWindow, Rules};
use crate::time::timestamp::HOUR_MICROS;
use crate::time::{BillingMonth, Timestamp};

/// Refuses a record's timestamp that is too old, in the future, or of a month that takes no more usage.
pub fn check(
    moment: Timestamp,
    now: Timestamp,
    rules: &Rules,
    door: Door,
    field: &str,
) -> Result<(), Rejection> {
    let refuse = |why: String| Err(Rejection::new(Code::TimestampOutOfBounds, field, why));
    if moment > now.plus_micros(rules.future_skew_micros) {
        let ahead = rules.future_skew_micros / 1_000_000;
        return refuse(format!(
            "{moment} lies more than {ahead} s in the future: it is {now} in the sandbox"
        ));
    }
    let month = BillingMonth::containing(moment);
    match rules.metering_window {
        // The hours before the end of the month go on counting until its last records are due.
        MeteringWindow::Hours(_)
            if rules.grace_extends_window && door == Door::Batch && is_in_grace(month, now) => {}
        MeteringWindow::Hours(hours) => {
            let age_micros = now.micros() - moment.micros();
            let limit_micros = |hours| i64::from(hours) * HOUR_MICROS;
            match door {
                Door::Batch if age_micros >= limit_micros(hours) => {
                    return refuse(format!("{moment} is {hours} h old or older: it is {now} in the sandbox"));
                }
                Door::MeterUsage if age_micros > limit_micros(METER_USAGE_HOURS) => {
                    return refuse(format!(
                        "{moment} is more than {METER_USAGE_HOURS} hours old: it is {now} in the sandbox"
                    ));
                }
                Door::Batch | Door::MeterUsage => (),
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

/// Whether a month is over and still takes usage.
fn is_in_grace(month: BillingMonth, now: Timestamp) -> bool {
    month.end() <= now && now < month.metering_ends_at()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Profile;

    fn ok(moment: &str, now: &str, window: MeteringWindow) -> bool {
        is_taken(moment, now, window, Door::Batch)
    }

    fn is_taken(moment: &str, now: &str, window: MeteringWindow, door: Door) -> bool {
        let at = |text: &str| Timestamp::parse(&format!("{text}Z")).unwrap();
        let rules = Rules { metering_window: window, ..Rules::of(Profile::Source) };
        check(at(moment), at(now), &rules, door, "timestamp").is_ok()
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
    fn meter_usage_takes_a_record_of_six_hours_and_no_older_one() {
        let month_end = ("2025-03-31T23:30:00", "2025-04-01T05:00:00");
        for (moment, now, window, batch, meter_usage) in [
            ("2025-03-10T12:00:00", "2025-03-10T18:00:00", MeteringWindow::Hours(24), true, true),
            ("2025-03-10T12:00:00", "2025-03-10T18:00:00.000001", MeteringWindow::Hours(24), true, false),
            ("2025-03-10T12:00:00", "2025-03-11T12:00:00", MeteringWindow::Hours(24), false, false),
            // The window of the rules is that of a batch.
            ("2025-03-10T12:00:00", "2025-03-10T18:00:00", MeteringWindow::Hours(1), false, true),
            ("2025-03-10T12:00:00", "2025-03-12T12:00:00", MeteringWindow::Hours(72), true, false),
            ("2025-03-10T12:05:00", "2025-03-10T12:00:00", MeteringWindow::Hours(24), true, true),
            ("2025-03-10T12:05:01", "2025-03-10T12:00:00", MeteringWindow::Hours(24), false, false),
            (month_end.0, month_end.1, MeteringWindow::Hours(24), true, true),
            ("2025-03-31T23:30:00", "2025-04-01T06:00:00", MeteringWindow::Hours(24), false, false),
            ("2025-03-01T00:00:00", "2025-03-31T00:00:00", MeteringWindow::OpenMonth, true, true),
            ("2025-03-01T00:00:00", "2025-04-02T00:00:00", MeteringWindow::OpenMonth, false, false),
        ] {
            let found = [Door::Batch, Door::MeterUsage].map(|door| is_taken(moment, now, window, door));
            assert_eq!(found, [batch, meter_usage], "{moment} at {now}, {window:?}");
        }
    }

    #[test]
    fn the_month_before_ends_at_six_on_the_first() {
        let day = MeteringWindow::Hours(24);
        assert!(ok("2025-03-31T23:00:00", "2025-04-01T05:59:59", day));
        assert!(!ok("2025-03-31T23:00:00", "2025-04-01T06:00:00", day));
        assert!(ok("2025-04-01T00:00:00", "2025-04-01T06:00:00", day));
    }

    #[test]
    fn the_grace_may_extend_the_window() {
        let at = |text: &str| Timestamp::parse(&format!("{text}Z")).unwrap();
        let extended = Rules { grace_extends_window: true, ..Rules::of(Profile::Source) };
        let both_hold = Rules::of(Profile::Source);
        for (moment, now, door, expected) in [
            ("2025-03-31T04:00:00", "2025-04-01T05:00:00", Door::Batch, true),
            ("2025-03-31T04:00:00", "2025-04-01T06:00:00", Door::Batch, false),
            ("2025-03-31T04:00:00", "2025-04-01T05:00:00", Door::MeterUsage, false),
            ("2025-02-28T04:00:00", "2025-04-01T05:00:00", Door::Batch, false),
            ("2025-03-30T04:00:00", "2025-03-31T05:00:00", Door::Batch, false),
        ] {
            let taken = check(at(moment), at(now), &extended, door, "timestamp").is_ok();
            assert_eq!(taken, expected, "{moment} at {now}");
            assert!(check(at(moment), at(now), &both_hold, door, "timestamp").is_err(), "{moment} at {now}");
        }
    }

    #[test]
    fn the_skew_is_a_rule() {
        let at = |text: &str| Timestamp::parse(&format!("{text}Z")).unwrap();
        let none = Rules { future_skew_micros: 0, ..Rules::of(Profile::Source) };
        let now = at("2025-03-10T12:00:00");
        assert!(check(now, now, &none, Door::Batch, "timestamp").is_ok());
        assert!(check(now.plus_micros(1), now, &none, Door::Batch, "timestamp").is_err());
    }

    #[test]
    fn an_open_month_takes_any_past_hour_until_it_closes() {
        let open = MeteringWindow::OpenMonth;
        assert!(ok("2025-03-01T00:00:00", "2025-04-01T23:59:59", open));
        assert!(!ok("2025-03-31T23:00:00", "2025-04-02T00:00:00", open));
        assert!(!ok("2025-03-10T13:00:00", "2025-03-10T12:00:00", open));
    }
}
