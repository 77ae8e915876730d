//! A permission while it is being chosen: what was entered stays when its box is unticked.

use keygate_contract::{IpRule, ModelId, Permission, Restriction, RestrictionError};

/// A permission while it is being chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::pages::api_keys) struct Scope {
    pub(super) custom: bool,
    pub(super) by_ip: bool,
    pub(super) ips: Vec<IpRule>,
    pub(super) by_model: bool,
    pub(super) models: Vec<ModelId>,
}

/// Where in the form something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spot {
    Whole,
    Ips,
    Models,
}

impl Spot {
    pub(super) fn of(error: RestrictionError) -> Self {
        match error {
            RestrictionError::Nothing => Self::Whole,
            RestrictionError::NoIps | RestrictionError::TooManyIps => Self::Ips,
            RestrictionError::NoModels | RestrictionError::TooManyModels => Self::Models,
        }
    }

    /// The spot of a field that the server names, and the place in its list.
    pub(super) fn of_field(field: &str) -> Option<(Self, Option<usize>)> {
        let rest = field.strip_prefix("permission")?;
        let place = || rest.split_once('[')?.1.split_once(']')?.0.parse().ok();
        Some(match rest {
            _ if rest.starts_with(".ips") => (Self::Ips, place()),
            _ if rest.starts_with(".models") => (Self::Models, place()),
            _ => (Self::Whole, None),
        })
    }
}

impl Scope {
    pub(super) fn of(permission: &Permission) -> Self {
        let Permission::Custom(restriction) = permission else { return Self::default() };
        Self {
            custom: true,
            by_ip: restriction.ips().is_some(),
            ips: restriction.ips().map(<[_]>::to_vec).unwrap_or_default(),
            by_model: restriction.models().is_some(),
            models: restriction.models().map(<[_]>::to_vec).unwrap_or_default(),
        }
    }

    /// The permission, if what was chosen is one.
    pub(super) fn permission(&self) -> Result<Permission, RestrictionError> {
        if !self.custom {
            return Ok(Permission::All {});
        }
        let ips = self.by_ip.then(|| self.ips.clone());
        let models = self.by_model.then(|| self.models.clone());
        Restriction::new(ips, models).map(Permission::Custom)
    }

    /// All that is wrong with it, of both lists.
    pub(super) fn errors(&self) -> Vec<RestrictionError> {
        if !self.custom {
            return Vec::new();
        }
        let ips = self.by_ip.then(|| Restriction::new(Some(self.ips.clone()), None));
        let models = self.by_model.then(|| Restriction::new(None, Some(self.models.clone())));
        match (ips, models) {
            (None, None) => vec![RestrictionError::Nothing],
            lists => [lists.0, lists.1].into_iter().flatten().filter_map(Result::err).collect(),
        }
    }

    /// Whether it is another permission than this.
    pub(super) fn differs(&self, permission: &Permission) -> bool {
        self.permission().as_ref() != Ok(permission)
    }

    /// What a place of a list holds.
    pub(super) fn entry(&self, spot: Spot, at: usize) -> Option<String> {
        match spot {
            Spot::Whole => None,
            Spot::Ips => self.ips.get(at).map(ToString::to_string),
            Spot::Models => self.models.get(at).map(ToString::to_string),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> IpRule {
        IpRule::parse(text).unwrap()
    }

    #[test]
    fn a_list_whose_box_is_unticked_does_not_restrict() {
        let mut scope = Scope { ips: vec![rule("10.0.0.1")], models: vec!["m".into()], ..Scope::default() };
        assert_eq!(scope.permission(), Ok(Permission::All {}));
        scope.custom = true;
        assert_eq!(scope.permission(), Err(RestrictionError::Nothing));
        scope.by_ip = true;
        let Ok(Permission::Custom(restriction)) = scope.permission() else { panic!("it restricts") };
        assert_eq!((restriction.ips().map(<[_]>::len), restriction.models()), (Some(1), None));
        scope.by_model = true;
        scope.models.clear();
        assert_eq!(scope.permission(), Err(RestrictionError::NoModels));
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        use RestrictionError::{NoIps, NoModels, Nothing};
        let mut scope = Scope { custom: true, ..Scope::default() };
        assert_eq!(scope.errors(), [Nothing]);
        (scope.by_ip, scope.by_model) = (true, true);
        assert_eq!(scope.errors(), [NoIps, NoModels]);
        scope.ips.push(rule("10.0.0.1"));
        assert_eq!(scope.errors(), [NoModels]);
        scope.models.push("m".into());
        assert_eq!((scope.errors(), scope.permission().is_ok()), (vec![], true));
    }

    #[test]
    fn a_permission_is_read_back() {
        let restriction = Restriction::new(Some(vec![rule("::/0")]), Some(vec!["m".into()])).unwrap();
        let permission = Permission::Custom(restriction);
        let scope = Scope::of(&permission);
        assert!(!scope.differs(&permission) && scope.differs(&Permission::All {}));
        assert_eq!(Scope::of(&Permission::All {}).permission(), Ok(Permission::All {}));
    }

    #[test]
    fn a_field_of_the_servers_leads_to_its_place() {
        assert_eq!(Spot::of_field("permission.ips[2]"), Some((Spot::Ips, Some(2))));
        assert_eq!(Spot::of_field("permission.models[0]"), Some((Spot::Models, Some(0))));
        assert_eq!(Spot::of_field("permission.ips"), Some((Spot::Ips, None)));
        assert_eq!(Spot::of_field("permission"), Some((Spot::Whole, None)));
        assert_eq!(Spot::of_field("description"), None);
    }
}
