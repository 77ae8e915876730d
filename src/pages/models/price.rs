//! What a model costs, in a few words.

use crate::components::price_unit;
use crate::ui::{money, whole};
use keygate_contract::Price;

/// The price that stands in the list.
#[derive(Clone, Debug, PartialEq)]
enum Pick<'a> {
    /// The catalogue knows none.
    Unknown,
    /// Of a million tokens of the prompt, and of the answer.
    Tokens(&'a Price, &'a Price),
    /// The only one.
    Only(&'a Price),
    /// The lowest of those in the first one's unit and currency.
    From(&'a Price),
}

fn pick(prices: &[Price]) -> Pick<'_> {
    let item = |name: &str| prices.iter().find(|price| price.item == name);
    match (prices, item("input_tokens"), item("output_tokens")) {
        ([], ..) => Pick::Unknown,
        (_, Some(input), Some(output)) if input.per == output.per && input.currency == output.currency => {
            Pick::Tokens(input, output)
        }
        ([only], ..) => Pick::Only(only),
        ([first, ..], ..) => {
            let alike = prices.iter().filter(|p| p.per == first.per && p.currency == first.currency);
            Pick::From(alike.fold(first, |least, p| if p.price < least.price { p } else { least }))
        }
    }
}

/// The amount, and what it is for.
pub(super) fn summary(prices: &[Price]) -> (String, String) {
    let amount = |price: &Price| money(price.price, &price.currency);
    let per = |price: &Price| format!("per {}", price_unit(price));
    match pick(prices) {
        Pick::Unknown => ("—".to_owned(), String::new()),
        Pick::Tokens(input, output) => {
            (format!("{} / {}", amount(input), amount(output)), format!("in / out, {}", per(input)))
        }
        Pick::Only(price) => (amount(price), per(price)),
        Pick::From(price) => (format!("from {}", amount(price)), per(price)),
    }
}

/// A number of tokens.
pub(super) fn tokens(count: Option<u64>) -> String {
    count.map_or("—".to_owned(), whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(item: &str, per: &str, price: f64) -> Price {
        Price { item: item.into(), per: per.into(), price, currency: "USD".into() }
    }

    #[test]
    fn input_and_output_stand_together_and_other_units_from_the_lowest() {
        let tokens =
            [price("input_tokens", "million_tokens", 1.2), price("output_tokens", "million_tokens", 4.8)];
        assert_eq!(pick(&tokens), Pick::Tokens(&tokens[0], &tokens[1]));
        let video = [
            price("video_1080p", "second", 0.2),
            price("video_720p", "second", 0.1),
            price("call", "call", 0.01),
        ];
        assert_eq!(pick(&video), Pick::From(&video[1]));
        assert_eq!(pick(&video[..1]), Pick::Only(&video[0]));
        assert_eq!(pick(&[]), Pick::Unknown);
    }
}
