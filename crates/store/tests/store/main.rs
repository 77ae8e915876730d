//! The store on a real SQLite file: what an API test cannot reach, or not as directly.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod limits;
mod sign_in;

use keygate_contract::{
    ApiKeyId, ApiKeyStatus, Description, Email, Page, PageSize, Permission, RegionId, Role, SearchText,
    Workspace, WorkspaceId, WorkspaceName,
};
use keygate_store::{
    Actor, ApiKeyFilter, ApiKeyQuota, BrowserToken, Event, NewAccount, NewApiKey, NewSession, Once, Owner,
    PageRequest, QuotaScope, Repeat, Store, StoreError, WorkspaceQuota, now_ms,
};

const QUOTA: WorkspaceQuota = WorkspaceQuota { workspaces: 20, keys_per_workspace: 20 };
const KEYS: ApiKeyQuota = ApiKeyQuota { per_workspace: 3, per_region: 4, per_owner: None };

struct Fixture {
    store: Store,
    owner: Owner,
    _dir: tempfile::TempDir,
}

fn region() -> RegionId {
    "ap-southeast-1".into()
}

fn name(text: &str) -> WorkspaceName {
    WorkspaceName::parse(text).unwrap()
}

async fn fixture() -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&format!("sqlite:{}", dir.path().join("keygate.db").display())).await.unwrap();
    let owner = account(&store, "owner@example.com").await;
    Fixture { store, owner, _dir: dir }
}

async fn account(store: &Store, email: &str) -> Owner {
    let new = NewAccount {
        name: "Account",
        owner: &Email::parse(email).unwrap(),
        regions: &[region(), "us-east-1".into()],
        workspace: &name("Default workspace"),
    };
    store.account_create(new).await.unwrap().0
}

impl Fixture {
    fn actor(&self) -> Actor {
        actor(&self.owner)
    }

    async fn workspace(&self, text: &str) -> Result<Workspace, StoreError> {
        let mut change = self.store.change(self.actor()).await?;
        let workspace = change.workspace_create(&region(), &name(text), QUOTA).await?;
        change.commit().await?;
        Ok(workspace)
    }

    async fn key(&self, workspace: &WorkspaceId, n: u8) -> Result<(ApiKeyId, Vec<Event>), StoreError> {
        let mut change = self.store.change(self.actor()).await?;
        let new = NewApiKey {
            description: &Description::parse(&format!("key {n}")).unwrap(),
            permission: &Permission::default(),
            expires_at: None,
            owner: &self.owner.member,
            public_id: &format!("public-{n}"),
            secret_hash: [n; 32],
            masked: "sk-kg-abcd…wxyz",
        };
        let key = change.api_key_create(&region(), workspace, new, KEYS).await?;
        Ok((key.id, change.commit().await?))
    }

    async fn list(&self, search: &str, size: u32, token: Option<String>) -> Page<Workspace> {
        let page = PageRequest { size: PageSize::try_from(size).unwrap(), token };
        let search = SearchText::parse(search).unwrap();
        self.store.workspace_list(&self.owner.account, &region(), &search, QUOTA, &page).await.unwrap()
    }
}

fn actor(owner: &Owner) -> Actor {
    Actor {
        account: owner.account.clone(),
        member: Some(owner.member.clone()),
        email: owner.email.clone(),
        address: "127.0.0.1".into(),
        request_id: "test".into(),
    }
}

#[tokio::test]
async fn an_account_starts_with_a_default_workspace_in_each_region() {
    let f = fixture().await;
    let page = f.list("", 20, None).await;
    assert_eq!(page.items.len(), 1);
    assert!(page.items[0].is_default);
    assert_eq!(page.items[0].model_count, None);

    let regions = [region(), "us-east-1".into(), "cn-beijing".into()];
    f.store.default_workspaces_ensure(&regions, &name("Default workspace")).await.unwrap();
    f.store.default_workspaces_ensure(&regions, &name("Default workspace")).await.unwrap();
    assert_eq!(f.store.directory_content().await.unwrap().workspaces.len(), 3);
}

