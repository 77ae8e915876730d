//! Operations that need no body: which models there are, and temporary keys.

use super::Gateway;
use super::proof::{Caller, Proven};
use super::response::json;
use crate::body::Body;
use crate::credential::Presented;
use crate::directory::KeyEntry;
use crate::door::Operation;
use crate::refusal::Refusal;
use crate::{models, temporary_key};
use http::{HeaderValue, Response, header};
use keygate_contract::ModelId;
use percent_encoding::percent_decode_str;
use std::sync::Arc;

impl Gateway {
    /// What needs no body: which models there are, and temporary keys.
    pub(super) fn answer(
        &self,
        operation: Operation,
        caller: Caller<'_>,
        presented: Presented<'_>,
        proven: &Proven,
        head: &http::request::Parts,
    ) -> Result<Response<Body>, Refusal> {
        let key = &proven.key;
        let response = match operation {
            Operation::Call(_) | Operation::ModelList => {
                json(models::list(&self.catalogue, caller.region, &key.workspace.state(), &key.state()))
            }
            Operation::ModelView(id) => self.model_view(caller, key, &id)?,
            Operation::TemporaryKeyCreate => {
                if !self.region(caller.region).is_some_and(|region| region.temporary_keys) {
                    return Err(Refusal::NoTemporaryKeys);
                }
                // Under the secret that was presented: what is made ends with it.
                let parent = (key.public_id, &proven.proof.secret_hash);
                let mut response =
                    json(temporary_key::create(presented, parent, &self.signer, head.uri.query())?);
                let no_store = HeaderValue::from_static("no-store");
                response.headers_mut().insert(header::CACHE_CONTROL, no_store);
                response
            }
        };
        self.directory.used().note_use(key, caller.now);
        Ok(response)
    }

    fn model_view(
        &self,
        caller: Caller<'_>,
        key: &Arc<KeyEntry>,
        encoded: &str,
    ) -> Result<Response<Body>, Refusal> {
        let id = ModelId::from(percent_decode_str(encoded).decode_utf8_lossy().into_owned());
        self.authorize(caller, key, self.target(caller.region, &id), id.as_str())?;
        let model = self
            .catalogue
            .find(caller.region, &id)
            .ok_or(Refusal::ModelNotFound { model: id.to_string() })?;
        Ok(json(models::view(model)))
    }
}
