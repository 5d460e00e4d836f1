//! A codec for usage: requests are taken as the bytes that they are, and read where they lie; the results of a batch
//! are written without being made into messages first.

use std::marker::PhantomData;

use bytes::{Buf, BufMut, Bytes};
use souk_core::metering::UsageOutcome;
use souk_proto::metering::v1 as proto;
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic_prost::ProstEncoder;

use super::convert::usage::to_proto_status;

/// Takes requests as bytes; `E` writes the answers.
#[derive(Debug)]
pub struct LentCodec<E>(PhantomData<E>);

/// Takes a message as it is, without copying it.
#[derive(Debug, Default)]
pub struct AsBytes;

/// Writes what became of a batch as a `BatchMeterUsageResponse`.
#[derive(Debug, Default)]
pub struct BatchResults;

/// The codec of BatchMeterUsage.
pub type BatchCodec = LentCodec<BatchResults>;
/// The codec of StreamUsage.
pub type StreamCodec = LentCodec<ProstEncoder<proto::StreamUsageResponse>>;

impl<E> Default for LentCodec<E> {
    fn default() -> LentCodec<E> {
        LentCodec(PhantomData)
    }
}

impl<E> Codec for LentCodec<E>
where
    E: Encoder<Error = Status> + Default + Send + 'static,
    E::Item: Send + 'static,
{
    type Encode = E::Item;
    type Decode = Bytes;
    type Encoder = E;
    type Decoder = AsBytes;

    fn encoder(&mut self) -> E {
        E::default()
    }

    fn decoder(&mut self) -> AsBytes {
        AsBytes
    }
}

impl Decoder for AsBytes {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, message: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(message.copy_to_bytes(message.remaining())))
    }
}

impl Encoder for BatchResults {
    type Item = Vec<UsageOutcome>;
    type Error = Status;

    fn encode(&mut self, outcomes: Vec<UsageOutcome>, message: &mut EncodeBuf<'_>) -> Result<(), Status> {
        // With an id, a result takes at most 52 bytes.
        message.reserve(outcomes.len() * 52);
        for outcome in &outcomes {
            write_result(outcome, message);
        }
        Ok(())
    }
}

/// Writes a `UsageRecordResult` as one of the results; what is zero or empty is left out.
fn write_result(outcome: &UsageOutcome, message: &mut impl BufMut) {
    const RESULTS: u8 = 1 << 3 | 2;
    const RECORD_INDEX: u8 = 1 << 3;
    const STATUS: u8 = 2 << 3;
    const METERING_RECORD_ID: u8 = 3 << 3 | 2;
    let (status, id) = to_proto_status(outcome.status);
    // Every status is one byte, and so is the length of a result.
    let (index, status) = (u64::from(outcome.index), status as u8);
    let index_length = if index == 0 { 0 } else { 1 + prost::length_delimiter_len(outcome.index as usize) };
    let text = id.map(|id| id.text());
    let text = text.as_ref().map_or(&[][..], |text| text.as_slice());
    let text_length = if text.is_empty() { 0 } else { 2 + text.len() };
    message.put_slice(&[RESULTS, (index_length + 2 + text_length) as u8]);
    if index != 0 {
        message.put_u8(RECORD_INDEX);
        write_number(index, message);
    }
    message.put_slice(&[STATUS, status]);
    if !text.is_empty() {
        message.put_slice(&[METERING_RECORD_ID, text.len() as u8]);
        message.put_slice(text);
    }
}

fn write_number(mut number: u64, message: &mut impl BufMut) {
    while number >= 0x80 {
        message.put_u8(number as u8 | 0x80);
        number >>= 7;
    }
    message.put_u8(number as u8);
}

#[cfg(test)]
mod tests {
    use prost::Message;
    use souk_core::ids::MeteringRecordId;
    use souk_core::metering::RecordStatus;

    use super::super::convert::usage::to_proto_results;
    use super::*;

    #[test]
    fn results_are_written_as_the_generated_code_writes_them() {
        let statuses = [
            RecordStatus::Success(MeteringRecordId::new(u128::MAX, 480_000)),
            RecordStatus::DuplicateRecord(MeteringRecordId::new(1, 2)),
            RecordStatus::CustomerNotSubscribed,
            RecordStatus::Unprocessed,
        ];
        for index in [0, 1, 24, 127, 128, 4_999, u32::MAX] {
            let outcomes: Vec<_> =
                statuses.into_iter().map(|status| UsageOutcome { index, status }).collect();
            let mut written = Vec::new();
            for outcome in &outcomes {
                write_result(outcome, &mut written);
            }
            let response = proto::BatchMeterUsageResponse { results: to_proto_results(outcomes) };
            assert_eq!(written, response.encode_to_vec(), "{index}");
        }
    }
}
