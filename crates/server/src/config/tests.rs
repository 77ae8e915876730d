//! Configurations as they are written, good and bad.

use super::*;

fn parse(text: &str, env: &[(&str, &str)]) -> Result<Config, String> {
    let env = |name: &str| env.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
    Config::parse(text, "keygate.toml", &env).map_err(|e| e.to_string())
}

#[test]
fn without_a_file_there_are_three_regions_on_ports_of_their_own() {
    let config = parse("", &[]).unwrap();
    let regions: Vec<_> = config.regions.iter().map(|r| (r.id.as_str(), r.listen.to_string())).collect();
    assert_eq!(
        regions,
        [
            ("ap-southeast-1", "127.0.0.1:8080".into()),
            ("us-east-1", "127.0.0.1:8081".into()),
            ("cn-beijing", "127.0.0.1:8082".into())
        ]
    );
    assert_eq!(config.database_url, "sqlite:data/keygate.db");
    assert!(config.echo);
}

#[test]
fn a_wrong_line_is_named_and_not_quoted() {
    let smtp = "[smtp]\nfrom = 'a@example.com'\n";
    for (line, message) in [
        ("uri = 'smtps://user:canary@mail.example.com'", "unknown field `uri`"),
        ("url = 'smtps://user:canary@mail.example.com", "invalid literal string"),
    ] {
        let error = parse(&format!("{smtp}{line}\n"), &[]).unwrap_err();
        assert!(error.starts_with("keygate.toml, line 3: ") && error.contains(message), "{error}");
        assert!(!error.contains("canary"), "{error}");
    }
}

#[test]
fn the_environment_beats_the_file() {
    let file = "data_dir = '/srv/a'\nlisten = '127.0.0.1:1'";
    let config = parse(file, &[("KEYGATE_DATA_DIR", "/srv/b"), ("KEYGATE_LISTEN", "127.0.0.1:0")]).unwrap();
    assert_eq!(config.data_dir, Path::new("/srv/b"));
    assert!(config.regions.iter().all(|r| r.listen.port() == 0));
}

#[test]
fn an_upstream_serves_models_by_list_or_by_other_names() {
    let config = parse(
        "[[upstreams]]\nid = 'a'\nbase_url = 'http://x/v1'\nmodels = ['qwen-plus']\n\
         [[upstreams]]\nid = 'b'\nbase_url = 'http://y/v1'\nmodels = { 'ZHIPU/GLM-5.1' = 'glm' }",
        &[],
    )
    .unwrap();
    assert_eq!(config.upstreams[0].models.names(), [("qwen-plus".into(), None)]);
    assert_eq!(config.upstreams[1].models.names(), [("ZHIPU/GLM-5.1".into(), Some("glm".into()))]);
    assert!(!config.echo);
}

#[test]
fn own_models_stand_beside_the_shipped_ones_or_alone() {
    let own = "[[models]]\nid = 'mine'\nvendor = 'Me'\ntype = 'text'\nrpm = 60\ntpm = 1000\n\
               [models.regional.cn-beijing]\nrpm = 6\n";
    let config = parse(own, &[]).unwrap();
    assert_eq!(config.models.len(), 151);
    let rpm = |region: &str| {
        let catalogue = config.catalogue();
        catalogue.find(&region.into(), &"mine".into()).unwrap().limits.rpm
    };
    assert_eq!((rpm("us-east-1"), rpm("cn-beijing")), (60, 6));
    let alone = parse(&format!("shipped_models = false\n{own}"), &[]).unwrap();
    assert_eq!(alone.models.len(), 1);
}

#[test]
fn a_region_of_another_name_takes_the_models_of_one_that_ships() {
    let text = "[[regions]]\nid = 'home'\nname = 'Home'\ncatalogue = 'cn-beijing'";
    let catalogue = parse(text, &[]).unwrap().catalogue();
    assert_eq!(catalogue.in_region(&"home".into()).len(), 143);
}

