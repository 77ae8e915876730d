//! Appending to the log.

use super::block;
use super::names::Names;
use super::record::{CallRecord, CallSubject, SubjectId};
use crate::database::Writer;
use crate::error::StoreError;
use crate::lock::Lock;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// The most calls in a block.
const BLOCK_MOST: usize = 4096;
/// The most rows of one statement.
pub(super) const ROWS_MOST: usize = 200;

/// Writes calls. There is one to a database.
#[derive(Debug)]
pub struct UsageWriter {
    pub(super) write: Writer,
    names: Arc<Names>,
    subjects: Vec<Subject>,
    by_subject: HashMap<CallSubject, SubjectId>,
    /// Not stored yet.
    new_names: Vec<(u32, String)>,
    new_workspaces: Vec<(u32, CallSubject)>,
    next_seq: i64,
    /// What is being written; when an append begins, what the one before left without an answer.
    unsure: Option<Unsure>,
    /// Request ids of calls that were written although their append did not say so: they will be given again.
    written: HashSet<[u8; 16]>,
    /// Nobody else writes while this one may.
    _lock: Arc<Lock>,
}

/// A subject by its numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject {
    pub(super) workspace: u32,
    pub(super) api_key: u32,
    pub(super) member: u32,
    pub(super) model: u32,
}

/// Calls that may have been written or not, all or none of them.
#[derive(Debug)]
struct Unsure {
    first_seq: i64,
    ids: Vec<[u8; 16]>,
}

/// A row of the log.
struct Block {
    workspace: u32,
    minute: i64,
    calls: Vec<u8>,
}

impl UsageWriter {
    pub(super) async fn open(write: Writer, names: Arc<Names>, lock: Arc<Lock>) -> Result<Self, StoreError> {
        let mut writer = Self {
            write,
            names,
            subjects: Vec::new(),
            by_subject: HashMap::new(),
            new_names: Vec::new(),
            new_workspaces: Vec::new(),
            next_seq: 1,
            unsure: None,
            written: HashSet::new(),
            _lock: lock,
        };
        writer.next_seq = writer.last_seq().await? + 1;
        Ok(writer)
    }

    /// The number of a subject, to append calls of it.
    pub fn subject(&mut self, subject: &CallSubject) -> SubjectId {
        if let Some(id) = self.by_subject.get(subject) {
            return *id;
        }
        let mut known = self.names.write();
        let mut number = |name: &str| {
            let (number, new) = known.intern(name);
            if new {
                self.new_names.push((number, name.to_owned()));
            }
            number
        };
        let api_key = number(subject.api_key.as_str());
        let member = number(subject.member.as_str());
        let model = number(subject.model.as_ref().map_or("", |m| m.as_str()));
        let (workspace, new) = known.intern_workspace(&subject.workspace, &subject.region);
        drop(known);
        if new {
            self.new_workspaces.push((workspace, subject.clone()));
        }
        let id = SubjectId(u32::try_from(self.subjects.len()).unwrap_or(u32::MAX));
        self.subjects.push(Subject { workspace, api_key, member, model });
        self.by_subject.insert(subject.clone(), id);
        id
    }

    /// Writes calls to the log: all of them, or none. When it returns they outlive the process.
    ///
    /// One that failed, or was dropped before it returned, is called again with the same calls, and more if there are
    /// any: those that were written after all are passed over, by their request ids.
    ///
    /// # Errors
    /// [`StoreError::Database`]; whether anything was written is found out by the next call.
    pub async fn append(&mut self, calls: &[(SubjectId, CallRecord)]) -> Result<(), StoreError> {
        self.write.clone().watch(self.append_all(calls)).await
    }

