//! Made-up traffic: what a few applications ask of a few models in some weeks, with working hours, weekends, a bad half
//! hour and a batch that runs into its limit. The same seed gives the same calls.

use fastrand::Rng;
use keygate_contract::{CallClass, ThrottledBy};
use std::f64::consts::TAU;

const MINUTE_MS: i64 = 60_000;
const DAY_MINUTES: i64 = 24 * 60;
const WEEK_MINUTES: i64 = 7 * DAY_MINUTES;

/// How calls of a model look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Profile {
    /// Tokens of a usual prompt.
    pub(super) prompt: f64,
    /// Tokens of a usual answer; 0 for models that answer with vectors.
    pub(super) answer: f64,
    /// Milliseconds until the answer begins, usually.
    pub(super) first_ms: f64,
    /// Milliseconds a token of the answer takes.
    pub(super) token_ms: f64,
    /// Which part of the calls are streams.
    pub(super) streams: f64,
}

/// One key that calls one model.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flow {
    /// How often, beside the others.
    pub(super) weight: f64,
    pub(super) profile: Profile,
    /// Whether it runs into its limit each night.
    pub(super) is_batch: bool,
}

/// A made-up call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Made {
    /// Which of the flows it is of.
    pub(super) flow: usize,
    /// When it ended, in Unix milliseconds.
    pub(super) ended_at: i64,
    pub(super) status: u16,
    pub(super) class: CallClass,
    pub(super) error_code: Option<&'static str>,
    pub(super) throttled_by: Option<ThrottledBy>,
    pub(super) stream: bool,
    pub(super) estimated: bool,
    pub(super) input: u64,
    pub(super) output: u64,
    pub(super) cached: u64,
    pub(super) latency_us: u64,
    pub(super) forwarded_us: Option<u64>,
    pub(super) first_token_us: Option<u64>,
    /// Of a UUID.
    pub(super) random: [u8; 10],
}

/// The calls of all flows, minute by minute.
pub(super) struct Traffic<'a> {
    rng: Rng,
    flows: &'a [Flow],
    /// Sums of the flows' weights, up to and with each.
    sums: Vec<f64>,
    /// Unix milliseconds.
    start: i64,
    /// How many calls there are up to the end of each minute.
    until: Vec<u64>,
    minute: usize,
}

impl<'a> Traffic<'a> {
    /// `calls` calls in the `minutes` from `start` on, which is a whole minute in Unix milliseconds.
    pub(super) fn new(flows: &'a [Flow], start: i64, minutes: u32, calls: u64, seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut sum = 0.0;
        let sums = flows.iter().map(|flow| add(&mut sum, flow.weight)).collect();
        let mut sum = 0.0;
        let weights: Vec<f64> = (0..i64::from(minutes))
            .map(|minute| {
                add(&mut sum, weight(start / MINUTE_MS + minute, minute, minutes) * (0.85 + 0.3 * rng.f64()))
            })
            .collect();
        // Rounding the sums, not the minutes, gives exactly as many calls as were asked for.
        let until = weights.iter().map(|reached| (reached / sum * calls as f64).round() as u64).collect();
        Self { rng, flows, sums, start, until, minute: 0 }
    }

    fn call(&mut self, minute_ms: i64, is_bad: bool) -> Made {
        let at = self.rng.f64() * self.sums.last().copied().unwrap_or_default();
        let flow = self.sums.partition_point(|sum| *sum <= at).min(self.flows.len() - 1);
        let Flow { profile, is_batch, .. } = self.flows[flow];
        let is_night = (minute_ms / MINUTE_MS).rem_euclid(DAY_MINUTES) < 20;
        let throttled = if is_batch && is_night { 0.35 } else { 0.003 };
        let failing = if is_bad { 0.4 } else { 0.002 };
        let end = match self.rng.f64() {
            x if x < throttled => End::Throttled,
            x if x < throttled + failing => End::Failed,
            x if x < throttled + failing + 0.004 => End::Refused,
            _ => End::Answered,
        };
        let (input, output) = (self.about(profile.prompt, 0.8), self.about(profile.answer, 0.7));
        let (first_ms, token_ms) =
            (self.about(profile.first_ms, 0.35), profile.token_ms * (0.8 + 0.4 * self.rng.f64()));
        let forwarded_us = 120.0 + 400.0 * self.rng.f64();
        let stream = self.rng.f64() < profile.streams;
        let answered_us = forwarded_us + 1000.0 * first_ms;
        let cached = if self.rng.f64() < 0.25 { (input * 0.6).floor() } else { 0.0 };
        let mut made = Made {
            flow,
            ended_at: minute_ms + self.rng.i64(0..MINUTE_MS),
            status: 200,
            class: CallClass::Ok,
            error_code: None,
            throttled_by: None,
            stream,
            estimated: self.rng.f64() < 0.004,
            input: input as u64,
            output: output as u64,
            cached: cached as u64,
            latency_us: (answered_us + 1000.0 * output * token_ms) as u64,
            forwarded_us: Some(forwarded_us as u64),
            first_token_us: stream.then_some(answered_us as u64),
            random: std::array::from_fn(|_| self.rng.u8(..)),
        };
        end.apply(&mut made);
        made
    }

