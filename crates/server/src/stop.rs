//! Tells tasks that the server stops, and the deadline for writing what is left.

use tokio::sync::oneshot;
use tokio::time::Instant;

/// Stops a task. If it is dropped, the task stops without time for a retry.
#[derive(Debug)]
pub(crate) struct Stopper(oneshot::Sender<Instant>);

/// Waits for the stop.
#[derive(Debug)]
pub(crate) struct Stop(oneshot::Receiver<Instant>);

/// The deadline of a stop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Option<Instant>);

/// Creates both ends.
pub(crate) fn stop() -> (Stopper, Stop) {
    let (sender, receiver) = oneshot::channel();
    (Stopper(sender), Stop(receiver))
}

impl Stopper {
    /// Stops the task, which has until the deadline to write what is left.
    pub(crate) fn stop(self, until: Instant) {
        // Fails if the task has already ended.
        let _ = self.0.send(until);
    }
}

impl Stop {
    /// Returns when the task must stop. Must not be called again after that.
    pub(crate) async fn wait(&mut self) -> Deadline {
        Deadline((&mut self.0).await.ok())
    }
}

impl Deadline {
    /// Whether there is time left.
    pub(crate) fn is_ahead(self) -> bool {
        self.0.is_some_and(|until| Instant::now() < until)
    }
}
