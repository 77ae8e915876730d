//! Keyset pages: a token is the position of the last item that was read, so a page costs the same however deep it is
//! and rows that come or go in between move nothing.

use crate::error::StoreError;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keygate_contract::{Page, PageSize};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Which page of a list.
#[derive(Clone, Debug, Default)]
pub struct PageRequest {
    /// How many items.
    pub size: PageSize,
    /// Where the page before ended.
    pub token: Option<String>,
}

impl PageRequest {
    /// The position to read on from; `None` at the start.
    ///
    /// # Errors
    /// [`StoreError::PageToken`] when the token is not a position of this list.
    pub(crate) fn position<P: DeserializeOwned>(&self) -> Result<Option<P>, StoreError> {
        let Some(token) = &self.token else { return Ok(None) };
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| StoreError::PageToken)?;
        serde_json::from_slice(&bytes).map(Some).map_err(|_| StoreError::PageToken)
    }

    /// A page of a list that is all in memory, in the order of its positions.
    ///
    /// # Errors
    /// [`StoreError::PageToken`] when the token is not a position of this list.
    pub fn page_of<T, P>(&self, items: Vec<T>, position: impl Fn(&T) -> P) -> Result<Page<T>, StoreError>
    where
        P: Serialize + DeserializeOwned + PartialOrd,
    {
        let total = i64::try_from(items.len()).unwrap_or(i64::MAX);
        let rows: Vec<T> = match self.position::<P>()? {
            None => items,
            Some(last) => items.into_iter().filter(|item| position(item) > last).collect(),
        };
        Ok(self.page(rows, total, position, |item| item))
    }

    /// Rows to ask for: one more than the page holds tells whether there is a next page.
    pub(crate) fn rows(&self) -> i64 {
        i64::from(u32::from(self.size)) + 1
    }

    /// The page out of the rows that were read.
    pub(crate) fn page<R, T, P: Serialize>(
        &self,
        mut rows: Vec<R>,
        total: i64,
        position: impl Fn(&R) -> P,
        item: impl FnMut(R) -> T,
    ) -> Page<T> {
        let size = u32::from(self.size) as usize;
        let more = rows.len() > size;
        rows.truncate(size);
        let next_page_token = rows.last().filter(|_| more).map(|last| {
            let position = serde_json::to_vec(&position(last)).expect("positions are plain values");
            URL_SAFE_NO_PAD.encode(position)
        });
        Page {
            items: rows.into_iter().map(item).collect(),
            next_page_token,
            total: u64::try_from(total).unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_a_list_in_memory_hold_each_item_once() {
        let items: Vec<u32> = (0..25).collect();
        let mut request = PageRequest { size: PageSize::try_from(10).unwrap(), token: None };
        let mut seen = Vec::new();
        loop {
            let page = request.page_of(items.clone(), |n| *n).unwrap();
            assert_eq!(page.total, 25);
            seen.extend(page.items);
            match page.next_page_token {
                Some(token) => request.token = Some(token),
                None => break,
            }
        }
        assert_eq!(seen, items);
    }

    #[test]
    fn a_token_leads_back_to_its_position_and_nothing_else_does() {
        let request = PageRequest { size: PageSize::try_from(2).unwrap(), token: None };
        let page = request.page(vec![1, 2, 3], 3, |n| (*n, "x"), |n| n);
        assert_eq!((page.items.as_slice(), page.total), (&[1, 2][..], 3));

        let next = PageRequest { token: page.next_page_token, ..request.clone() };
        assert_eq!(next.position::<(i64, String)>().unwrap(), Some((2, "x".into())));
        assert!(next.position::<(String, String)>().is_err());
        assert!(request.page(vec![3], 3, |n| *n, |n| n).next_page_token.is_none());

        for bad in ["", "!", "AAAA", "../../etc/passwd"] {
            let request = PageRequest { token: Some(bad.into()), ..request.clone() };
            assert!(matches!(request.position::<(i64, String)>(), Err(StoreError::PageToken)), "{bad}");
        }
    }
}
