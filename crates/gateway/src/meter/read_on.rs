//! Reads answers to their end after their clients have disconnected.
//!
//! A call's usage is known only when its answer ends, and the upstream may go on working even if nobody listens. So a
//! call does not end when its client disconnects. It continues as a separate task, which holds the concurrency permit
//! of the call's key, for as long as [`Metering::settle_within`](super::Metering) allows. If there is no runtime for
//! the task, or the runtime shuts down, the meter is dropped and charges the reservation.

use super::lines::Lines;
use super::{Meter, Pieces, UsageEvent, pass};
use crate::refusal::Refusal;
use crate::upstream::{Answer, Sent};
use futures_util::StreamExt as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::runtime::Handle;

/// Reads the rest of a stream.
pub(super) fn stream(stream: Pieces, lines: Lines, mut meter: Box<Meter>) {
    if meter.is_over() {
        return;
    }
    meter.leave();
    spawn(meter.shared.settle_within, read_stream(stream, lines, meter));
}

async fn read_stream(mut stream: Pieces, mut lines: Lines, mut meter: Box<Meter>) {
    while let Some(piece) = stream.next().await {
        pass(&piece, &mut lines, &mut meter);
        if meter.is_over() {
            return;
        }
    }
    meter.ended();
}

/// A call that ends in time is settled by its end; any other as of when it was dropped.
fn spawn(within: Duration, work: impl Future<Output = ()> + Send + 'static) {
    if within.is_zero() {
        return;
    }
    if let Ok(runtime) = Handle::try_current() {
        runtime.spawn(async move { drop(tokio::time::timeout(within, work).await) });
    }
}

/// A call in progress, with its meter. If it is dropped before the answer arrives, the call continues without its
/// client.
pub(crate) struct Sending {
    /// Both are taken when the answer arrives.
    answer: Option<Sent>,
    meter: Option<Box<Meter>>,
}

impl Sending {
    pub(crate) fn new(answer: Sent, meter: Box<Meter>) -> Self {
        Self { answer: Some(answer), meter: Some(meter) }
    }
}

impl Future for Sending {
    type Output = (Result<Answer, Refusal>, Box<Meter>);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = self.answer.as_mut().expect("it is not polled again");
        let answer = ready!(answer.as_mut().poll(cx));
        self.answer = None;
        Poll::Ready((answer, self.meter.take().expect("it goes with the answer")))
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        if let (Some(answer), Some(mut meter)) = (self.answer.take(), self.meter.take()) {
            meter.leave();
            spawn(meter.shared.settle_within, read_answer(answer, meter));
        }
    }
}

async fn read_answer(answer: Sent, mut meter: Box<Meter>) {
    match answer.await {
        Ok(Answer::Whole(body, told)) => {
            meter.answered();
            meter.ended();
            meter.told_whole(&body, told);
        }
        Ok(Answer::Stream(stream)) => {
            meter.answered();
            read_stream(stream, Lines::new(UsageEvent::Shown), meter).await;
        }
        Err(refusal) => meter.settle_failed(&refusal),
    }
}
