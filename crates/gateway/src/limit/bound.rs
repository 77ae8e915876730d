//! The decision: which of the limits a call has to keep stand in its way, and what it is told.

use super::window::{MOST, Window};
use super::{Ask, Dimension, Exceeded, Headroom, Limits, Moment, Room, Scope};

/// Charges one request and the tokens to both windows, or nothing to either. Both stand at the same second.
pub(super) fn admit_to(
    workspace: &mut Window,
    account: &mut Window,
    ask: &Ask,
    now: Moment,
) -> Result<Headroom, Exceeded> {
    let bounds = Bounds::new(workspace, account, ask);
    if !bounds.fit() {
        return Err(bounds.exceeded(now));
    }
    let tokens = ask.tokens.min(MOST);
    workspace.charge(1, tokens);
    account.charge(1, tokens);
    Ok(Bounds::new(workspace, account, ask).headroom(now))
}

/// The limits that hold for a call; of each dimension the workspace's first.
struct Bounds<'a> {
    requests: [Bound<'a>; 2],
    tokens: [Option<Bound<'a>>; 2],
}

/// One of the limits a call has to keep.
struct Bound<'a> {
    scope: Scope,
    dimension: Dimension,
    window: &'a Window,
    limit: u64,
    asked: u64,
}

impl<'a> Bounds<'a> {
    fn new(workspace: &'a Window, account: &'a Window, ask: &Ask) -> Self {
        let requests = |scope, window, limits: Limits| Bound {
            scope,
            dimension: Dimension::Requests,
            window,
            limit: limits.rpm,
            asked: 1,
        };
        let tokens = |scope, window, limits: Limits| {
            let asked = ask.tokens;
            limits.tpm.map(|limit| Bound { scope, dimension: Dimension::Tokens, window, limit, asked })
        };
        Self {
            requests: [
                requests(Scope::Workspace, workspace, ask.workspace),
                requests(Scope::Account, account, ask.account),
            ],
            tokens: [
                tokens(Scope::Workspace, workspace, ask.workspace),
                tokens(Scope::Account, account, ask.account),
            ],
        }
    }

    fn fit(&self) -> bool {
        self.requests.iter().all(Bound::fits) && self.tokens.iter().flatten().all(Bound::fits)
    }

    /// The refusal, of those limits that do not fit, by the one that takes longest to clear; never is longest.
    fn exceeded(&self, now: Moment) -> Exceeded {
        let clears = |bound: &Bound<'_>| bound.fits_from().unwrap_or(u64::MAX);
        let [of_workspace, of_account] = &self.requests;
        let [tokens_of_workspace, tokens_of_account] = &self.tokens;
        // The order in which the first of equals is named.
        let all =
            [Some(of_workspace), tokens_of_workspace.as_ref(), Some(of_account), tokens_of_account.as_ref()];
        let longest = all
            .into_iter()
            .flatten()
            .filter(|bound| !bound.fits())
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
            headroom: self.headroom(now),
            can_ever_pass: passes.is_some(),
        }
    }

    fn headroom(&self, now: Moment) -> Headroom {
        let [of_workspace, of_account] = &self.requests;
        let tokens = match &self.tokens {
            [Some(of_workspace), Some(of_account)] => Some(of_workspace.tighter(of_account)),
            [one, other] => one.as_ref().or(other.as_ref()),
        };
        Headroom {
            requests: of_workspace.tighter(of_account).room(now),
            tokens: tokens.map(|tightest| tightest.room(now)),
        }
    }
}

impl Bound<'_> {
    fn fits(&self) -> bool {
        self.window.fits(self.dimension, self.asked, self.limit)
    }

    fn fits_from(&self) -> Option<u64> {
        self.window.fits_from(self.dimension, self.asked, self.limit)
    }

    fn remaining(&self) -> u64 {
        self.limit.saturating_sub(self.window.used(self.dimension))
    }

    /// The one of the two with less left; of equals, this one.
    fn tighter<'a>(&'a self, other: &'a Self) -> &'a Self {
        if other.remaining() < self.remaining() { other } else { self }
    }

    fn room(&self, now: Moment) -> Room {
        Room {
            scope: self.scope,
            limit: self.limit,
            remaining: self.remaining(),
            reset_seconds: self.window.empty_from(self.dimension).saturating_sub(now.second()),
        }
    }
}
