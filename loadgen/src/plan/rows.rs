//! The rows of a message of string records, as every door of strings sends them.

use super::{Chunk, Extra, Feed, Plan, Probe, ProbeKind, Purpose};

const HOUR_SECONDS: i64 = 3_600;

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sending {
    /// A message of a feed.
    Usage(u64),
    /// A wrong one before it.
    Probe(u64, Probe),
}

/// A record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Of which series.
    pub series: u32,
    /// When, in seconds since 1970.
    pub seconds: i64,
    /// How much.
    pub millionths: u64,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// Its buyer is not known.
    Stranger,
    /// Its dimension is not the product's.
    Dimension,
}

impl Sending {
    /// The message of the feed that it is, or comes before.
    #[must_use]
    pub fn message(self) -> u64 {
        match self {
            Sending::Usage(message) | Sending::Probe(message, _) => message,
        }
    }

    /// Whether its product does not exist.
    #[must_use]
    pub fn names_no_product(self) -> bool {
        matches!(self, Sending::Probe(_, Probe { kind: ProbeKind::Product, .. }))
    }
}

impl Feed {
    /// Shows every row of what is sent, in order. `extras` is room to work in.
    pub fn rows(&self, plan: &Plan, sending: Sending, extras: &mut Vec<Extra>, mut show: impl FnMut(Row)) {
        let (hour, chunk) = self.place(sending.message());
        let series = self.series_of(chunk);
        let start = i64::from(plan.calendar.index(hour)) * HOUR_SECONDS;
        match sending {
            Sending::Usage(message) => {
                for &series in series {
                    let millionths = plan.millionths(series, hour);
                    show(Row { series, seconds: start + second(series), millionths, fault: Fault::None });
                }
                self.extras(plan, message, extras);
                for extra in &*extras {
                    show(self.extra_row(plan, hour, chunk, *extra));
                }
            }
            Sending::Probe(message, probe) => {
                let (good, rest) = series.split_at(probe.good as usize);
                for &series in good {
                    let millionths = plan.contradiction(series, hour);
                    show(Row { series, seconds: start + second(series), millionths, fault: Fault::None });
                }
                let wrong = i64::from(self.wrong_hour(plan, message, probe.kind)) * HOUR_SECONDS;
                let fault = if probe.kind == ProbeKind::Dimension { Fault::Dimension } else { Fault::None };
                for &series in &rest[..probe.bad as usize] {
                    let millionths = plan.contradiction(series, hour);
                    show(Row { series, seconds: wrong + second(series), millionths, fault });
                }
            }
        }
    }

    fn extra_row(&self, plan: &Plan, hour: u32, chunk: Chunk, extra: Extra) -> Row {
        let series = self.series[(chunk.start + extra.row) as usize];
        let hour = hour - extra.back;
        let seconds = i64::from(plan.calendar.index(hour)) * HOUR_SECONDS;
        let millionths = match extra.purpose {
            Purpose::Repeat | Purpose::Stranger => plan.millionths(series, hour),
            Purpose::Change => plan.contradiction(series, hour),
        };
        let fault = if extra.purpose == Purpose::Stranger { Fault::Stranger } else { Fault::None };
        // A retry need not have the second of its record: the hour counts.
        Row { series, seconds: seconds + (second(series) + 1_801) % HOUR_SECONDS, millionths, fault }
    }

    /// How many rows are sent.
    #[must_use]
    pub fn rows_of(&self, plan: &Plan, sending: Sending, extras: &mut Vec<Extra>) -> u64 {
        match sending {
            Sending::Usage(message) => {
                let (_, chunk) = self.place(message);
                self.extras(plan, message, extras);
                u64::from(chunk.end - chunk.start) + extras.len() as u64
            }
            Sending::Probe(_, probe) => u64::from(probe.good + probe.bad),
        }
    }
}

/// Any second of the hour will do.
fn second(series: u32) -> i64 {
    i64::from(series) * 7 % HOUR_SECONDS
}
