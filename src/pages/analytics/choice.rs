//! What is shown, and what it is told apart by.

use keygate_contract::{ApiKeyId, ModelId, UsageFigures, UsageGroup, UsageOf, WorkspaceId};

/// What of the usage is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// Those of prompts and answers together.
    Tokens,
    /// Failed ones too.
    Calls,
    /// At the catalogue's prices.
    Cost,
}

impl What {
    pub(super) const ALL: [Self; 3] = [Self::Tokens, Self::Calls, Self::Cost];

    /// As it stands in the address.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::Calls => "calls",
            Self::Cost => "cost",
        }
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Tokens => "Tokens",
            Self::Calls => "Calls",
            Self::Cost => "Cost",
        }
    }

    pub(super) fn of_name(name: &str) -> Self {
        Self::ALL.into_iter().find(|what| what.name() == name).unwrap_or(Self::Tokens)
    }

    /// How much of it the figures tell; of costs, those in this currency.
    pub(super) fn amount(self, figures: &UsageFigures, currency: &str) -> f64 {
        match self {
            Self::Tokens => (figures.input_tokens + figures.output_tokens) as f64,
            Self::Calls => figures.calls as f64,
            Self::Cost => figures.cost.get(currency).copied().unwrap_or_default(),
        }
    }
}

/// What it is told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum By {
    Model,
    Key,
    /// Of the whole region.
    Workspace,
}

impl By {
    pub(super) const ALL: [Self; 3] = [Self::Model, Self::Key, Self::Workspace];

    /// As it stands in the address.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Key => "key",
            Self::Workspace => "workspace",
        }
    }

    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Model => "Model",
            Self::Key => "API key",
            Self::Workspace => "Workspace",
        }
    }

    /// Within a sentence.
    pub(super) fn in_title(self) -> &'static str {
        match self {
            Self::Key => "API key",
            Self::Model | Self::Workspace => self.name(),
        }
    }

    pub(super) fn of_name(name: &str) -> Self {
        Self::ALL.into_iter().find(|by| by.name() == name).unwrap_or(Self::Model)
    }

    pub(super) fn group(self) -> UsageGroup {
        match self {
            Self::Model => UsageGroup::Model,
            Self::Key => UsageGroup::ApiKey,
            Self::Workspace => UsageGroup::Workspace,
        }
    }

    /// The id of what figures are of; empty for calls without a model.
    pub(super) fn id(self, of: &UsageOf) -> &str {
        match self {
            Self::Model => of.model.as_ref().map(ModelId::as_str),
            Self::Key => of.api_key.as_ref().map(ApiKeyId::as_str),
            Self::Workspace => of.workspace.as_ref().map(WorkspaceId::as_str),
        }
        .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_and_what_is_no_name_is_as_usual() {
        assert_eq!(What::ALL.map(|what| What::of_name(what.name())), What::ALL);
        assert_eq!(By::ALL.map(|by| By::of_name(by.name())), By::ALL);
        assert_eq!((What::of_name("x"), By::of_name("")), (What::Tokens, By::Model));
    }

    #[test]
    fn costs_of_another_currency_do_not_count() {
        let cost = [("CNY".to_owned(), 7.0), ("USD".to_owned(), 1.0)].into();
        let figures = UsageFigures { cost, input_tokens: 2, output_tokens: 3, ..UsageFigures::default() };
        assert_eq!(What::Cost.amount(&figures, "USD"), 1.0);
        assert_eq!(What::Cost.amount(&figures, "EUR"), 0.0);
        assert_eq!(What::Tokens.amount(&figures, "USD"), 5.0);
    }
}