    async fn append_all(&mut self, calls: &[(SubjectId, CallRecord)]) -> Result<(), StoreError> {
        self.settle().await?;
        let mut ids = Vec::with_capacity(calls.len());
        let mut parts: BTreeMap<(i64, u32), Vec<(Subject, &CallRecord)>> = BTreeMap::new();
        for (subject, record) in calls {
            let id = record.request_id;
            let Some(subject) = self.subjects.get(subject.0 as usize) else { continue };
            if self.written.contains(&id) {
                continue;
            }
            ids.push(id);
            let place = (block::minute_of(record.ended_at), subject.workspace);
            parts.entry(place).or_default().push((*subject, record));
        }
        let mut blocks = Vec::with_capacity(parts.len());
        for ((minute, workspace), mut calls) in parts {
            calls.sort_by_key(|(_, record)| record.ended_at);
            for calls in calls.chunks(BLOCK_MOST) {
                blocks.push(Block { workspace, minute, calls: block::write(calls)? });
            }
        }
        if blocks.is_empty() {
            return Ok(());
        }
        self.unsure = Some(Unsure { first_seq: self.next_seq, ids });
        self.write_blocks(&blocks).await?;
        self.next_seq += i64::try_from(blocks.len()).unwrap_or(i64::MAX);
        self.new_names.clear();
        self.new_workspaces.clear();
        self.unsure = None;
        self.written.clear();
        Ok(())
    }

    async fn write_blocks(&self, blocks: &[Block]) -> Result<(), StoreError> {
        if blocks.len() <= ROWS_MOST && self.new_names.is_empty() && self.new_workspaces.is_empty() {
            // One statement is a transaction by itself, and it is nearly always one.
            let mut connection = self.write.acquire().await?;
            return Ok(self.write.observe(insert(&mut connection, self.next_seq, blocks).await)?);
        }
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        // These may be there from an append whose outcome was unknown.
        for (id, name) in &self.new_names {
            sqlx::query("INSERT OR IGNORE INTO usage_names (id, name) VALUES ($1, $2)")
                .bind(id)
                .bind(name)
                .execute(&mut *tx)
                .await?;
        }
        for (id, subject) in &self.new_workspaces {
            sqlx::query(
                "INSERT OR IGNORE INTO usage_workspaces (id, workspace_id, region) VALUES ($1, $2, $3)",
            )
            .bind(id)
            .bind(subject.workspace.as_str())
            .bind(subject.region.as_str())
            .execute(&mut *tx)
            .await?;
        }
        let mut seq = self.next_seq;
        for rows in blocks.chunks(ROWS_MOST) {
            insert(&mut tx, seq, rows).await?;
            seq += i64::try_from(rows.len()).unwrap_or(i64::MAX);
        }
        tx.commit().await?;
        Ok(())
    }

    /// Finds out whether what the last append left open was written.
    async fn settle(&mut self) -> Result<(), StoreError> {
        let Some(first_seq) = self.unsure.as_ref().map(|u| u.first_seq) else { return Ok(()) };
        let last = self.last_seq().await?;
        if let Some(unsure) = self.unsure.take().filter(|_| last >= first_seq) {
            self.next_seq = last + 1;
            self.written.extend(unsure.ids);
        }
        Ok(())
    }

    /// The last `seq` that was ever written: blocks may be deleted only after they were folded.
    async fn last_seq(&self) -> Result<i64, StoreError> {
        let (last,): (i64,) = sqlx::query_as(
            "SELECT max(folded, coalesce((SELECT max(seq) FROM call_blocks), 0)) FROM usage_state WHERE id = 1",
        )
        .fetch_one(self.write.pool())
        .await?;
        Ok(last)
    }
}

/// Writes blocks that are numbered from `seq` on.
async fn insert(
    connection: &mut SqliteConnection,
    mut seq: i64,
    blocks: &[Block],
) -> Result<(), sqlx::Error> {
    let mut insert = QueryBuilder::<Sqlite>::new("INSERT INTO call_blocks (seq, workspace, minute, calls) ");
    insert.push_values(blocks, |mut row, block| {
        row.push_bind(seq)
            .push_bind(block.workspace)
            .push_bind(block.minute)
            .push_bind(block.calls.as_slice());
        seq += 1;
    });
    // Only full statements are worth keeping prepared.
    insert.build().persistent(blocks.len() == 1 || blocks.len() == ROWS_MOST).execute(connection).await?;
    Ok(())
}
