//! Addresses as people type and paste them: one, or many with commas, blanks or line breaks between.

use keygate_contract::{IpRule, IpRuleError};

/// An address that was read, and how it was entered where that looks different.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entered {
    pub(super) rule: IpRule,
    pub(super) text: Option<String>,
}

/// What a text gave.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    /// What is to be added, in order.
    pub(super) entered: Vec<Entered>,
    /// What stays in the field.
    pub(super) left: String,
    /// The first text that is no address, and why.
    pub(super) error: Option<(String, IpRuleError)>,
}

/// Whether one address ends here.
pub(super) fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, ',' | ';')
}

/// Takes the addresses out of a text, at most `room` of them. What is still being typed, behind the last separator,
/// is taken if `all` is; what is no address stays.
pub(super) fn take(text: &str, all: bool, room: usize) -> Taken {
    let mut parts: Vec<&str> = text.split(is_separator).collect();
    let unfinished = if all { "" } else { parts.pop().unwrap_or_default() };
    let mut taken = Taken::default();
    let mut left: Vec<&str> = Vec::new();
    for part in parts.into_iter().filter(|part| !part.is_empty()) {
        match IpRule::parse(part) {
            Ok(_) if taken.entered.len() >= room => left.push(part),
            Ok(rule) => {
                let text = (!rule.to_string().eq_ignore_ascii_case(part)).then(|| part.to_owned());
                if taken.entered.iter().all(|entered| entered.rule != rule) {
                    taken.entered.push(Entered { rule, text });
                }
            }
            Err(error) => {
                left.push(part);
                taken.error.get_or_insert_with(|| (part.to_owned(), error));
            }
        }
    }
    // Unless something went, the text stays to the letter: the caret would jump.
    taken.left = if taken.entered.is_empty() {
        text.to_owned()
    } else {
        left.push(unfinished);
        left.retain(|part| !part.is_empty());
        left.join(", ")
    };
    taken
}

/// What is said of addresses that were taken from the field: which are new in the list, and which stood there already.
pub(super) fn news(added: &[IpRule], known: &[IpRule]) -> Option<String> {
    let added = match added {
        [] => None,
        [one] => Some(format!("{one} added")),
        many => Some(format!("{} addresses added", many.len())),
    };
    let known = match known {
        [] => None,
        [one] => Some(format!("{one} is already in the list")),
        many => Some(format!("{} addresses are already in the list", many.len())),
    };
    let news: Vec<_> = added.into_iter().chain(known).collect();
    (!news.is_empty()).then(|| news.join(", "))
}

/// How an address is kept that is entered otherwise: a block as its network, one address in its usual form.
pub(super) fn kept_as(text: &str) -> Option<String> {
    let kept = IpRule::parse(text).ok()?.to_string();
    let as_what = if kept.contains('/') { "as its network, " } else { "as " };
    (!kept.eq_ignore_ascii_case(text.trim())).then(|| format!("It is kept {as_what}{kept}."))
}

