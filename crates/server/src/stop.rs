//! How tasks learn that the server stops, and by when they must have written what is left.

use tokio::sync::oneshot;
use tokio::time::Instant;

/// Stops a task. Dropped, it does so without time to try anything twice.
#[derive(Debug)]
pub(crate) struct Stopper(oneshot::Sender<Instant>);

/// Waits for the stop.
#[derive(Debug)]
pub(crate) struct Stop(oneshot::Receiver<Instant>);

/// Until when a stop may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Option<Instant>);

/// The two ends.
pub(crate) fn stop() -> (Stopper, Stop) {
    let (sender, receiver) = oneshot::channel();
    (Stopper(sender), Stop(receiver))
}

impl Stopper {
    /// Stops the task, which has until then to write what is left.
    pub(crate) fn stop(self, until: Instant) {
        // A task that has ended needs no stop.
        let _ = self.0.send(until);
    }
}

impl Stop {
    /// Returns when the task is to stop. Not to be called again after that.
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
