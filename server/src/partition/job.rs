//! Jobs: what a writer is asked to do, with the answer that waits for durability.

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::Turn;
use crate::error::AppError;

/// A job in a writer's queue.
pub trait Job: Send {
    /// Decides and applies; what must be durable is recorded in the turn.
    fn run(&mut self, turn: &mut Turn<'_>);
    /// Answers, once the turn is durable or has failed.
    fn answer(self: Box<Self>, durable: Result<(), String>);
}

/// A job from a function.
pub struct FnJob<F, T> {
    work: Option<F>,
    answer: Option<Result<T, AppError>>,
    reply: oneshot::Sender<Result<T, AppError>>,
    /// The room that its rows take until it is answered.
    _room: OwnedSemaphorePermit,
}

impl<F, T> FnJob<F, T>
where
    F: FnOnce(&mut Turn<'_>) -> Result<T, AppError> + Send + 'static,
    T: Send + 'static,
{
    /// The job, and where its answer comes out.
    pub fn queued(
        work: F,
        room: OwnedSemaphorePermit,
    ) -> (Box<dyn Job>, oneshot::Receiver<Result<T, AppError>>) {
        let (reply, receiver) = oneshot::channel();
        (Box::new(FnJob { work: Some(work), answer: None, reply, _room: room }), receiver)
    }
}

impl<F, T> Job for FnJob<F, T>
where
    F: FnOnce(&mut Turn<'_>) -> Result<T, AppError> + Send,
    T: Send,
{
    fn run(&mut self, turn: &mut Turn<'_>) {
        if let Some(work) = self.work.take() {
            let answer = work(turn);
            if let Err(AppError::Broken(broken)) = &answer {
                turn.fail(broken.clone());
            }
            self.answer = Some(answer);
        }
    }

    fn answer(self: Box<Self>, durable: Result<(), String>) {
        let answer = match (durable, self.answer) {
            (Ok(()), Some(answer)) => answer,
            (Err(_), Some(Err(AppError::Broken(broken)))) => Err(AppError::Broken(broken)),
            (Err(why), _) => Err(AppError::Unavailable(why)),
            (Ok(()), None) => Err(AppError::Unavailable("the job was not run".to_owned())),
        };
        // Whoever asked may have gone away; the work is done all the same.
        let _ = self.reply.send(answer);
    }
}
