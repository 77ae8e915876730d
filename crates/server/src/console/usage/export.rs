//! Usage as CSV, written as it is read: a year of it by day and key is never in memory as a whole.

use super::super::Console;
use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use http::{HeaderValue, header};
use keygate_contract::{Percentiles, UsageGroup, UsageItem};
use keygate_gateway::memory::Holder;
use keygate_store::UsageQuery;
use std::collections::BTreeSet;
use std::io;

/// The answer to a query as a file of the name of what it is about.
pub(super) fn csv(console: &Console, query: &UsageQuery, of: &str) -> Response {
    let currencies: BTreeSet<String> = console
        .catalogue
        .all()
        .flat_map(|(_, model)| &model.prices)
        .map(|price| price.currency.clone())
        .collect();
    let table = Table { group: query.group_by, currencies: currencies.into_iter().collect() };
    let name = format!("attachment; filename=\"usage-{of}-{}.csv\"", query.step);
    let mut response = Body::from_stream(lines(console.clone(), query, table)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8; header=present"));
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    response
}

/// The head, then the lines of a few steps at a time.
fn lines(
    console: Console,
    query: &UsageQuery,
    table: Table,
) -> impl Stream<Item = io::Result<Bytes>> + use<> {
    let head = table.write(|csv| csv.write_record(table.head()));
    let export = console.usage.export(query);
    let rest = stream::try_unfold((console, export, table), async |(console, mut export, table)| {
        let items = export.next_chunk().await.map_err(|error| {
            // Only an end that is cut off tells the reader, whose answer has begun as a good one.
            tracing::error!(%error, "an export was cut off");
            io::Error::other("usage cannot be read")
        })?;
        let Some(items) = items else { return Ok(None) };
        let text = table.write(|csv| items.iter().try_for_each(|item| csv.write_record(table.row(item))))?;
        drop(items);
        // A client that does not read holds these lines; further ones are produced only once they have been read.
        let text = console.memory.of(Holder::Console).hold(text).await.map_err(|_| {
            tracing::warn!("export aborted: limits.body_memory is exhausted");
            io::Error::other("limits.body_memory is exhausted")
        })?;
        Ok(Some((text, (console, export, table))))
    });
    stream::once(std::future::ready(head)).chain(rest)
}

/// How an item stands in a line.
struct Table {
    group: UsageGroup,
    /// Each has a column.
    currencies: Vec<String>,
}

impl Table {
    fn write(&self, write: impl FnOnce(&mut csv::Writer<Vec<u8>>) -> csv::Result<()>) -> io::Result<Bytes> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        write(&mut writer)?;
        Ok(writer.into_inner().map_err(csv::IntoInnerError::into_error)?.into())
    }

    fn head(&self) -> Vec<String> {
        let group = match self.group {
            UsageGroup::None => None,
            group => Some(group.as_str()),
        };
        let counts = [
            "calls",
            "failures",
            "throttled",
            "client_errors",
            "server_errors",
            "input_tokens",
            "output_tokens",
            "cached_tokens",
            "estimated_calls",
            "unpriced_calls",
        ];
        let times = ["latency_ms", "first_token_ms"];
        let times = times.iter().flat_map(|time| ["p50", "p95", "p99"].map(|part| format!("{time}_{part}")));
        let names = ["time"].into_iter().chain(group).chain(counts).map(str::to_owned);
        names.chain(self.currencies.iter().map(|currency| format!("cost_{currency}"))).chain(times).collect()
    }

    fn row(&self, item: &UsageItem) -> Vec<String> {
        let group = match self.group {
            UsageGroup::None => None,
            UsageGroup::Model => item.of.model.as_ref().map(ToString::to_string),
            UsageGroup::ApiKey => item.of.api_key.as_ref().map(ToString::to_string),
            UsageGroup::Workspace => item.of.workspace.as_ref().map(ToString::to_string),
        };
        let figures = &item.figures;
        let counts = [
            figures.calls,
            figures.failures,
            figures.throttled,
            figures.client_errors,
            figures.server_errors,
            figures.input_tokens,
            figures.output_tokens,
            figures.cached_tokens,
            figures.estimated_calls,
            figures.unpriced_calls,
        ];
        let cost =
            |currency: &String| figures.cost.get(currency).map(ToString::to_string).unwrap_or_default();
        let parts = |times: Option<Percentiles>| match times {
            Some(Percentiles { p50, p95, p99 }) => [p50, p95, p99].map(|ms| ms.to_string()),
            None => Default::default(),
        };
        let mut row = vec![item.time.to_string()];
        row.extend(group);
        row.extend(counts.map(|count| count.to_string()));
        row.extend(self.currencies.iter().map(cost));
        row.extend(parts(figures.latency_ms));
        row.extend(parts(figures.first_token_ms));
        row
    }
}
