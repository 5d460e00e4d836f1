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

/// The agreement that prices usage which was metered ahead of its hour, when that agreement ended before the
/// hour began: records may lie ahead of the clock by the skew of the rules, which is an hour at most.
pub fn ended_just_before<'a>(
    agreements: impl Iterator<Item = &'a Agreement>,
    hour: UsageHour,
    skew_micros: i64,
) -> Option<&'a Agreement> {
    let just_ended = |agreement: &&Agreement| {
        agreement.end().is_some_and(|end| end <= hour.start() && hour.start() < end.plus_micros(skew_micros))
    };
    agreements.filter(just_ended).last()
}

/// Whether these agreements, of one buyer and product or of one licence, take a record of `moment` at `now`:
/// one of them covers it, and its chain has not ended more than an hour ago. A replaced or renewed agreement
/// has not ended for its buyer: the next of its chain goes on.
pub fn takes_record<'a>(
    agreements: &(impl Iterator<Item = &'a Agreement> + Clone),
    moment: Timestamp,
    now: Timestamp,
    window: MeteringWindow,
) -> bool {
    let mut covering = agreements.clone().filter(|agreement| agreement.covers(moment));
    covering.any(|agreement| is_in_time(agreements.clone(), agreement, now, window))
}

/// The same for instances reported by the hour: whatever prices the hour takes them.
pub fn takes_hour<'a>(
    agreements: &(impl Iterator<Item = &'a Agreement> + Clone),
    hour: UsageHour,
    now: Timestamp,
    window: MeteringWindow,
) -> bool {
    agreement_at(agreements.clone(), hour)
        .is_some_and(|agreement| is_in_time(agreements.clone(), agreement, now, window))
}

fn is_in_time<'a>(
    mut agreements: impl Iterator<Item = &'a Agreement>,
    agreement: &Agreement,
    now: Timestamp,
    window: MeteringWindow,
) -> bool {
    let goes_on =
        |other: &Agreement| other.end().is_none_or(|end| now < end.plus_micros(LAST_RECORDS_MICROS));
    match window {
        MeteringWindow::OpenMonth => true,
        MeteringWindow::Hours(_) => {
            agreements.any(|other| other.licence == agreement.licence && goes_on(other))
        }
    }
}

/// The hours at which the answers of [`agreement_at`] and [`ended_just_before`] may change, or what was paid for upfront
/// ends.
pub fn boundaries(agreement: &Agreement) -> impl Iterator<Item = UsageHour> {
    let prepaid = agreement.purchases.iter().filter(|purchase| purchase.prepays_use());
    let prepaid = prepaid.map(|purchase| UsageHour::at_or_after(purchase.until()));
    let end = agreement.end().map(UsageHour::at_or_after);
    let starts = [UsageHour::containing(agreement.start), UsageHour::at_or_after(agreement.start)];
    starts.into_iter().chain(end).chain(end.map(UsageHour::next)).chain(prepaid)
}
