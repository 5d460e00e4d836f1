//! The sandbox that a scenario is played in, and why a step ends.

use std::future::Future;
use std::pin::Pin;

use prost_types::Timestamp;
use souk_client::{ClientError, SoukClient};
use souk_proto::document::Position;
use souk_proto::reporting::v1::ReportDescription;

use super::actual::Actual;
use super::compare::Difference;
use super::directory::Directory;

/// A sandbox in which a scenario is played.
#[derive(Debug)]
pub struct World {
    /// The server.
    pub client: SoukClient,
    /// The sandbox.
    pub sandbox: String,
    /// What names stand for.
    pub names: Directory,
    /// The time of the step.
    pub now: Timestamp,
    /// The reports that the server has, once they were asked for.
    pub reports: Vec<ReportDescription>,
}

/// What a step answers: a message that `gives` is compared with, if it has one.
pub type Playing<'a> = Pin<Box<dyn Future<Output = Result<Option<Actual>, Stop>> + Send + 'a>>;

/// What an expectation looks at.
pub type Looking<'a> = Pin<Box<dyn Future<Output = Result<Vec<Actual>, Stop>> + Send + 'a>>;

/// Why a step ended without an answer.
#[derive(Debug)]
pub enum Stop {
    /// The server refused, or cannot be reached.
    Client(ClientError),
    /// Something is not as the step says.
    Differs(Vec<Difference>),
    /// The scenario says something that makes no sense in this sandbox.
    Wrong {
        /// Where it says so.
        position: Position,
        /// What makes no sense.
        problem: String,
        /// What would.
        remedy: String,
    },
}

impl From<ClientError> for Stop {
    fn from(error: ClientError) -> Stop {
        Stop::Client(error)
    }
}

impl World {
    /// The id of an agreement by its name or id.
    pub fn agreement_id(&self, text: &str) -> String {
        self.names.agreement(text).map_or(text, |agreement| &agreement.agreement_id).to_owned()
    }

    /// The id of a product by whatever names it; what names none stays as it is.
    pub fn product_id(&self, text: &str) -> String {
        self.names.product(text).map_or(text, |product| &product.product_id).to_owned()
    }

    /// The code of a product by whatever names it; what names none stays as it is.
    pub fn product_code(&self, text: &str) -> String {
        self.names.product(text).map_or(text, |product| &product.product_code).to_owned()
    }
}
