//! What came of asking a host, in words.

use super::address::Address;
use super::check::Outcome;
use crate::ui::Tone;
use keygate_contract::{EndpointKind, Protocol, Region, RegionId};

/// A protocol.
pub(super) const fn protocol_name(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Openai => "OpenAI-compatible",
        Protocol::Dashscope => "DashScope-native",
        Protocol::Anthropic => "Anthropic",
    }
}

/// Which clients speak it.
pub(super) fn protocol_clients(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Openai => "For OpenAI's clients, and all others that let you set a base URL.",
        Protocol::Dashscope => "For DashScope's own clients.",
        Protocol::Anthropic => "For Anthropic's clients and what is built on them.",
    }
}

/// Who reaches it.
pub(super) fn kind_name(kind: EndpointKind) -> &'static str {
    match kind {
        EndpointKind::Public => "Public",
        EndpointKind::Private => "Private",
        EndpointKind::Workspace => "Workspace",
    }
}

/// An outcome, as it is shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) tone: Tone,
    pub(super) label: String,
    /// What to look at.
    pub(super) advice: Option<&'static str>,
}

/// How the host of an address of the region `here`, one of `all`, answered the console that came by `page`.
pub(super) fn told(
    outcome: &Outcome,
    address: &Address,
    here: &RegionId,
    all: &[Region],
    page: Scheme,
) -> Told {
    match outcome {
        Outcome::Asking => Told { tone: Tone::Plain, label: "Checking…".to_owned(), advice: None },
        Outcome::Answers { ms, region } if region == here => {
            Told { tone: Tone::Good, label: format!("Answers in {ms} ms"), advice: None }
        }
        Outcome::Answers { region, .. } => {
            let name = all.iter().find(|r| r.id == *region).map_or(region.as_str(), |r| &r.name);
            Told {
                tone: Tone::Bad,
                label: format!("Answers, but as {name}"),
                advice: Some(
                    "It leads to another region, where keys of this one get 401. Look at the name's address, at the proxy, and at `public_url` in the configuration.",
                ),
            }
        }
        Outcome::Stranger => Told {
            tone: Tone::Bad,
            label: "Something else answers".to_owned(),
            advice: Some("What answers is no gateway. Look at the name's address and at the proxy."),
        },
        Outcome::Silent => Told {
            tone: if address.kind == EndpointKind::Private { Tone::Plain } else { Tone::Bad },
            label: "Does not answer".to_owned(),
            advice: Some(silence(address, page)),
        },
    }
}

/// How the console itself came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Http,
    Https,
}

fn silence(address: &Address, page: Scheme) -> &'static str {
    if page == Scheme::Https && address.base_url.starts_with("http:") {
        return "This console came over HTTPS, and browsers keep its pages from plain HTTP. Applications may well reach it: check from where they run.";
    }
    if address.host.as_ref().is_some_and(|host| host.contains('[')) {
        return "The rules of a page cannot name an IPv6 address, so this browser may not ask it. Check from where applications run.";
    }
    match address.kind {
        EndpointKind::Public => {
            "Look at the name, the firewall, the certificate, and whether the gateway runs."
        }
        EndpointKind::Private => {
            "It may be out of reach from this browser, and that is fine: check from inside the private network."
        }
        EndpointKind::Workspace => {
            "Look at the wildcard record of the domain and at its certificate, then at the firewall."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(id: &str) -> Region {
        serde_json::from_value(serde_json::json!({
            "id": id, "name": format!("Region {id}"), "endpoints": [],
            "features": {"custom_permission": true, "temporary_keys": true},
            "limits": {"workspaces": 1, "keys_per_workspace": 1, "keys_per_region": 1, "keys_per_owner": null}
        }))
        .unwrap()
    }

    fn of(kind: EndpointKind, base_url: &str) -> Address {
        let base_url = base_url.to_owned();
        Address { protocol: Protocol::Openai, kind, host: None, base_url, operations: Vec::new() }
    }

    #[test]
    fn an_answer_is_good_only_from_this_region() {
        let (a, b) = (region("a"), region("b"));
        let public = of(EndpointKind::Public, "http://x/v1");
        let answer = |region: &str| Outcome::Answers { ms: 23, region: RegionId::from(region) };
        let told = |outcome| super::told(&outcome, &public, &a.id, &[a.clone(), b.clone()], Scheme::Http);
        assert_eq!(
            told(answer("a")),
            Told { tone: Tone::Good, label: "Answers in 23 ms".into(), advice: None }
        );
        assert_eq!(told(answer("b")).label, "Answers, but as Region b");
        assert_eq!(told(answer("c")).label, "Answers, but as c");
        assert_eq!(told(answer("c")).tone, Tone::Bad);
    }

    #[test]
    fn silence_is_explained_by_what_may_be_its_cause() {
        let a = region("a");
        let told = |address: &Address, page| super::told(&Outcome::Silent, address, &a.id, &[], page);
        let public = of(EndpointKind::Public, "http://x/v1");
        assert!(told(&public, Scheme::Http).advice.unwrap().contains("firewall"));
        assert!(told(&public, Scheme::Https).advice.unwrap().contains("HTTPS"));
        let private = told(&of(EndpointKind::Private, "https://x/v1"), Scheme::Https);
        assert_eq!(private.tone, Tone::Plain, "it is no fault");
        assert!(private.advice.unwrap().contains("that is fine"));
    }
}
