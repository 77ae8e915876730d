//! Texts as they are compared and searched.

use unicode_normalization::UnicodeNormalization;

/// The form in which two texts are the same if a person would say so: compatibility forms folded, case ignored.
pub(crate) fn comparable(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).nfkc().collect()
}

/// A `LIKE` pattern (escape `\`) for texts that contain `part`. Its wildcards stand for themselves, so a search
/// cannot be made slow or wide with them.
pub(crate) fn contains_pattern(part: &str) -> String {
    let mut pattern = String::with_capacity(part.len() + 2);
    pattern.push('%');
    for c in comparable(part).chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparable_ignores_case_and_composition() {
        assert_eq!(comparable("Search TEAM"), comparable("search team"));
        assert_eq!(comparable("Cafe\u{301}"), comparable("CAFÉ"));
        assert_eq!(comparable("ΣΊΣΥΦΟΣ"), comparable("σίσυφοσ"));
        assert_ne!(comparable("a b"), comparable("ab"));
    }

    #[test]
    fn wildcards_in_a_search_stand_for_themselves() {
        assert_eq!(contains_pattern(r"50%_\"), r"%50\%\_\\%");
    }
}
