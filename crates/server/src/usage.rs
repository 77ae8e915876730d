//! Writes down every call, off the way of calls.
//!
//! Each gateway's queue is emptied twenty times a second.

use keygate_gateway::ended::EndedCalls;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// Between two looks.
const EVERY: Duration = Duration::from_millis(50);

/// Takes records until `stop` is dropped, and forgets them.
pub(crate) async fn keep(queues: Vec<Arc<EndedCalls>>, mut stop: oneshot::Receiver<()>) {
    let mut ticks = tokio::time::interval(EVERY);
    loop {
        let stopped = tokio::select! {
            _ = ticks.tick() => false,
            _ = &mut stop => true,
        };
        for queue in &queues {
            queue.written(queue.take().len());
        }
        if stopped {
            return;
        }
    }
}
