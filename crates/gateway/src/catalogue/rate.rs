//! What a call costs by the catalogue's prices, worked out once for each model.

use keygate_contract::Price;

/// Trillionths of a unit of currency: the smallest amount that is told apart. A token at one cent for a million is
/// 10,000 of them.
const PICO: f64 = 1e12;

/// What a call has cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cost {
    /// Nothing: it was not answered.
    #[default]
    None,
    /// It cannot be known: the catalogue has no price for what was used.
    Unpriced,
    /// An amount.
    Priced {
        /// ISO 4217 code.
        currency: [u8; 3],
        /// Trillionths of a unit of it.
        pico: u64,
    },
}

/// How the cost of a model's calls is worked out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rate {
    currency: [u8; 3],
    per: Per,
}

/// What is paid for, in trillionths of a unit of currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Per {
    /// What a call tells of its use is not what is paid for: images, seconds, or nothing is known.
    #[default]
    Unknown,
    Tokens {
        input: Option<u64>,
        output: Option<u64>,
    },
    Call(u64),
}

impl Rate {
    /// The rate by a model's prices. Tokens have a price only where nothing else has one, a call only where it alone
    /// has: of other units a call does not tell how many it took.
    pub(crate) fn new(prices: &[Price]) -> Self {
        Self::known(prices).unwrap_or_default()
    }

    fn known(prices: &[Price]) -> Option<Self> {
        let currency: [u8; 3] = prices.first()?.currency.as_bytes().try_into().ok()?;
        if prices.iter().any(|price| price.currency.as_bytes() != currency) {
            return None;
        }
        if let [price] = prices
            && price.per == "call"
        {
            return Some(Self { currency, per: Per::Call(pico(price.price)) });
        }
        let (mut input, mut output) = (None, None);
        for price in prices {
            let of = match price.item.as_str() {
                "input_tokens" if price.per == "million_tokens" => &mut input,
                "output_tokens" if price.per == "million_tokens" => &mut output,
                _ => return None,
            };
            // Of two prices of one thing, which one holds is not known.
            if of.replace(pico(price.price / 1e6)).is_some() {
                return None;
            }
        }
        Some(Self { currency, per: Per::Tokens { input, output } })
    }

    /// What an answer costs that took so many tokens.
    pub(crate) fn cost(self, input: u64, output: u64) -> Cost {
        let of = |tokens: u64, price: Option<u64>| match (tokens, price) {
            (0, _) => Some(0),
            (tokens, Some(price)) => Some(tokens.saturating_mul(price)),
            (_, None) => None,
        };
        let pico = match self.per {
            Per::Unknown => None,
            Per::Call(pico) => Some(pico),
            Per::Tokens { input: input_price, output: output_price } => {
                of(input, input_price).and_then(|input| Some(input.saturating_add(of(output, output_price)?)))
            }
        };
        pico.map_or(Cost::Unpriced, |pico| Cost::Priced { currency: self.currency, pico })
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast stays at the ends of its type"
)]
fn pico(amount: f64) -> u64 {
    (amount * PICO).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(item: &str, per: &str, price: f64, currency: &str) -> Price {
        Price { item: item.into(), per: per.into(), price, currency: currency.into() }
    }

    fn cost(prices: &[Price], input: u64, output: u64) -> Cost {
        Rate::new(prices).cost(input, output)
    }

    #[test]
    fn tokens_cost_what_the_catalogue_says_to_the_trillionth() {
        let usd = |pico| Cost::Priced { currency: *b"USD", pico };
        let prices = [
            price("input_tokens", "million_tokens", 0.05, "USD"),
            price("output_tokens", "million_tokens", 0.4, "USD"),
        ];
        assert_eq!(cost(&prices, 1_000_000, 0), usd(50_000_000_000));
        assert_eq!(cost(&prices, 3, 4), usd(3 * 50_000 + 4 * 400_000));
        assert_eq!(cost(&prices[..1], 3, 0), usd(150_000), "vectors have no output to pay");
        assert_eq!(cost(&prices[..1], 3, 1), Cost::Unpriced);
        assert_eq!(cost(&prices[1..], 1, 1), Cost::Unpriced);
        assert_eq!(cost(&prices, u64::MAX, 0), usd(u64::MAX));
    }

    #[test]
    fn a_call_has_a_price_where_nothing_else_has_one() {
        let call = price("image_to_3d", "call", 1.5, "CNY");
        assert_eq!(
            cost(std::slice::from_ref(&call), 9, 9),
            Cost::Priced { currency: *b"CNY", pico: 1_500_000_000_000 }
        );
        assert_eq!(cost(&[call.clone(), call], 9, 9), Cost::Unpriced);
    }

    #[test]
    fn what_a_call_does_not_tell_has_no_price() {
        let input = price("input_tokens", "million_tokens", 1.0, "USD");
        for prices in [
            vec![],
            vec![price("image_number", "image", 0.25, "CNY")],
            vec![input.clone(), price("audio", "second", 0.1, "USD")],
            vec![input.clone(), price("output_tokens", "million_tokens", 1.0, "CNY")],
            vec![input.clone(), input],
            vec![price("input_tokens", "million_tokens", 1.0, "points")],
        ] {
            assert_eq!(cost(&prices, 1, 0), Cost::Unpriced, "{prices:?}");
        }
    }
}
