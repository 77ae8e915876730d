//! Which of many values a text finds.

use crate::ui::dom::lower_case;
use crate::ui::number::whole;

/// No more are listed: nobody reads so far, and typing leads there sooner.
const MOST: usize = 50;

/// What is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Those that are listed; an empty one stands for any.
    pub(super) values: Vec<String>,
    /// How many more there are.
    more: usize,
}

/// Those with the text in their words. While nothing is typed, any and the one chosen come first.
pub(super) fn find(all: Vec<String>, chosen: &str, text: &str, words: impl Fn(&str) -> String) -> Found {
    let text = text.trim();
    let mut values = Vec::new();
    if text.is_empty() {
        values.push(String::new());
        values.extend(all.iter().find(|value| *value == chosen).cloned());
        values.extend(all.into_iter().filter(|value| value != chosen));
    } else {
        let text = lower_case(text);
        values.extend(all.into_iter().filter(|value| lower_case(&words(value)).contains(&text)));
    }
    let more = values.len().saturating_sub(MOST);
    values.truncate(MOST);
    Found { values, more }
}

impl Found {
    /// What is said below the list.
    pub(super) fn note(&self) -> Option<String> {
        match (self.values.is_empty(), self.more) {
            (true, _) => Some("None has this in its name.".to_owned()),
            (false, 0) => None,
            (false, more) => Some(format!("{} more. Type to find them.", whole(more as u64))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_and_the_one_chosen_come_first_and_the_list_ends_somewhere() {
        let all = (0..2_000).map(|i| format!("model-{i}")).collect();
        let found = find(all, "model-1500", "", str::to_owned);
        assert_eq!(found.values[..3], ["", "model-1500", "model-0"]);
        assert_eq!((found.values.len(), found.more), (MOST, 2_001 - MOST));
    }
}