/// Why a text cannot become an address by typing on; none while it still may.
pub(super) fn hopeless(text: &str) -> Option<IpRuleError> {
    let text = text.trim();
    let error = IpRule::parse(text).err()?;
    let is_partial = match error {
        IpRuleError::Empty => true,
        IpRuleError::NotAnAddress => text.chars().all(|c| c.is_ascii_hexdigit() || matches!(c, '.' | ':')),
        IpRuleError::NotAPrefix => text.ends_with('/') && text.matches('/').count() == 1,
        IpRuleError::Zone | IpRuleError::PrefixTooLong { .. } => false,
    };
    (!is_partial).then_some(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(taken: &Taken) -> Vec<String> {
        taken.entered.iter().map(|entered| entered.rule.to_string()).collect()
    }

    #[test]
    fn a_pasted_list_is_split_at_commas_blanks_and_lines() {
        let taken = take("10.0.0.1, 10.0.0.2\n2001:db8::/32;203.0.113.7\t10.0.0.1\r\n", true, 20);
        assert_eq!(rules(&taken), ["10.0.0.1", "10.0.0.2", "2001:db8::/32", "203.0.113.7"]);
        assert_eq!((taken.left.as_str(), taken.error), ("", None));
    }

    #[test]
    fn what_is_no_address_stays_in_the_field() {
        let taken = take("10.0.0.1 example.com 10.0.0.0/33 10.0.0.2", true, 20);
        assert_eq!(rules(&taken), ["10.0.0.1", "10.0.0.2"]);
        assert_eq!(taken.left, "example.com, 10.0.0.0/33");
        assert_eq!(taken.error, Some(("example.com".into(), IpRuleError::NotAnAddress)));
        assert_eq!(take("nope,", false, 20).left, "nope,", "to the letter");
    }

    #[test]
    fn what_is_being_typed_is_left_alone() {
        let taken = take("10.0.0.1,10.0", false, 20);
        assert_eq!((rules(&taken), taken.left.as_str()), (vec!["10.0.0.1".to_owned()], "10.0"));
    }

    #[test]
    fn what_has_no_room_stays() {
        let taken = take("10.0.0.1 10.0.0.2 10.0.0.3", true, 2);
        assert_eq!((taken.entered.len(), taken.left.as_str(), taken.error), (2, "10.0.0.3", None));
    }

    #[test]
    fn an_address_kept_otherwise_than_entered_says_so() {
        let entered = |text| take(text, true, 1).entered.pop().unwrap();
        assert_eq!(entered("10.0.0.1/8").text.as_deref(), Some("10.0.0.1/8"));
        assert_eq!(entered("::ffff:10.0.0.1").text.as_deref(), Some("::ffff:10.0.0.1"));
        assert_eq!(entered("2001:DB8::").text, None);
    }

    #[test]
    fn one_address_is_not_called_a_network() {
        let kept = |text| kept_as(text);
        assert_eq!(kept("10.1.2.3/8").as_deref(), Some("It is kept as its network, 10.0.0.0/8."));
        for one in ["::ffff:10.0.0.1", "10.0.0.1/32", " ::ffff:10.0.0.1/128 "] {
            assert_eq!(kept(one).as_deref(), Some("It is kept as 10.0.0.1."), "{one}");
        }
        for as_entered in ["10.0.0.1", "10.0.0.0/8", "2001:DB8::", "10.0.0", ""] {
            assert_eq!(kept(as_entered), None, "{as_entered}");
        }
    }

    #[test]
    fn an_address_that_is_already_there_is_not_passed_over_in_silence() {
        let rules = |texts: &[&str]| texts.iter().map(|t| IpRule::parse(t).unwrap()).collect::<Vec<_>>();
        let told = |added: &[&str], known: &[&str]| news(&rules(added), &rules(known));
        assert_eq!(told(&[], &["10.0.0.1"]).as_deref(), Some("10.0.0.1 is already in the list"));
        assert_eq!(told(&["::1"], &[]).as_deref(), Some("::1 added"));
        let both = told(&["::1", "::2"], &["10.0.0.1", "10.0.0.2"]);
        assert_eq!(both.as_deref(), Some("2 addresses added, 2 addresses are already in the list"));
        assert_eq!(told(&[], &[]), None);
    }

    #[test]
    fn a_text_is_wrong_only_when_typing_on_cannot_mend_it() {
        for partial in ["", "1", "10.0.", "fe80:", "10.0.0.0/", "10.0.0.1", "10.0.0.0/8"] {
            assert_eq!(hopeless(partial), None, "{partial}");
        }
        for wrong in ["example.com", "10.0.0.0/33", "fe80::1%eth0", "10.0.0.0/8/", "10.0.0.0/x"] {
            assert!(hopeless(wrong).is_some(), "{wrong}");
        }
    }
}
