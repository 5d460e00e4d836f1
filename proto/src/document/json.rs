//! The JSON form of the contract's messages, fields in the contract's order.

use prost::Message;
use prost_reflect::{DynamicMessage, SerializeOptions};
use serde::ser::{Serialize, Serializer};

use super::pool;

/// A name that no message of the contract has, or a message of another form.
#[derive(Debug, thiserror::Error)]
#[error("this is no {0} of the contract")]
pub struct NotOfTheContract(String);

/// A message with every field, also those that are zero.
pub struct InOrder(DynamicMessage);

impl InOrder {
    /// A message whose full name is `name`.
    ///
    /// # Errors
    /// When the contract has no such message, or one of another form.
    pub fn of<M: Message>(name: &str, message: &M) -> Result<InOrder, NotOfTheContract> {
        let descriptor = pool().get_message_by_name(name);
        let read =
            descriptor.and_then(|d| DynamicMessage::decode(d, message.encode_to_vec().as_slice()).ok());
        read.map(InOrder).ok_or_else(|| NotOfTheContract(name.to_owned()))
    }
}

impl Serialize for InOrder {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize_with_options(serializer, &SerializeOptions::new().skip_default_fields(false))
    }
}
