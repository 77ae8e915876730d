//! A connection that fails if its peer does not read.

use socket2::SockRef;
use std::io;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

/// The minimum rate, in bytes a second, at which a peer must read pending data, on average over the timeout. A dial-up
/// modem reads five times as fast.
const RATE_MIN: usize = 1 << 10;
/// The most unsent bytes that the system buffers for a peer. Without it, the system buffers megabytes before a write
/// blocks, and a slow reader looks like one that does not read.
const UNSENT_MAX: u32 = 128 << 10;

/// Limits the unsent bytes of a listener's peers: accepted connections inherit the option.
pub(crate) fn bound_unsent(listener: &impl AsFd) {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    if let Err(error) = SockRef::from(listener).set_tcp_notsent_lowat(UNSENT_MAX) {
        tracing::debug!(%error, "cannot set TCP_NOTSENT_LOWAT; the system's own limit on unsent bytes applies");
    }
}

/// A connection whose writes time out. Only pending data counts: a stream without data to send may be silent for any
/// time.
pub(crate) struct TimedStream {
    stream: TcpStream,
    /// The time for the peer to take `least` bytes.
    within: Duration,
    least: usize,
    /// Set while data is pending.
    wait: Option<Wait>,
    /// Created when data is first pending, and reset afterwards.
    alarm: Option<Pin<Box<Sleep>>>,
}

/// Pending data.
struct Wait {
    until: Instant,
    /// Bytes that the peer has taken since then.
    written: usize,
}

impl TimedStream {
    pub(crate) fn new(stream: TcpStream, within: Duration) -> Self {
        let seconds = usize::try_from(within.as_secs()).unwrap_or(usize::MAX);
        Self { stream, within, least: RATE_MIN.saturating_mul(seconds), wait: None, alarm: None }
    }

    /// Called while data is pending. Fails if too little of it was written in time.
    fn poll_wait(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        loop {
            let until = match &self.wait {
                Some(wait) => wait.until,
                None => {
                    let until = Instant::now() + self.within;
                    self.wait = Some(Wait { until, written: 0 });
                    until
                }
            };
            let alarm = self.alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
            if alarm.deadline() != until {
                alarm.as_mut().reset(until);
            }
            ready!(alarm.as_mut().poll(cx));
            if self.wait.take().is_some_and(|wait| wait.written < self.least) {
                // Also discards what the system still buffers for the peer.
                drop(self.stream.set_zero_linger());
                return Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, "the client is not reading"));
            }
        }
    }
}

impl AsyncRead for TimedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for TimedStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write(cx, buf) {
            Poll::Ready(Ok(written)) => {
                if written == buf.len() {
                    self.wait = None;
                } else if let Some(wait) = &mut self.wait {
                    wait.written += written;
                }
                Poll::Ready(Ok(written))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => self.poll_wait(cx).map(Err),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpSocket};
    use tokio::time::timeout;

    /// Longer than any time-out of these tests.
    const LONG: Duration = Duration::from_secs(60);

    /// A connection whose peer has a small receive buffer, and that peer.
    async fn connected(within: Duration) -> (TimedStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        bound_unsent(&listener);
        let peer = TcpSocket::new_v4().unwrap();
        peer.set_recv_buffer_size(4096).unwrap();
        let (accepted, peer) = tokio::join!(listener.accept(), peer.connect(listener.local_addr().unwrap()));
        let stream = accepted.unwrap().0;
        assert_eq!(SockRef::from(&stream).tcp_notsent_lowat().unwrap(), UNSENT_MAX);
        (TimedStream::new(stream, within), peer.unwrap())
    }

    #[tokio::test]
    async fn a_peer_that_does_not_read_loses_its_connection() {
        let (mut stream, mut peer) = connected(Duration::from_secs(1)).await;
        let error = timeout(LONG, stream.write_all(&vec![1; 16 << 20])).await.unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(stream);
        let mut all = Vec::new();
        let end = peer.read_to_end(&mut all).await.unwrap_err();
        assert_eq!(end.kind(), io::ErrorKind::ConnectionReset);
    }

    #[tokio::test]
    async fn a_peer_that_reads_a_byte_a_second_loses_its_connection() {
        let (mut stream, mut peer) = connected(Duration::from_secs(2)).await;
        let reads = tokio::spawn(async move {
            while peer.read_u8().await.is_ok() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
        let error = timeout(LONG, stream.write_all(&vec![1; 16 << 20])).await.unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        reads.abort();
    }

    #[tokio::test]
    async fn a_peer_that_reads_slowly_but_surely_gets_everything() {
        let (mut stream, mut peer) = connected(Duration::from_secs(1)).await;
        let reads = tokio::spawn(async move {
            let (mut all, mut buffer) = (0, [0; 32 << 10]);
            while let Ok(read @ 1..) = peer.read(&mut buffer).await {
                all += read;
                tokio::time::sleep(Duration::from_millis(4)).await;
            }
            all
        });
        stream.write_all(&vec![1; 2 << 20]).await.unwrap();
        drop(stream);
        assert_eq!(reads.await.unwrap(), 2 << 20);
    }

    #[tokio::test]
    async fn silence_is_not_slowness() {
        let (mut stream, mut peer) = connected(Duration::from_secs(1)).await;
        let mut buffer = [0; 8];
        for pause in [0, 1500, 1500] {
            tokio::time::sleep(Duration::from_millis(pause)).await;
            stream.write_all(b"data: 1\n").await.unwrap();
            peer.read_exact(&mut buffer).await.unwrap();
        }
    }
}
