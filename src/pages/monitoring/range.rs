//! The ranges of time that can be watched.

use crate::components::{Lately, PageRange};

/// Those that end now.
pub(super) const RANGES: &[Lately] =
    &[Lately::Minutes15, Lately::Hour, Lately::Day, Lately::Week, Lately::Month];

/// The one that is left out of the address.
pub(super) const USUAL: Lately = Lately::Hour;

/// For the labels of figures: `last hour`.
pub(super) fn words(range: PageRange) -> &'static str {
    match range {
        PageRange::Lately(range) => range.words(),
        PageRange::Between(..) => "chosen range",
    }
}

/// The range that it is compared with: `the hour before`.
pub(super) fn before(range: PageRange) -> String {
    let length = match range {
        PageRange::Lately(range) => range.words().trim_start_matches("last "),
        PageRange::Between(..) => "same time",
    };
    format!("the {length} before")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_compared_with_the_one_before_it() {
        assert_eq!(before(PageRange::Lately(Lately::Hour)), "the hour before");
        assert_eq!(before(PageRange::Lately(Lately::Week)), "the 7 days before");
        assert_eq!(before(PageRange::Between(1, 2)), "the same time before");
    }
}