#[tokio::test]
async fn pages_walk_the_whole_list_once_while_rows_come_and_go() {
    let f = fixture().await;
    for n in 0..7 {
        f.workspace(&format!("w{n}")).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    let first = f.list("", 3, None).await;
    assert_eq!(first.total, 8);
    f.workspace("late").await.unwrap();

    let mut seen: Vec<String> = first.items.into_iter().map(|w| w.name).collect();
    let mut token = first.next_page_token;
    while token.is_some() {
        let page = f.list("", 3, token).await;
        seen.extend(page.items.into_iter().map(|w| w.name));
        token = page.next_page_token;
    }
    assert_eq!(seen, ["Default workspace", "w0", "w1", "w2", "w3", "w4", "w5", "w6", "late"]);
}

#[tokio::test]
async fn search_finds_by_name_and_id_and_takes_wildcards_for_themselves() {
    let f = fixture().await;
    let cafe = f.workspace("Café 100%").await.unwrap();
    f.workspace("plain").await.unwrap();
    for query in ["CAFÉ", "cafe\u{301}", "100%", cafe.id.as_str(), &cafe.id.as_str()[5..12]] {
        let found = f.list(query, 20, None).await;
        assert_eq!(found.items.iter().map(|w| &w.id).collect::<Vec<_>>(), [&cafe.id], "{query}");
        assert_eq!(found.total, 1);
    }
    assert_eq!(f.list("p%n", 20, None).await.total, 0);
    assert_eq!(f.list("_", 20, None).await.total, 0);
}

#[tokio::test]
async fn names_are_unique_in_a_region_whatever_the_case_until_archived() {
    let f = fixture().await;
    let team = f.workspace("Search Team").await.unwrap();
    assert!(matches!(f.workspace("search team").await, Err(StoreError::NameTaken)));

    let mut change = f.store.change(f.actor()).await.unwrap();
    change.workspace_create(&"us-east-1".into(), &name("Search Team"), QUOTA).await.unwrap();
    change.commit().await.unwrap();

    let mut change = f.store.change(f.actor()).await.unwrap();
    assert!(matches!(
        change.workspace_archive(&region(), &team.id, "search team").await,
        Err(StoreError::NameMismatch)
    ));
    change.workspace_archive(&region(), &team.id, "Search Team").await.unwrap();
    change.commit().await.unwrap();
    f.workspace("SEARCH TEAM").await.unwrap();
}

#[tokio::test]
async fn a_change_that_is_not_committed_leaves_nothing() {
    let f = fixture().await;
    let mut change = f.store.change(f.actor()).await.unwrap();
    change.workspace_create(&region(), &name("half"), QUOTA).await.unwrap();
    drop(change);
    assert_eq!(f.list("half", 20, None).await.total, 0);
}

#[tokio::test]
async fn a_stale_version_changes_nothing() {
    let f = fixture().await;
    let team = f.workspace("team").await.unwrap();
    let rename = async |to: &str, version| {
        let mut change = f.store.change(f.actor()).await.unwrap();
        let result = change.workspace_update(&region(), &team.id, Some(&name(to)), version, QUOTA).await;
        change.commit().await.unwrap();
        result
    };
    assert_eq!(rename("first", Some(team.version)).await.unwrap().version, 2);
    assert!(matches!(rename("second", Some(team.version)).await, Err(StoreError::VersionConflict)));
    assert_eq!(rename("third", None).await.unwrap().name, "third");
}

#[tokio::test]
async fn key_quotas_hold_in_the_workspace_and_in_the_region() {
    let f = fixture().await;
    let (a, b) = (f.workspace("a").await.unwrap().id, f.workspace("b").await.unwrap().id);
    for n in 0..3 {
        f.key(&a, n).await.unwrap();
    }
    assert!(matches!(
        f.key(&a, 3).await,
        Err(StoreError::Quota { scope: QuotaScope::KeysPerWorkspace, limit: 3 })
    ));
    f.key(&b, 4).await.unwrap();
    assert!(matches!(
        f.key(&b, 5).await,
        Err(StoreError::Quota { scope: QuotaScope::KeysPerRegion, limit: 4 })
    ));
}

#[tokio::test]
async fn archiving_tells_the_directory_about_the_workspace_and_each_key() {
    let f = fixture().await;
    let team = f.workspace("team").await.unwrap();
    f.key(&team.id, 1).await.unwrap();
    f.key(&team.id, 2).await.unwrap();
    let mut change = f.store.change(f.actor()).await.unwrap();
    change.workspace_archive(&region(), &team.id, "team").await.unwrap();
    let events = change.commit().await.unwrap();
    assert_eq!(events[0], Event::WorkspaceGone(team.id.clone()));
    for n in 1..3 {
        assert!(events.contains(&Event::ApiKeyGone { public_id: format!("public-{n}") }));
    }
    assert_eq!(f.store.directory_content().await.unwrap().api_keys, []);

    let mut change = f.store.change(f.actor()).await.unwrap();
    let default = f.list("", 1, None).await.items.remove(0);
    assert!(matches!(
        change.workspace_archive(&region(), &default.id, &default.name).await,
        Err(StoreError::DefaultWorkspace)
    ));
}

#[tokio::test]
async fn another_accounts_things_are_not_found() {
    let f = fixture().await;
    let team = f.workspace("team").await.unwrap();
    let (key, _) = f.key(&team.id, 1).await.unwrap();
    let other = account(&f.store, "other@example.com").await;

    let view = f.store.workspace_view(&other.account, &region(), &team.id, QUOTA).await;
    assert!(matches!(view, Err(StoreError::NotFound)));
    let view = f.store.api_key_view(&other.account, &region(), &team.id, &key).await;
    assert!(matches!(view, Err(StoreError::NotFound)));

    let mut change = f.store.change(actor(&other)).await.unwrap();
    assert!(matches!(change.api_key_delete(&region(), &team.id, &key).await, Err(StoreError::NotFound)));
    assert!(matches!(change.workspace_archive(&region(), &team.id, "team").await, Err(StoreError::NotFound)));
    drop(change);
    // The right account, but the key of another workspace.
    let view = f.store.api_key_view(&f.owner.account, &region(), &"ws-other".into(), &key).await;
    assert!(matches!(view, Err(StoreError::NotFound)));
}

#[tokio::test]
async fn keys_are_listed_newest_first_and_filtered() {
    let f = fixture().await;
    let team = f.workspace("team").await.unwrap();
    for n in 0..3 {
        f.key(&team.id, n).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    let list = async |search: &str, status, size, token| {
        let filter = ApiKeyFilter { search: SearchText::parse(search).unwrap(), status };
        let page = PageRequest { size: PageSize::try_from(size).unwrap(), token };
        let page = f.store.api_key_list(&f.owner.account, &region(), &team.id, &filter, &page).await.unwrap();
        (page.items.into_iter().map(|k| k.description).collect::<Vec<_>>(), page.next_page_token)
    };
    let (first, token) = list("", None, 2, None).await;
    assert_eq!(first, ["key 2", "key 1"]);
    assert_eq!(list("", None, 2, token).await, (vec!["key 0".to_owned()], None));
    assert_eq!(list("KEY 1", None, 20, None).await.0, ["key 1"]);
    assert_eq!(list("", Some(ApiKeyStatus::Active), 20, None).await.0.len(), 3);
    assert_eq!(list("", Some(ApiKeyStatus::OwnerDisabled), 20, None).await.0.len(), 0);
}

#[tokio::test]
async fn a_request_with_the_same_idempotency_key_is_answered_as_before() {
    let f = fixture().await;
    let once = Once { key: "k1".into(), fingerprint: [1; 32] };
    let answer = Repeat { status: 201, body: "{}".into() };

    let mut change = f.store.change(f.actor()).await.unwrap();
    assert_eq!(change.repeat(&once).await.unwrap(), None);
    change.remember(&once, &answer).await.unwrap();
    change.commit().await.unwrap();

    let mut change = f.store.change(f.actor()).await.unwrap();
    assert_eq!(change.repeat(&once).await.unwrap(), Some(answer));
    let other = Once { fingerprint: [2; 32], ..once.clone() };
    assert!(matches!(change.repeat(&other).await, Err(StoreError::IdempotencyConflict)));
    drop(change);

    let stranger = account(&f.store, "other@example.com").await;
    let mut change = f.store.change(actor(&stranger)).await.unwrap();
    assert_eq!(change.repeat(&once).await.unwrap(), None);
}

fn new_session(n: u8) -> NewSession {
    let browser = BrowserToken { new_hash: [n; 32], old_hash: None };
    NewSession { token_hash: [n; 32], browser, address: "127.0.0.1".into(), request_id: "test".into() }
}

#[tokio::test]
async fn a_link_works_once_and_for_15_minutes() {
    let f = fixture().await;
    let (email, now) = (Email::parse("owner@example.com").unwrap(), now_ms());
    assert!(!f.store.link_create(&Email::parse("nobody@example.com").unwrap(), &[1; 32], now).await.unwrap());
    assert!(f.store.link_create(&email, &[1; 32], now).await.unwrap());
    assert!(f.store.link_create(&email, &[2; 32], now).await.unwrap());

    let session = f.store.session_create_by_link(&[1; 32], &new_session(1), now).await.unwrap().unwrap();
    assert_eq!(session.role, Role::Owner);
    assert_eq!(f.store.session_create_by_link(&[1; 32], &new_session(2), now).await.unwrap(), None);
    let late = now + 15 * 60 * 1000;
    assert_eq!(f.store.session_create_by_link(&[2; 32], &new_session(3), late).await.unwrap(), None);
}

#[tokio::test]
async fn a_session_ends_when_idle_when_old_and_when_deleted() {
    let f = fixture().await;
    let (email, start) = (Email::parse("owner@example.com").unwrap(), now_ms());
    let hour = 60 * 60 * 1000;
    for n in [1, 2] {
        f.store.link_create(&email, &[n; 32], start).await.unwrap();
        f.store.session_create_by_link(&[n; 32], &new_session(n), start).await.unwrap().unwrap();
    }
    assert!(f.store.session_find(&[1; 32], start + 11 * hour).await.unwrap().is_some());
    assert!(f.store.session_find(&[2; 32], start + 12 * hour).await.unwrap().is_none(), "idle");
    let mut now = start;
    while now < start + 7 * 24 * hour {
        assert!(
            f.store.session_find(&[1; 32], now).await.unwrap().is_some(),
            "busy after {} h",
            (now - start) / hour
        );
        now += 11 * hour;
    }
    assert!(f.store.session_find(&[1; 32], start + 7 * 24 * hour).await.unwrap().is_none(), "old");

    let mut change = f.store.change(f.actor()).await.unwrap();
    change.session_delete(&[2; 32]).await.unwrap();
    change.commit().await.unwrap();
    assert!(f.store.session_find(&[2; 32], start).await.unwrap().is_none(), "deleted");
}
