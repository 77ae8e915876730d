//! Workers: a thread for each core, with a runtime, a gateway and upstream connections of its own.
//!
//! A call begins and ends on one thread. Nothing of it is handed to another, so no thread is woken for it and no queue
//! is shared; measured on one core, that is a fifth of a call's cost. Threads share the directory, the store and the
//! listening sockets: whichever is free first takes a new connection.

use crate::listen::{Service, listen};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// What a worker serves: each listener with its service.
pub(crate) type Served = Vec<(std::net::TcpListener, Service)>;

/// The workers that run.
pub(crate) struct Workers {
    stop: watch::Sender<bool>,
    /// Closed when the last worker has ended: each holds a sender.
    ended: mpsc::Receiver<()>,
}

impl Workers {
    /// Starts a worker for each entry. Once told to stop, each lets its calls under way finish, for `grace` at most.
    pub(crate) fn start(served: Vec<Served>, grace: Duration) -> io::Result<Self> {
        let (stop, stopped) = watch::channel(false);
        let (running, ended) = mpsc::channel(1);
        for (number, served) in served.into_iter().enumerate() {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let (stopped, running) = (stopped.clone(), running.clone());
            std::thread::Builder::new().name(format!("worker-{number}")).spawn(move || {
                let gateways: Vec<_> =
                    served.iter().map(|(_, service)| Arc::clone(&service.gateway)).collect();
                runtime.block_on(run(served, stopped, grace));
                // What is under way still is cut off now, and leaves its records before this worker has ended.
                gateways.iter().for_each(|gateway| gateway.cut_off());
                drop(runtime);
                drop(running);
            })?;
        }
        Ok(Self { stop, ended })
    }

    /// Takes no more connections, and waits for the calls under way.
    pub(crate) async fn stop(mut self) {
        self.stop.send_replace(true);
        while self.ended.recv().await.is_some() {}
    }
}

async fn run(served: Served, stopped: watch::Receiver<bool>, grace: Duration) {
    let mut listeners = JoinSet::new();
    for (listener, service) in served {
        match TcpListener::from_std(listener) {
            Ok(listener) => {
                listeners.spawn(listen(listener, service, stopped.clone(), grace));
            }
            Err(error) => tracing::error!(%error, "a worker cannot use its listener"),
        }
    }
    while listeners.join_next().await.is_some() {}
}