    /// A number that is `usual` in the middle, and now and then much more: log-normal.
    fn about(&mut self, usual: f64, spread: f64) -> f64 {
        let (radius, angle) = ((-2.0 * (1.0 - self.rng.f64()).ln()).sqrt(), TAU * self.rng.f64());
        usual * (spread * radius * angle.cos()).exp()
    }
}

impl Iterator for Traffic<'_> {
    /// The calls of the next minute, in the order in which they ended.
    type Item = Vec<Made>;

    fn next(&mut self) -> Option<Vec<Made>> {
        let (minute, minutes) = (self.minute, self.until.len());
        let until = *self.until.get(minute)?;
        let before = minute.checked_sub(1).map_or(0, |before| self.until[before]);
        self.minute += 1;
        let minute_ms = self.start + MINUTE_MS * i64::try_from(minute).unwrap_or(i64::MAX / MINUTE_MS);
        // Half an hour in which the model behind most calls fails, three fifths along the way.
        let bad = minutes * 3 / 5;
        let is_bad = (bad..bad + 30).contains(&minute);
        let mut calls: Vec<Made> = (before..until).map(|_| self.call(minute_ms, is_bad)).collect();
        calls.sort_by_key(|call| call.ended_at);
        Some(calls)
    }
}

/// How a made-up call ends.
enum End {
    Answered,
    Refused,
    Throttled,
    Failed,
}

impl End {
    fn apply(self, made: &mut Made) {
        let refused = |made: &mut Made, status, class, code| {
            (made.status, made.class, made.error_code) = (status, class, Some(code));
            (made.input, made.output, made.cached, made.estimated) = (0, 0, 0, false);
            made.first_token_us = None;
        };
        match self {
            Self::Answered => {}
            Self::Refused => {
                refused(made, 400, CallClass::ClientError, "invalid_request_error");
                (made.latency_us, made.forwarded_us) = (made.forwarded_us.unwrap_or_default(), None);
            }
            Self::Throttled => {
                refused(made, 429, CallClass::Throttled, "limit_requests");
                made.throttled_by = Some(ThrottledBy::WorkspaceRequests);
                (made.latency_us, made.forwarded_us) = (made.forwarded_us.unwrap_or_default(), None);
            }
            Self::Failed => {
                refused(made, 502, CallClass::ServerError, "upstream_error");
                made.latency_us /= 3;
            }
        }
    }
}

/// Adds to a sum, and tells it.
fn add(sum: &mut f64, value: f64) -> f64 {
    *sum += value;
    *sum
}

/// How busy a minute since 1970 is, the `nth` of `minutes`: offices of a time zone eight hours before UTC, at work
/// from Monday to Friday, with a little more to do each week.
fn weight(minute: i64, nth: i64, minutes: u32) -> f64 {
    let local = minute + 8 * 60;
    let hour = local.rem_euclid(DAY_MINUTES) as f64 / 60.0;
    let office = (-((hour - 14.5) / 4.5).powi(2)).exp();
    // The first day of 1970 was a Thursday.
    let is_weekend = (local + 3 * DAY_MINUTES).rem_euclid(WEEK_MINUTES) >= 5 * DAY_MINUTES;
    let growth = 0.75 + 0.25 * nth as f64 / f64::from(minutes.max(1));
    (0.15 + office * if is_weekend { 0.3 } else { 1.0 }) * growth
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-01T00:00:00Z.
    const START: i64 = 1_793_491_200_000;
    const CHAT: Profile =
        Profile { prompt: 400.0, answer: 200.0, first_ms: 300.0, token_ms: 8.0, streams: 0.7 };

    fn made(seed: u64, calls: u64) -> Vec<Made> {
        let flows = [
            Flow { weight: 3.0, profile: CHAT, is_batch: false },
            Flow { weight: 1.0, profile: CHAT, is_batch: true },
        ];
        Traffic::new(&flows, START, 7 * 24 * 60, calls, seed).flatten().collect()
    }

    #[test]
    fn there_are_as_many_calls_as_were_asked_for_and_the_same_for_the_same_seed() {
        let calls = made(1, 20_000);
        assert_eq!(calls.len(), 20_000);
        assert_eq!(calls, made(1, 20_000));
        assert_ne!(calls, made(2, 20_000));
        assert!(calls.is_sorted_by_key(|call| call.ended_at));
        assert!(calls.iter().all(|call| (START..START + 7 * 86_400_000).contains(&call.ended_at)));
    }

    #[test]
    fn it_looks_like_traffic() {
        let calls = made(1, 20_000);
        let part =
            |of: &dyn Fn(&Made) -> bool| calls.iter().filter(|call| of(call)).count() as f64 / 20_000.0;
        assert!((0.7..0.8).contains(&part(&|call| call.flow == 0)));
        assert!((0.95..0.999).contains(&part(&|call| call.class == CallClass::Ok)));
        for class in [CallClass::ClientError, CallClass::Throttled, CallClass::ServerError] {
            assert!(part(&|call| call.class == class) > 0.001, "{class}");
        }
        // The first of November 2026 was a Sunday.
        let on_day = |day: i64| part(&|call| (call.ended_at - START) / 86_400_000 == day);
        assert!(on_day(2) > 1.5 * on_day(6), "{} {}", on_day(2), on_day(6));
        assert!(calls.iter().all(|call| call.first_token_us.is_none_or(|first| first <= call.latency_us)));
    }
}
