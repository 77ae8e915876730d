//! Where calls are written down.

use foldhash::fast::RandomState;
use keygate_contract::ModelId;
use keygate_gateway::catalogue::{Catalogue, Cost};
use keygate_gateway::credential::PublicId;
use keygate_gateway::ended::{EndedCall, Records};
use keygate_store::{CallCost, CallRecord, CallSubject, StoreError, SubjectId, UsageWriter};
use std::collections::HashMap;

/// Where calls are written down.
pub(crate) trait Ledger: Send {
    /// Writes the calls of all queues down: when it returns, they outlive this process. What failed may be written again,
    /// and is there once.
    fn append(&mut self, queues: &[Records]) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Adds up what was written since the last time.
    fn fold(&mut self) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// The most subjects remembered; then it begins anew. More than keys and models that are called in a day.
const SUBJECTS_MAX: usize = 100_000;

/// The database of usage.
pub(crate) struct Book {
    writer: UsageWriter,
    /// What is being written; kept for its memory.
    records: Vec<(SubjectId, CallRecord)>,
    /// By slot.
    models: Vec<Option<ModelId>>,
    /// What a key never changes is found by the part of it that is its own: workspace, region, owner.
    subjects: HashMap<(PublicId, Option<usize>), SubjectId, RandomState>,
}

impl Book {
    pub(crate) fn new(writer: UsageWriter, catalogue: &Catalogue) -> Self {
        let mut models = vec![None; catalogue.slots()];
        for (_, model) in catalogue.all() {
            models[model.slot] = Some(model.id.clone());
        }
        Self { writer, records: Vec::new(), models, subjects: HashMap::default() }
    }

    fn subject(&mut self, call: &EndedCall) -> SubjectId {
        let Self { writer, models, subjects, .. } = self;
        if subjects.len() >= SUBJECTS_MAX {
            subjects.clear();
        }
        *subjects.entry((call.key.public_id, call.slot)).or_insert_with(|| {
            writer.subject(&CallSubject {
                region: call.key.workspace.region.clone(),
                workspace: call.key.workspace.id.clone(),
                api_key: call.key.id.clone(),
                member: call.key.owner.id.clone(),
                model: call.slot.and_then(|slot| models.get(slot)?.clone()),
            })
        })
    }
}

impl Ledger for Book {
    async fn append(&mut self, queues: &[Records]) -> Result<(), StoreError> {
        let mut records = std::mem::take(&mut self.records);
        records.clear();
        for call in queues.iter().flatten() {
            records.push((self.subject(call), record(call)));
        }
        let appended = self.writer.append(&records).await;
        self.records = records;
        appended
    }

    async fn fold(&mut self) -> Result<(), StoreError> {
        self.writer.fold().await
    }
}

fn record(call: &EndedCall) -> CallRecord {
    CallRecord {
        request_id: call.request_id.into_bytes(),
        ended_at: call.ended_at,
        door: call.door,
        status: call.status,
        class: call.class,
        error_code: call.error_code.map(Into::into),
        throttled_by: call.throttled_by,
        stream: call.stream,
        input_tokens: call.tokens.input,
        output_tokens: call.tokens.output,
        cached_tokens: call.tokens.cached,
        estimated: call.tokens.estimated,
        latency_us: call.latency_us,
        forwarded_us: call.forwarded_us,
        first_token_us: call.first_token_us,
        address: call.address,
        cost: cost(call.cost),
        count: call.count,
    }
}

/// What a call cost, as the store has it.
pub(crate) fn cost(cost: Cost) -> CallCost {
    match cost {
        Cost::None => CallCost::None,
        Cost::Unpriced => CallCost::Unpriced,
        Cost::Priced { currency, pico } => CallCost::Priced { currency, pico },
    }
}
