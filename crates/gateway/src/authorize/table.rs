//! The table of decisions: every combination of what a decision goes by, each with its one answer, status and code.

use super::*;
use keygate_contract::{ModelType, Permission, Restriction};
use keygate_store::{ApiKeyRecord, GrantedLimits, ModelAccess};

const NOW: i64 = 1_795_163_400_000;

fn model(id: &str) -> Model {
    Model {
        slot: 0,
        id: id.into(),
        vendor: "V".into(),
        kind: ModelType::Text,
        limits: Limits { rpm: 600, tpm: Some(6000) },
        context_window: None,
        max_output_tokens: None,
        expected_output_tokens: 0,
        prices: Vec::new(),
    }
}

/// How the key stands.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stands {
    Active,
    /// Its last millisecond.
    AboutToExpire,
    Expired,
    Disabled,
    DisabledAndExpired,
    Deleted,
}

/// Where the call comes from, and what the key's list says of it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum From {
    Anywhere,
    Listed,
    /// Listed as IPv4, seen as IPv4-mapped IPv6.
    ListedMapped,
    Unlisted,
}

/// Whose host was called.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Host {
    Region,
    Own,
    Another,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Scope {
    All,
    Has,
    Lacks,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Granted {
    All,
    This,
    Other,
    Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Asked {
    List,
    This,
    Unknown,
}

fn key(stands: Stands, from: From, scope: Scope) -> KeyState {
    let ips = (from != From::Anywhere).then(|| vec!["10.0.0.0/8".to_owned().try_into().unwrap()]);
    let models = match scope {
        Scope::All => None,
        Scope::Has => Some(vec!["this".into()]),
        Scope::Lacks => Some(vec!["other".into()]),
    };
    let permission = match Restriction::new(ips, models) {
        Ok(restriction) => Permission::Custom(restriction),
        Err(_) => Permission::All {},
    };
    let mut state = KeyState::new(ApiKeyRecord {
        id: "key-1".into(),
        public_id: "AAAAAAAAAAAA".into(),
        secret_hash: [0; 32],
        previous: None,
        workspace: "ws-own".into(),
        owner: "mem-1".into(),
        permission,
        disabled: matches!(stands, Stands::Disabled | Stands::DisabledAndExpired),
        expires_at: match stands {
            Stands::AboutToExpire => Some(NOW + 1),
            Stands::Expired | Stands::DisabledAndExpired => Some(NOW),
            _ => None,
        },
    });
    state.live = stands != Stands::Deleted;
    state
}

fn access(granted: Granted) -> ModelAccess {
    let grant =
        |id: &str| ModelAccess::Granted([(id.into(), GrantedLimits { rpm: 60, tpm: Some(600) })].into());
    match granted {
        Granted::All => ModelAccess::All,
        Granted::This => grant("this"),
        Granted::Other => grant("other"),
        Granted::Nothing => ModelAccess::Granted([].into()),
    }
}

/// The one answer: the table itself, read from the top, where the first line that holds is the answer.
#[expect(clippy::too_many_arguments, reason = "the columns of the table")]
fn answer(
    region: bool,
    workspace: bool,
    stands: Stands,
    owner: bool,
    host: Host,
    from: From,
    asked: Asked,
    granted: Granted,
    scope: Scope,
) -> Result<Permit, Denial> {
    let lines = [
        (!region, Denial::WrongRegion),
        (!workspace || stands == Stands::Deleted, Denial::KeyGone),
        (matches!(stands, Stands::Disabled | Stands::DisabledAndExpired), Denial::KeyDisabled),
        (stands == Stands::Expired, Denial::KeyExpired),
        (!owner, Denial::OwnerDisabled),
        (host == Host::Another, Denial::WrongEndpoint),
        (from == From::Unlisted, Denial::AddressRefused),
        (asked == Asked::Unknown, Denial::ModelNotFound),
        (
            asked == Asked::This && matches!(granted, Granted::Other | Granted::Nothing),
            Denial::ModelNotGranted,
        ),
        (asked == Asked::This && scope == Scope::Lacks, Denial::ModelOutOfScope),
    ];
    match lines.into_iter().find(|(holds, _)| *holds) {
        Some((_, denial)) => Err(denial),
        None if asked == Asked::List => Ok(Permit::List),
        None if granted == Granted::All => Ok(Permit::Call(Limits { rpm: 600, tpm: Some(6000) })),
        None => Ok(Permit::Call(Limits { rpm: 60, tpm: Some(600) })),
    }
}

#[test]
fn the_table_of_decisions() {
    let (here, elsewhere) = (RegionId::from("here"), RegionId::from("elsewhere"));
    let (this, own) = (model("this"), WorkspaceId::from("ws-own"));
    let mut cases = 0;
    for stands in [
        Stands::Active,
        Stands::AboutToExpire,
        Stands::Expired,
        Stands::Disabled,
        Stands::DisabledAndExpired,
        Stands::Deleted,
    ] {
        for from in [From::Anywhere, From::Listed, From::ListedMapped, From::Unlisted] {
            for scope in [Scope::All, Scope::Has, Scope::Lacks] {
                let key = key(stands, from, scope);
                let address = match from {
                    From::Listed => "10.1.2.3",
                    From::ListedMapped => "::ffff:10.1.2.3",
                    From::Anywhere | From::Unlisted => "11.1.2.3",
                };
                for (granted, live) in [Granted::All, Granted::This, Granted::Other, Granted::Nothing]
                    .into_iter()
                    .flat_map(|granted| [(granted, true), (granted, false)])
                {
                    let workspace = WorkspaceState::new(live, access(granted));
                    for host in [Host::Region, Host::Own, Host::Another] {
                        for asked in [Asked::List, Asked::This, Asked::Unknown] {
                            for (region, owner) in
                                [(true, true), (true, false), (false, true), (false, false)]
                            {
                                let facts = Facts {
                                    called_region: &here,
                                    key_region: if region { &here } else { &elsewhere },
                                    key: &key,
                                    owner_active: owner,
                                    called_workspace: match host {
                                        Host::Region => None,
                                        Host::Own => Some("WS-Own"),
                                        Host::Another => Some("ws-another"),
                                    },
                                    key_workspace: &own,
                                    workspace: &workspace,
                                    address: address.parse().unwrap(),
                                    now: NOW,
                                    target: match asked {
                                        Asked::List => Target::ModelList,
                                        Asked::This => Target::Model(&this),
                                        Asked::Unknown => Target::UnknownModel,
                                    },
                                };
                                let expected =
                                    answer(region, live, stands, owner, host, from, asked, granted, scope);
                                assert_eq!(authorize(facts), expected, "{facts:?}");
                                cases += 1;
                            }
                        }
                    }
                }
            }
        }
    }
    assert_eq!(cases, 6 * 4 * 3 * 8 * 3 * 3 * 4);
}

#[test]
fn each_denial_has_its_status_and_codes() {
    let mut told = Vec::new();
    for (denial, status, compatible, native) in [
        (Denial::WrongRegion, 401, "invalid_api_key", "InvalidApiKey"),
        (Denial::KeyGone, 401, "invalid_api_key", "InvalidApiKey"),
        (Denial::KeyDisabled, 401, "invalid_api_key", "InvalidApiKey"),
        (Denial::KeyExpired, 401, "invalid_api_key", "InvalidApiKey"),
        (Denial::OwnerDisabled, 401, "invalid_api_key", "InvalidApiKey"),
        (Denial::WrongEndpoint, 403, "access_denied", "Endpoint.AccessDenied"),
        (Denial::AddressRefused, 403, "ip_not_allowed", "ip_not_allowed"),
        (Denial::ModelNotFound, 404, "model_not_found", "ModelNotFound"),
        (Denial::ModelNotGranted, 403, "Model.AccessDenied", "Model.AccessDenied"),
        (Denial::ModelOutOfScope, 403, "Model.AccessDenied", "Model.AccessDenied"),
    ] {
        let refusal = denial.refusal(|| Some("https://home/compatible-mode/v1".into()), "this");
        let codes = refusal.codes();
        assert_eq!(
            (codes.status.as_u16(), codes.compatible, codes.native),
            (status, compatible, native),
            "{denial:?}"
        );
        let message = refusal.message();
        assert!(!told.contains(&message), "two denials cannot be told apart: {message}");
        told.push(message);
    }
    assert!(told[0].contains("https://home/compatible-mode/v1"));
}
