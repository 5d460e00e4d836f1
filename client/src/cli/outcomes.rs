//! What became of many records: counts, and the records that were not metered.

use serde_json::{Value, json};
use souk_proto::metering::v1::{MessageRefusal, UsageRecordResult, UsageRecordStatus};

use super::error::CliError;
use super::output::{View, text, word};

/// So many exceptions are shown; the counts are always whole.
const SHOWN_MAX: usize = 10_000;

/// A record that was not answered with success.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Exception {
    place: String,
    status: String,
    metering_record_id: String,
    message: String,
}

/// Counts records by what became of them.
#[derive(Debug, Default)]
pub struct Outcomes {
    messages: u64,
    success: u64,
    duplicate: u64,
    not_subscribed: u64,
    unprocessed: u64,
    refused: u64,
    exceptions: Vec<Exception>,
}

impl Outcomes {
    /// Counts an answered message by its records with success.
    pub fn add_message(&mut self, success_count: u64) {
        self.messages += 1;
        self.success += success_count;
    }

    /// Counts a record that the server answered for itself.
    pub fn add_result(&mut self, place: impl FnOnce() -> String, result: &UsageRecordResult) {
        match result.status() {
            UsageRecordStatus::Success => {
                self.success += 1;
                return;
            }
            UsageRecordStatus::DuplicateRecord => self.duplicate += 1,
            UsageRecordStatus::CustomerNotSubscribed => self.not_subscribed += 1,
            // A status that this client does not know is at least no success.
            UsageRecordStatus::Unprocessed | UsageRecordStatus::Unspecified => self.unprocessed += 1,
        }
        self.remember(|| Exception {
            place: place(),
            status: status_word(result),
            metering_record_id: result.metering_record_id.clone(),
            message: String::new(),
        });
    }

    /// Counts the records of a message that was refused as a whole; the one that is wrong is named first.
    pub fn add_refusal(&mut self, places: &[u64], refusal: &MessageRefusal) {
        self.refused += places.len() as u64;
        let culprit = record_index(&refusal.field).and_then(|index| places.get(index)).copied();
        let reason = match refusal.field.as_str() {
            "" => refusal.message.clone(),
            field => format!("{field}: {}", refusal.message),
        };
        if let Some(place) = culprit {
            self.remember(|| not_sent(place, refusal.code.to_lowercase(), reason.clone()));
        }
        for &place in places.iter().filter(|place| Some(**place) != culprit) {
            self.remember(|| match culprit {
                Some(wrong) => {
                    not_sent(place, "refused".to_owned(), format!("its message was refused for {wrong}"))
                }
                None => not_sent(place, refusal.code.to_lowercase(), reason.clone()),
            });
        }
    }

    fn remember(&mut self, exception: impl FnOnce() -> Exception) {
        if self.exceptions.len() < SHOWN_MAX {
            self.exceptions.push(exception());
        }
    }

    /// How many records were answered.
    pub fn records(&self) -> u64 {
        self.success + self.not_metered()
    }

    fn not_metered(&self) -> u64 {
        self.duplicate + self.not_subscribed + self.unprocessed + self.refused
    }

    /// An error when a record was not metered, so that scripts notice.
    pub fn verdict(&self) -> Result<(), CliError> {
        match self.not_metered() {
            0 => Ok(()),
            count => Err(CliError::NotMetered(count)),
        }
    }

    /// Shows the counts, and the exceptions under the name of their places.
    pub fn view(&self, place: &'static str) -> View {
        let facts = [
            ("records", self.records()),
            ("messages", self.messages),
            ("success", self.success),
            ("duplicate_record", self.duplicate),
            ("customer_not_subscribed", self.not_subscribed),
            ("unprocessed", self.unprocessed),
            ("refused", self.refused),
        ]
        .map(|(name, count)| (name, count.to_string()));
        let rows = self.exceptions.iter().map(|exception| {
            vec![
                exception.place.clone(),
                exception.status.clone(),
                exception.metering_record_id.clone(),
                exception.message.clone(),
            ]
        });
        let columns = [place, "status", "metering_record_id", "message"].map(text).into();
        View::of_facts(facts.into(), self.json(place)).with_sheet("Not metered", columns, rows.collect())
    }

    fn json(&self, place: &str) -> Value {
        let exception = |exception: &Exception| {
            json!({
                place: exception.place,
                "status": exception.status,
                "meteringRecordId": exception.metering_record_id,
                "message": exception.message,
            })
        };
        json!({
            "records": self.records(),
            "messages": self.messages,
            "success": self.success,
            "duplicateRecord": self.duplicate,
            "customerNotSubscribed": self.not_subscribed,
            "unprocessed": self.unprocessed,
            "refused": self.refused,
            "exceptions": self.exceptions.iter().map(exception).collect::<Vec<_>>(),
        })
    }
}

/// What became of a record, in lower case.
pub fn status_word(result: &UsageRecordResult) -> String {
    word(result.status().as_str_name(), "USAGE_RECORD_STATUS_")
}

fn not_sent(place: u64, status: String, message: String) -> Exception {
    Exception { place: place.to_string(), status, metering_record_id: String::new(), message }
}

/// The record that a field belongs to: 7 of `usageRecords[7].dimension`.
fn record_index(field: &str) -> Option<usize> {
    field.split_once('[')?.1.split_once(']')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_that_were_not_metered_are_counted_and_shown() {
        let mut outcomes = Outcomes::default();
        outcomes.add_message(4_998);
        let duplicate = UsageRecordResult {
            record_index: 7,
            status: UsageRecordStatus::DuplicateRecord.into(),
            metering_record_id: "id-7".to_owned(),
        };
        outcomes.add_result(|| "9".to_owned(), &duplicate);
        outcomes.add_message(0);
        let refusal = MessageRefusal {
            code: "TIMESTAMP_OUT_OF_BOUNDS".to_owned(),
            field: "usage_records[0].timestamp".to_owned(),
            message: "older than 24 hours".to_owned(),
        };
        outcomes.add_refusal(&[11, 12], &refusal);

        insta::assert_snapshot!(outcomes.view("line").to_table(), @r"
        Records                  5001
        Messages                 2
        Success                  4998
        Duplicate record         1
        Customer not subscribed  0
        Unprocessed              0
        Refused                  2

        Not metered
        Line  Status                   Metering record id  Message
        ----- ------------------------ ------------------- ------------------------------------------------
        9     duplicate_record         id-7
        11    timestamp_out_of_bounds                      usage_records[0].timestamp: older than 24 hours
        12    refused                                      its message was refused for 11
        ");
        let error = outcomes.verdict().unwrap_err();
        assert_eq!(error.to_string(), "not metered: 3 of the records; see the result");
    }

    #[test]
    fn success_alone_is_no_error() {
        let mut outcomes = Outcomes::default();
        outcomes.add_message(25);
        assert!(outcomes.verdict().is_ok());
        assert_eq!(outcomes.view("line").json["records"], 25);
    }

    #[test]
    fn the_exceptions_shown_are_bounded_and_the_counts_are_not() {
        let mut outcomes = Outcomes::default();
        let places: Vec<u64> = (0..SHOWN_MAX as u64 + 5).collect();
        outcomes.add_refusal(&places, &MessageRefusal::default());
        assert_eq!(outcomes.exceptions.len(), SHOWN_MAX);
        assert_eq!(outcomes.records(), SHOWN_MAX as u64 + 5);
    }
}
