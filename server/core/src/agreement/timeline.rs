//! Which agreement prices an hour, and whether a record may still be sent (Q1, section 0 row 21, A.2).

use super::Agreement;
use crate::rules::{LAST_RECORDS_MICROS, MeteringWindow};
use crate::time::{Timestamp, UsageHour};

/// The agreement that prices an hour, of those of one buyer and product or of one licence, in the order of
/// their acceptance: the earliest that is live at the hour's start; in the hour in which a buyer's first
/// agreement begins, that one.
pub fn agreement_at<'a>(
    agreements: impl Iterator<Item = &'a Agreement>,
    hour: UsageHour,
) -> Option<&'a Agreement> {
    let (start, end) = (hour.start(), hour.next().start());
    let mut first_in_hour = None;
    for agreement in agreements {
        if agreement.covers(start) {
            return Some(agreement);
        }
        if start < agreement.start && agreement.start < end && first_in_hour.is_none() {
            first_in_hour = Some(agreement);
        }
    }
    first_in_hour
}

/// Whether one of these agreements takes a record of `moment` at `now`: it covers the moment, and has not
/// ended more than an hour ago.
pub fn takes_record<'a>(
    mut agreements: impl Iterator<Item = &'a Agreement>,
    moment: Timestamp,
    now: Timestamp,
    window: MeteringWindow,
) -> bool {
    agreements.any(|agreement| {
        let in_time = match (agreement.end(), window) {
            (None, _) | (_, MeteringWindow::OpenMonth) => true,
            (Some(end), MeteringWindow::Hours(_)) => now < end.plus_micros(LAST_RECORDS_MICROS),
        };
        agreement.covers(moment) && in_time
    })
}

/// The hours at which the answer of [`agreement_at`] may change.
pub fn boundaries(agreement: &Agreement) -> impl Iterator<Item = UsageHour> {
    let end = agreement.end().map(UsageHour::at_or_after);
    [UsageHour::containing(agreement.start), UsageHour::at_or_after(agreement.start)].into_iter().chain(end)
}
