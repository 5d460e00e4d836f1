//! What the server answers, whatever the door.

use std::time::Duration;

use prost::Message;
use souk_client::proto::metering::v1::{StreamUsageResponse, UsageRecordStatus};

use super::protobuf::{Field, Fields, Unreadable};

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Metered, now or before with the same quantity.
    Success,
    /// Its buyer has no agreement.
    NotSubscribed,
    /// Metered before with another quantity.
    Duplicate,
    /// Not this time.
    Unprocessed,
    /// No word of the contract.
    Unknown,
}

/// The answer to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// What became of its rows.
    Rows {
        /// How many were answered.
        count: u64,
        /// Those that are no success, in order.
        exceptions: Vec<(u32, Status)>,
    },
    /// It was refused as a whole.
    Refused {
        /// The stable code.
        code: String,
        /// The field and the words.
        words: String,
        /// It may be sent again after so long.
        retry_after: Option<Duration>,
    },
}

impl Status {
    /// Reads the contract's number.
    #[must_use]
    pub fn of_number(number: u64) -> Status {
        match i32::try_from(number).ok().and_then(|number| UsageRecordStatus::try_from(number).ok()) {
            Some(UsageRecordStatus::Success) => Status::Success,
            Some(UsageRecordStatus::CustomerNotSubscribed) => Status::NotSubscribed,
            Some(UsageRecordStatus::DuplicateRecord) => Status::Duplicate,
            Some(UsageRecordStatus::Unprocessed) => Status::Unprocessed,
            Some(UsageRecordStatus::Unspecified) | None => Status::Unknown,
        }
    }

    /// As the contract names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Status::Success => "SUCCESS",
            Status::NotSubscribed => "CUSTOMER_NOT_SUBSCRIBED",
            Status::Duplicate => "DUPLICATE_RECORD",
            Status::Unprocessed => "UNPROCESSED",
            Status::Unknown => "a status that the contract does not know",
        }
    }
}

/// Reads BatchMeterUsageResponse and ReportInstanceHoursResponse: a result for each record.
///
/// # Errors
/// When the bytes are neither.
pub fn of_results(bytes: &[u8]) -> Result<Answer, Unreadable> {
    let (mut count, mut exceptions) = (0, Vec::new());
    let mut results = Fields::of(bytes);
    while let Some(field) = results.next()? {
        let Field::Bytes(1, result) = field else { continue };
        let (mut index, mut status) = (0, 0);
        let mut fields = Fields::of(result);
        while let Some(field) = fields.next()? {
            match field {
                Field::Number(1, number) => index = number,
                Field::Number(2, number) => status = number,
                Field::Number(..) | Field::Bytes(..) => {}
            }
        }
        count += 1;
        let status = Status::of_number(status);
        if status != Status::Success {
            exceptions.push((u32::try_from(index).map_err(|_| Unreadable)?, status));
        }
    }
    Ok(Answer::Rows { count, exceptions })
}

/// Reads StreamUsageResponse; answers its number, too.
///
/// # Errors
/// When the bytes are none.
pub fn of_stream(bytes: &[u8]) -> Result<(u64, Answer), Unreadable> {
    let response = StreamUsageResponse::decode(bytes).map_err(|_| Unreadable)?;
    let answer = match response.refusal {
        Some(refusal) => Answer::Refused {
            code: refusal.code,
            words: format!("{}: {}", refusal.field, refusal.message),
            retry_after: None,
        },
        None => Answer::Rows {
            count: u64::from(response.success_count) + response.exceptions.len() as u64,
            exceptions: response
                .exceptions
                .iter()
                .map(|result| {
                    (result.record_index, Status::of_number(u64::from(result.status.cast_unsigned())))
                })
                .collect(),
        },
    };
    Ok((response.message_index, answer))
}

#[cfg(test)]
mod tests {
    use souk_client::proto::metering::v1::{BatchMeterUsageResponse, MessageRefusal, UsageRecordResult};

    use super::*;

    #[test]
    fn results_are_read_as_the_generated_code_writes_them() {
        let statuses = [
            UsageRecordStatus::Success,
            UsageRecordStatus::DuplicateRecord,
            UsageRecordStatus::Success,
            UsageRecordStatus::CustomerNotSubscribed,
            UsageRecordStatus::Unprocessed,
        ];
        let results = statuses.iter().zip(0..).map(|(status, record_index)| UsageRecordResult {
            record_index,
            status: (*status).into(),
            metering_record_id: "19cec776-1c1c-8c6f-909d-b8d10005d16f".to_owned(),
        });
        let bytes = BatchMeterUsageResponse { results: results.collect() }.encode_to_vec();
        let exceptions = vec![(1, Status::Duplicate), (3, Status::NotSubscribed), (4, Status::Unprocessed)];
        assert_eq!(of_results(&bytes), Ok(Answer::Rows { count: 5, exceptions }));
        assert_eq!(of_results(&bytes[..bytes.len() - 1]), Err(Unreadable));
    }

    #[test]
    fn answers_of_a_stream_say_their_number_and_why_a_message_was_refused() {
        let result = UsageRecordResult { record_index: 7, status: 3, metering_record_id: String::new() };
        let response = StreamUsageResponse {
            message_index: 9,
            success_count: 4,
            exceptions: vec![result],
            refusal: None,
        };
        let exceptions = vec![(7, Status::Duplicate)];
        let read = of_stream(&response.encode_to_vec());
        assert_eq!(read, Ok((9, Answer::Rows { count: 5, exceptions })));

        let refusal = MessageRefusal { code: "X".to_owned(), field: "f".to_owned(), message: "m".to_owned() };
        let response = StreamUsageResponse { refusal: Some(refusal), ..response };
        let (_, answer) = of_stream(&response.encode_to_vec()).unwrap();
        assert!(matches!(answer, Answer::Refused { code, words, .. } if code == "X" && words == "f: m"));
    }
}
