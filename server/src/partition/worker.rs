//! A worker: one thread that runs the writers of some partitions, and one queue for all of them. There are as many
//! workers as cores, so that a request over several partitions wakes few threads; how payers are spread over
//! partitions does not depend on it.

use std::collections::VecDeque;

use tokio::sync::{mpsc, oneshot};
use tracing::info;

use super::handle::Message;
use super::writer::Writer;

/// Messages that a worker takes from its queue at a time.
const MESSAGES_PER_ROUND: usize = 512;

/// A message, and the position of its writer.
pub type Addressed = (usize, Message);

/// Starts the thread of some writers.
pub fn spawn(
    number: usize,
    writers: Vec<Writer>,
    queue: mpsc::Receiver<Addressed>,
) -> std::io::Result<oneshot::Receiver<()>> {
    let (stopped, receiver) = oneshot::channel();
    std::thread::Builder::new().name(format!("worker-{number}")).spawn(move || {
        run(writers, queue);
        info!(worker = number, "worker stopped");
        let _ = stopped.send(());
    })?;
    Ok(receiver)
}

/// Takes messages until nobody can send any more. What waits is handed to its writers first, so that each decides
/// all of it in one turn, and their batches wait together for one flush.
fn run(mut writers: Vec<Writer>, mut queue: mpsc::Receiver<Addressed>) {
    let mut inboxes: Vec<VecDeque<Message>> = writers.iter().map(|_| VecDeque::new()).collect();
    while let Some(first) = queue.blocking_recv() {
        let others = std::iter::from_fn(|| queue.try_recv().ok());
        for (writer, message) in std::iter::once(first).chain(others).take(MESSAGES_PER_ROUND) {
            if let Some(inbox) = inboxes.get_mut(writer) {
                inbox.push_back(message);
            }
        }
        for (writer, inbox) in writers.iter_mut().zip(&mut inboxes) {
            writer.work(inbox);
        }
    }
    writers.into_iter().for_each(Writer::stop);
}
