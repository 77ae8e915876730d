//! The lines of an event stream.

use super::UsageEvent;
use crate::usage::{self, Told};
use bytes::Bytes;

/// The longest line of a stream that is read, in bytes. Longer ones hold media, and pass unread. The last event of
/// responses repeats the whole answer beside its usage, so this must not be small.
pub(super) const LINE_MAX: usize = 1 << 20;

/// Reads the lines of a stream of events, however it is cut into pieces, and leaves out what is not to be seen.
#[derive(Debug)]
pub(super) struct Lines {
    usage_event: UsageEvent,
    /// The line that is begun and not ended. It is held back only where something may have to be left out.
    begun: Vec<u8>,
    /// Whether the line that is begun is too long to be read.
    is_long: bool,
    /// Whether the blank line that ends an event left out is still to come.
    skips_blank: bool,
    /// Whether a line passed unread since this was last taken.
    has_unread: bool,
}

impl Lines {
    pub(super) fn new(usage_event: UsageEvent) -> Self {
        Self { usage_event, begun: Vec::new(), is_long: false, skips_blank: false, has_unread: false }
    }

    /// Whether a line passed unread since the last time.
    pub(super) fn take_unread(&mut self) -> bool {
        std::mem::take(&mut self.has_unread)
    }

    /// Reads the next chunk, reports the meaning and the data of each event, and returns what is to be passed on.
    pub(super) fn feed(&mut self, piece: &Bytes, mut told: impl FnMut(Told, &[u8])) -> Bytes {
        let mut kept = Vec::new();
        let mut from = 0;
        for end in memchr::memchr_iter(b'\n', piece) {
            let part = &piece[from..=end];
            from = end + 1;
            let is_long = std::mem::take(&mut self.is_long);
            if self.begun.is_empty() {
                if is_long || self.keeps(part, &mut told) {
                    kept.extend_from_slice(part);
                }
            } else {
                self.begun.extend_from_slice(part);
                let line = std::mem::take(&mut self.begun);
                if self.keeps(&line, &mut told) {
                    kept.extend_from_slice(&line);
                }
            }
        }
        let rest = &piece[from..];
        if self.is_long || self.begun.len() + rest.len() > LINE_MAX {
            (self.is_long, self.has_unread) = (true, true);
            kept.append(&mut self.begun);
            kept.extend_from_slice(rest);
        } else {
            self.begun.extend_from_slice(rest);
        }
        match self.usage_event {
            UsageEvent::Shown => piece.clone(),
            UsageEvent::Hidden => kept.into(),
        }
    }

    /// What is held back when the stream ends in the middle of a line.
    pub(super) fn end(&mut self) -> Bytes {
        let begun = std::mem::take(&mut self.begun);
        match self.usage_event {
            UsageEvent::Shown => Bytes::new(),
            UsageEvent::Hidden => begun.into(),
        }
    }

    /// Whether a line is passed on.
    fn keeps(&mut self, line: &[u8], told: &mut impl FnMut(Told, &[u8])) -> bool {
        let text = line.trim_ascii_end();
        if std::mem::take(&mut self.skips_blank) && text.is_empty() {
            return false;
        }
        let Some(data) = text.strip_prefix(b"data:") else { return true };
        // What is not JSON, such as the end mark, says nothing of the use.
        let data = data.trim_ascii_start();
        let Ok(event) = usage::read(data) else { return true };
        told(event, data);
        let is_hidden = event.is_usage_only && self.usage_event == UsageEvent::Hidden;
        self.skips_blank = is_hidden;
        !is_hidden
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::Weight;
    use crate::usage::Usage;

    const STREAM: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"Hello\"}}]}\r\n\r\n: ping\n\n\
                          data: {\"choices\":[{\"delta\":{\"content\":\" you\"}}],\"usage\":null}\n\n\
                          data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}\n\n\
                          data: [DONE]\n\n";

    /// What passes of a stream that comes in pieces, and what it told.
    fn pass(pieces: &[&[u8]], usage_event: UsageEvent) -> (String, Weight, Option<Usage>) {
        let mut lines = Lines::new(usage_event);
        let (mut out, mut output, mut usage) = (Vec::new(), Weight::default(), None);
        for piece in pieces {
            let passed = lines.feed(&Bytes::copy_from_slice(piece), |told, _| {
                output.add(told.output);
                usage = told.usage.or(usage);
            });
            out.extend_from_slice(&passed);
        }
        out.extend_from_slice(&lines.end());
        (String::from_utf8(out).unwrap(), output, usage)
    }

    #[test]
    fn a_stream_split_at_every_byte_is_read_the_same() {
        let bytes = STREAM.as_bytes();
        let hidden =
            STREAM.split_inclusive("\n\n").filter(|e| !e.contains("prompt_tokens")).collect::<String>();
        for at in 0..=bytes.len() {
            for (usage_event, expected) in
                [(UsageEvent::Shown, STREAM), (UsageEvent::Hidden, hidden.as_str())]
            {
                let (out, output, usage) = pass(&[&bytes[..at], &bytes[at..]], usage_event);
                assert_eq!(out, expected, "split at {at}");
                assert_eq!(
                    (output.tokens(), usage),
                    (3, Some(Usage { input: 3, output: 4, cached: 0 })),
                    "split at {at}"
                );
            }
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(pass(&single, UsageEvent::Hidden).0, hidden);
    }

    #[test]
    fn what_is_held_back_is_passed_on_when_the_stream_ends() {
        assert_eq!(pass(&[b"data: [DONE]"], UsageEvent::Hidden).0, "data: [DONE]");
    }

    #[test]
    fn an_endless_line_passes_and_is_not_kept() {
        let mut lines = Lines::new(UsageEvent::Hidden);
        let mut passed = 0;
        for _ in 0..40 {
            passed += lines.feed(&Bytes::from(vec![b'x'; 100_000]), |_, _| {}).len();
            assert!(lines.begun.len() <= LINE_MAX);
        }
        assert!(passed > 2_000_000, "{passed}");
        let end =
            lines.feed(&Bytes::from_static(b"\ndata: {\"choices\":[{\"delta\":\"abc\"}]}\n"), |told, _| {
                assert_eq!(told.output.tokens(), 1);
            });
        assert!(end.ends_with(b"}\n"));
    }
}