#[test]
fn what_cannot_work_is_refused_by_its_field() {
    let upstream =
        |models: &str| format!("[[upstreams]]\nid = 'a'\nbase_url = 'http://x/v1'\nmodels = {models}");
    let region = |id: &str| format!("[[regions]]\nid = '{id}'\nname = 'R'\n");
    let with_domain = |id: &str, domain: &str| region(id) + &format!("workspace_domain = '{domain}'\n");
    let model = |id: &str, rest: &str| {
        format!("[[models]]\nid = '{id}'\nvendor = 'V'\ntype = 'text'\nrpm = 1\n{rest}\n")
    };
    for (text, env, expected) in [
        ("colour = 'red'".into(), None, "colour"),
        ("listen = 8080".into(), None, "listen"),
        (String::new(), Some(("KEYGATE_LISTEN", "8080")), "KEYGATE_LISTEN"),
        (String::new(), Some(("KEYGATE_DATABASE_URL", "postgres://x")), "SQLite only"),
        (String::new(), Some(("KEYGATE_REDIS_URL", "redis://x")), "KEYGATE_REDIS_URL"),
        ("owner_email = 'me'".into(), None, "owner_email"),
        ("public_url = 'https://x/console'".into(), None, "public_url"),
        ("[timeouts]\nbody = 0".into(), None, "timeouts.body"),
        ("[timeouts]\nupstream_idle = 99999999999".into(), None, "timeouts.upstream_idle"),
        ("workers = 0".into(), None, "workers"),
        ("[limits]\nheader_bytes = 0".into(), None, "limits.header_bytes"),
        ("[usage]\nlog_days = 0".into(), None, "usage.log_days: give 1 to 3660 days"),
        ("[usage]\nlog_days = 31".into(), None, "usage.minute_days: give 31 to 3660 days"),
        ("[usage]\nhour_days = 29".into(), None, "usage.hour_days"),
        ("[usage]\nlog_bytes = 1000".into(), None, "usage.log_bytes: give at least 1048576 bytes"),
        ("[usage]\nday_days = 9".into(), None, "day_days"),
        ("[admin]\nlisten = '9090'".into(), None, "listen"),
        ("[admin]\nlisten = '127.0.0.1:8081'".into(), None, "admin.listen"),
        (upstream("['gpt-nonsense']"), None, "gpt-nonsense"),
        (upstream("['qwen-plus']\noutput_limits = ['max_length']"), None, "max_length"),
        (upstream("['qwen-plus']\nunseen_context = 1.5"), None, "unseen_context"),
        ("[timeouts]\nsettle = 99999999999".into(), None, "timeouts.settle"),
        (upstream("['qwen-plus', 'qwen-plus']"), None, "qwen-plus"),
        (upstream("['qwen-plus']\nprotocol = 'smtp'"), None, "protocol"),
        (model("a", ""), None, "give `tpm`"),
        (model("a b", "tpm = 1"), None, "models.a b"),
        (model("a", "tpm = 0"), None, "at least 1"),
        (model("a", "tpm = 1\ncolour = 'red'"), None, "colour"),
        (model("a", "tpm = 1") + &model("a", "tpm = 1"), None, "two models"),
        (region("a") + &region("a"), None, "two regions"),
        (region("A/../b"), None, "lower-case"),
        ("[[regions]]\nid = 'home'".into(), None, "regions.home.name"),
        (region("a") + "private_url = 'a.internal'", None, "regions.a.private_url"),
        (region("a") + "custom_permission = 'yes'", None, "custom_permission"),
        (region("a") + "workspace_domain = 'https://a.example'", None, "regions.a.workspace_domain"),
        (region("a") + "workspace_domain = 'a.example:80'", None, "without scheme, port"),
        (region("a") + "workspace_domain = '.a.example'", None, "leading dot"),
        (region("a") + "workspace_domain = '*.a.example'", None, "workspace_domain"),
        (region("a") + "workspace_domain = 'A.example'", None, "lower-case"),
        (region("a") + "workspace_domain = '127.0.0.1'", None, "is no domain"),
        (region("a") + "workspace_domain = ''", None, "is no domain"),
        (with_domain("a", "x.example") + &with_domain("b", "x.example"), None, "overlaps"),
        (with_domain("a", "x.example") + &with_domain("b", "y.x.example"), None, "of a"),
        (with_domain("a", "y.x.example") + &with_domain("b", "x.example"), None, "overlaps"),
        (
            "public_url = 'https://kg.x.example'\n".to_owned() + &with_domain("a", "x.example"),
            None,
            "`kg.x.example` is below",
        ),
        ("trusted_proxies = ['10.0.0.0/8', '10.0.0.0/33']".into(), None, "trusted_proxies: `10.0.0.0/33`"),
        ("trusted_proxies = ['proxy.internal']".into(), None, "Host names are not taken"),
        ("console_origins = ['https://a.example', '*']".into(), None, "console_origins: `*`"),
        ("console_origins = ['null']".into(), None, "console_origins: `null`"),
        ("console_origins = ['https://a.example/console']".into(), None, "without a path"),
        ("session_cookie = 'a b'".into(), None, "session_cookie"),
        ("cross_site_cookies = true".into(), None, "cross_site_cookies"),
        (
            "cross_site_cookies = true\npublic_url = 'http://a.example'".into(),
            None,
            "give an https `public_url`",
        ),
    ] {
        let error = parse(&text, env.as_slice()).unwrap_err();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn every_known_region_needs_no_name_and_has_its_own_rules() {
    let ids = ["ap-southeast-1", "us-east-1", "cn-beijing", "eu-central-1", "cn-hongkong", "ap-northeast-1"];
    let text: String = ids.iter().map(|id| format!("[[regions]]\nid = '{id}'\n")).collect();
    let config = parse(&text, &[]).unwrap();
    let seen: Vec<_> = config
        .regions
        .iter()
        .map(|r| (r.name.as_str(), r.features.custom_permission, r.limits.keys_per_owner))
        .collect();
    assert_eq!(
        seen,
        [
            ("Singapore", true, None),
            ("US (Virginia)", false, Some(20)),
            ("China (Beijing)", true, None),
            ("Germany (Frankfurt)", true, None),
            ("China (Hong Kong)", true, None),
            ("Japan (Tokyo)", true, None),
        ]
    );
    assert!(config.regions.iter().all(|r| r.features.temporary_keys));
}

#[test]
fn a_region_may_differ_from_its_catalogues() {
    let region = "[[regions]]\nid = 'home'\nname = 'Home'\ncatalogue = 'us-east-1'\n";
    let plain = &parse(region, &[]).unwrap().regions[0];
    assert_eq!((plain.features.custom_permission, plain.limits.keys_per_owner), (false, Some(20)));
    let text = format!(
        "{region}custom_permission = true\ntemporary_keys = false\nprivate_url = 'http://10.0.0.1'\n\
         workspace_domain = 'localhost'\nlimits = {{ keys_per_owner = 5 }}"
    );
    let own = &parse(&text, &[]).unwrap().regions[0];
    assert_eq!((own.features.custom_permission, own.features.temporary_keys), (true, false));
    assert_eq!(own.limits.keys_per_owner, Some(5));
    assert_eq!(own.private_url.as_deref(), Some("http://10.0.0.1"));
    assert_eq!(own.workspace_domain.as_deref(), Some("localhost"));
}

#[test]
fn what_browsers_and_proxies_are_trusted_with() {
    let plain = parse("", &[]).unwrap();
    assert_eq!((plain.session_cookie.as_str(), plain.cross_site_cookies), ("keygate_session", false));
    assert!(plain.console_origins.is_empty() && plain.trusted_proxies.is_empty());
    let config = parse(
        "public_url = 'https://API.example.com:443/'\nconsole_origins = ['https://Console.example.com/', \
         'https://console.example.com']\nsession_cookie = '__Secure-kg'\ncross_site_cookies = true\n\
         trusted_proxies = ['10.1.2.3/8', '::1']",
        &[],
    )
    .unwrap();
    assert_eq!(config.public_url.as_deref(), Some("https://api.example.com"));
    assert_eq!(config.console_origins, ["https://console.example.com"]);
    assert_eq!(config.session_cookie, "__Secure-kg");
    assert!(config.cross_site_cookies);
    let proxies: Vec<String> = config.trusted_proxies.iter().map(ToString::to_string).collect();
    assert_eq!(proxies, ["10.0.0.0/8", "::1"]);
}

#[test]
fn how_long_usage_is_kept_and_where_figures_are_told() {
    let plain = parse("", &[]).unwrap();
    assert_eq!(
        plain.usage,
        UsageConfig { log_days: 14, log_bytes: 10 << 30, minute_days: 30, hour_days: 400 }
    );
    assert_eq!((plain.admin.listen, plain.usage_url().as_str()), (None, "sqlite:data/usage.db"));
    let config = parse("[usage]\nlog_days = 3\n[admin]\nlisten = '[::1]:9090'", &[]).unwrap();
    assert_eq!(config.usage, UsageConfig { log_days: 3, ..plain.usage });
    assert_eq!(config.admin.listen, Some("[::1]:9090".parse().unwrap()));
}

#[test]
fn the_sample_file_has_fields_that_are_there() {
    let sample = include_str!("../../../../deploy/keygate.toml");
    let line = |line: &str| match line.strip_prefix('#') {
        // What stands behind a blank is a comment, but for the lines of a list.
        Some(text) if !text.starts_with(' ') || text.starts_with("  {") => text.to_owned() + "\n",
        _ => line.to_owned() + "\n",
    };
    let config = parse(&sample.lines().map(line).collect::<String>(), &[]).unwrap();
    let ids: Vec<_> = config.regions.iter().map(|region| region.id.as_str()).collect();
    let known =
        ["ap-southeast-1", "us-east-1", "cn-beijing", "eu-central-1", "cn-hongkong", "ap-northeast-1"];
    assert_eq!(ids, known);
    assert_eq!((config.upstreams.len(), config.models.len()), (1, 151));
    assert_eq!(parse(sample, &[]).unwrap().regions.len(), 3);
}

#[test]
fn body_memory_must_hold_one_body() {
    let config = parse("[limits]\nbody_bytes = 1048576\nbody_memory = 1048576\n[timeouts]\nwrite = 7", &[]);
    let config = config.unwrap();
    assert_eq!(config.limits.body_memory, 1 << 20);
    assert_eq!(config.timeouts.write.as_secs(), 7);
    let error = parse("[limits]\nbody_memory = 1048576", &[]).unwrap_err();
    assert!(error.contains("limits.body_memory") && error.contains("limits.body_bytes"), "{error}");
}
