//! The decision: which of the limits a call has to keep stand in its way, and what it is told.

use super::window::{MOST, Window};
use super::{Ask, Dimension, Exceeded, Headroom, Moment, Room, Scope};

/// Charges one request and the tokens to both windows, or nothing to either. Both stand at the same second.
pub(super) fn admit_to(
    workspace: &mut Window,
    account: &mut Window,
    ask: &Ask,
    now: Moment,
) -> Result<Headroom, Exceeded> {
    let bounds_now = bounds(workspace, account, ask);
    if !bounds_now.iter().flatten().all(Bound::fits) {
        return Err(exceeded(&bounds_now, now));
    }
    let tokens = ask.tokens.min(MOST);
    workspace.charge(1, tokens);
    account.charge(1, tokens);
    Ok(headroom(&bounds(workspace, account, ask), now))
}

/// One of the limits a call has to keep.
struct Bound<'a> {
    scope: Scope,
    dimension: Dimension,
    window: &'a Window,
    limit: u64,
    asked: u64,
}

impl Bound<'_> {
    fn fits(&self) -> bool {
        self.window.fits(self.dimension, self.asked, self.limit)
    }

    fn fits_from(&self) -> Option<u64> {
        self.window.fits_from(self.dimension, self.asked, self.limit)
    }

    fn room(&self, now: Moment) -> Room {
        Room {
            scope: self.scope,
            limit: self.limit,
            remaining: self.limit.saturating_sub(self.window.used(self.dimension)),
            reset_seconds: self.window.empty_from(self.dimension).saturating_sub(now.second()),
        }
    }
}

/// The limits that hold for a call, in the order in which the first of equals is named.
fn bounds<'a>(workspace: &'a Window, account: &'a Window, ask: &Ask) -> [Option<Bound<'a>>; 4] {
    let scopes = [(Scope::Workspace, workspace, ask.workspace), (Scope::Account, account, ask.account)];
    let [[a, b], [c, d]] = scopes.map(|(scope, window, limits)| {
        let tokens = |limit| Bound { scope, dimension: Dimension::Tokens, window, limit, asked: ask.tokens };
        let requests = Bound { scope, dimension: Dimension::Requests, window, limit: limits.rpm, asked: 1 };
        [Some(requests), limits.tpm.map(tokens)]
    });
    [a, b, c, d]
}

/// The refusal, of those that do not fit, that takes longest to clear; never is longest.
fn exceeded(bounds: &[Option<Bound<'_>>; 4], now: Moment) -> Exceeded {
    let clears = |bound: &Bound<'_>| bound.fits_from().unwrap_or(u64::MAX);
    let refusing = bounds.iter().flatten().filter(|bound| !bound.fits());
    let longest = refusing
        .reduce(|longest, bound| if clears(bound) > clears(longest) { bound } else { longest })
        .expect("called only when one does not fit");
    let passes = longest.fits_from();
    let until = passes.unwrap_or_else(|| longest.window.empty_from(longest.dimension));
    Exceeded {
        scope: longest.scope,
        dimension: longest.dimension,
        limit: longest.limit,
        asked: longest.asked,
        retry_after_seconds: until.saturating_sub(now.second()).max(1),
        headroom: headroom(bounds, now),
        can_ever_pass: passes.is_some(),
    }
}

fn headroom(bounds: &[Option<Bound<'_>>; 4], now: Moment) -> Headroom {
    let tightest = |dimension| {
        let rooms = bounds.iter().flatten().filter(|bound| bound.dimension == dimension);
        rooms.map(|bound| bound.room(now)).min_by_key(|room| room.remaining)
    };
    Headroom {
        requests: tightest(Dimension::Requests).expect("requests are limited in both scopes"),
        tokens: tightest(Dimension::Tokens),
    }
}
