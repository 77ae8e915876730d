//! Lists come in pages: a token leads to the next, and the total is told with each.

use crate::limits::{PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX};
use serde::{Deserialize, Serialize};

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Page<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// Give this as `page_token` to read on; null on the last page. Opaque, and good only for the same filters.
    pub next_page_token: Option<String>,
    /// How many items there are in all pages together.
    pub total: u64,
}

impl<T> Page<T> {
    /// The same page with each item turned into another.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(f).collect(),
            next_page_token: self.next_page_token,
            total: self.total,
        }
    }
}

/// How many items a page holds: 1 to 100, 20 unless told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = u32, minimum = 1, maximum = 100, default = 20))]
#[serde(try_from = "u32", into = "u32")]
pub struct PageSize(u32);

impl Default for PageSize {
    fn default() -> Self {
        Self(PAGE_SIZE_DEFAULT)
    }
}

impl TryFrom<u32> for PageSize {
    type Error = String;

    fn try_from(size: u32) -> Result<Self, String> {
        if (1..=PAGE_SIZE_MAX).contains(&size) {
            Ok(Self(size))
        } else {
            Err(format!("a page holds 1 to {PAGE_SIZE_MAX} items"))
        }
    }
}

impl From<PageSize> for u32 {
    fn from(size: PageSize) -> u32 {
        size.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_size_is_checked_when_it_is_read() {
        for bad in ["0", "101", "-1", "1.5", "\"20\""] {
            assert!(serde_json::from_str::<PageSize>(bad).is_err(), "{bad}");
        }
        assert_eq!(u32::from(serde_json::from_str::<PageSize>("100").unwrap()), 100);
        assert_eq!(u32::from(PageSize::default()), 20);
    }
}
