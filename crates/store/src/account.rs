//! Accounts and their owners.

use crate::audit::{Actor, AuditRow};
use crate::error::StoreError;
use crate::event::{Event, MemberRecord};
use crate::id::random_id;
use crate::{Change, Store};
use keygate_contract::{AccountId, Email, MemberId, RegionId, WorkspaceName};
use serde_json::json;

/// An account to be created, with its owner and a default workspace in each region.
#[derive(Clone, Debug)]
pub struct NewAccount<'a> {
    /// The account's name.
    pub name: &'a str,
    /// Who owns it.
    pub owner: &'a Email,
    /// The regions that get a default workspace.
    pub regions: &'a [RegionId],
    /// The name of each default workspace.
    pub workspace: &'a WorkspaceName,
}

/// The member who owns an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The account.
    pub account: AccountId,
    /// The member.
    pub member: MemberId,
    /// Their address.
    pub email: String,
}

impl Store {
    /// The owner of the oldest account; `None` in an empty store.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn first_owner(&self) -> Result<Option<Owner>, StoreError> {
        let row: Option<(String, String, String)> = sqlx::query_as(
            "SELECT m.account_id, m.id, m.email FROM members m JOIN accounts a ON a.id = m.account_id \
             WHERE m.role = 'owner' AND m.disabled_at IS NULL ORDER BY a.created_at, a.id, m.created_at, m.id LIMIT 1",
        )
        .fetch_optional(&self.read)
        .await?;
        Ok(row.map(|(account, member, email)| Owner {
            account: account.into(),
            member: member.into(),
            email,
        }))
    }

    /// Creates an account.
    ///
    /// # Errors
    /// [`StoreError::Database`], also when the address belongs to a member already.
    pub async fn account_create(&self, new: NewAccount<'_>) -> Result<(Owner, Vec<Event>), StoreError> {
        let account = AccountId::from(random_id("acc-"));
        let member = MemberId::from(random_id("mem-"));
        let actor = Actor::server(account.clone(), "first-start");
        let mut change = self.change(actor).await?;
        sqlx::query("INSERT INTO accounts (id, name, created_at) VALUES ($1, $2, $3)")
            .bind(account.as_str())
            .bind(new.name)
            .bind(change.now)
            .execute(&mut *change.tx)
            .await?;
        sqlx::query(
            "INSERT INTO members (id, account_id, email, role, created_at) VALUES ($1, $2, $3, 'owner', $4)",
        )
        .bind(member.as_str())
        .bind(account.as_str())
        .bind(new.owner.as_str())
        .bind(change.now)
        .execute(&mut *change.tx)
        .await?;
        change.events.push(Event::MemberPut(MemberRecord { id: member.clone(), active: true }));
        change
            .audit(AuditRow {
                action: "account_create",
                object_kind: "account",
                object_id: account.as_str(),
                region: None,
                workspace: None,
                detail: json!({ "name": new.name, "owner": new.owner }),
            })
            .await?;
        for region in new.regions {
            change.default_workspace_create(region, new.workspace).await?;
        }
        let events = change.commit().await?;
        Ok((Owner { account, member, email: new.owner.to_string() }, events))
    }

    /// Gives each account a default workspace in each region that was configured after the account was created.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn default_workspaces_ensure(
        &self,
        regions: &[RegionId],
        name: &WorkspaceName,
    ) -> Result<(), StoreError> {
        let accounts: Vec<(String,)> =
            sqlx::query_as("SELECT id FROM accounts").fetch_all(&self.read).await?;
        for (account,) in accounts {
            let actor = Actor::server(account.into(), "start");
            let mut change = self.change(actor).await?;
            for region in regions {
                if !change.has_default_workspace(region).await? {
                    change.default_workspace_create(region, name).await?;
                }
            }
            change.commit().await?;
        }
        Ok(())
    }
}

impl Change {
    async fn has_default_workspace(&mut self, region: &RegionId) -> Result<bool, StoreError> {
        let found: Option<(i64,)> =
            sqlx::query_as("SELECT 1 FROM workspaces WHERE account_id = $1 AND region = $2 AND is_default")
                .bind(self.actor.account.as_str())
                .bind(region.as_str())
                .fetch_optional(&mut *self.tx)
                .await?;
        Ok(found.is_some())
    }
}
