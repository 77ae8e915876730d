// Usage and limits as the console API tells them, made up: the same for the same question.

import type { Page } from "./fixtures.ts";

const STEPS: Record<string, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };
const iso = (moment: number) => new Date(moment).toISOString();
const NONE = { cached_tokens: 0, estimated_calls: 0, unpriced_calls: 0 };

/** What is answered, and what was asked. It can be changed under way. */
export type Traffic = {
  /** How many calls ended in a span of the range, by its number. */
  calls: (i: number) => number;
  models: string[];
  /** What each call costs, by currency. */
  cost: Record<string, number>;
  /** Nothing is answered but errors. */
  broken: boolean;
  /** The queries that were asked, and `live`. */
  asked: string[];
  /** Of these the answers wait. */
  held: (query: URLSearchParams) => boolean;
  /** These get an error. */
  refused: (query: URLSearchParams) => boolean;
};

/** What a span holds in which so many calls ended: a tenth throttled, one broken. */
function figures(calls: number, cost: Traffic["cost"]) {
  const throttled = Math.floor(calls / 10);
  const server_errors = calls > 0 ? 1 : 0;
  const percentiles = (p50: number) => (calls > 0 ? { p50, p95: p50 * 3, p99: p50 * 6 } : null);
  return {
    ...NONE, calls, failures: throttled + server_errors, throttled, client_errors: 0, server_errors,
    input_tokens: calls * 100, output_tokens: calls * 20, latency_ms: percentiles(500), first_token_ms: percentiles(120),
    cost: Object.fromEntries(Object.entries(cost).map(([currency, amount]) => [currency, amount * calls])),
  };
}

/** How many of so many calls are of a model: of several the first has three in four, the others share the rest. */
export function ofModel(calls: number, model: string, models: string[]) {
  const each = models.length > 1 ? Math.floor(calls / 4 / (models.length - 1)) : 0;
  const at = models.indexOf(model);
  return at === 0 ? calls - each * (models.length - 1) : at > 0 ? each : 0;
}

/** How many of so many calls are with one key. */
export const ofKey = (calls: number) => Math.floor(calls / 5);

/** An answer to `usage_query`. Span number i of the range holds `calls(i)` of all models with all keys. */
function usage(url: string, { calls, models, cost }: Traffic) {
  const query = new URL(url).searchParams;
  const step = query.get("step")!;
  const whole = (round: (steps: number) => number, end: string) => round(Date.parse(query.get(end)!) / STEPS[step]) * STEPS[step];
  const [from, to] = [whole(Math.floor, "from"), whole(Math.ceil, "to")];
  const [model, key] = [query.get("model"), query.get("api_key")];
  const period = (from: number, to: number, share: number) => {
    const made = Array.from({ length: (to - from) / STEPS[step] }, (_, i) => (key ? ofKey(calls(i) * share) : calls(i) * share));
    const of = (model: string | null) => {
      const items = made.flatMap((all, i) => {
        const calls = model === null || all === 0 ? all : ofModel(all, model, models);
        return calls > 0 ? [{ time: iso(from + i * STEPS[step]), ...figures(calls, cost) }] : [];
      });
      const sum: any = figures(0, cost);
      for (const item of items) {
        for (const [name, value] of Object.entries(item)) if (typeof value === "number") sum[name] += value;
        for (const [currency, amount] of Object.entries(item.cost)) sum.cost[currency] += amount;
      }
      const { latency_ms, first_token_ms } = figures(items.length, cost);
      return { items, total: { ...sum, latency_ms, first_token_ms } };
    };
    const { items, total } = of(model);
    const by = (what: string) => query.get(what) === "model";
    const each = by("totals_by") || by("group_by") ? (model ? [model] : models).map((model) => ({ model, ...of(model) })) : [];
    const totals = by("totals_by") ? each.map(({ model, total }) => ({ model, ...total })).filter((total) => total.calls > 0) : [];
    const grouped = each.flatMap(({ model, items }) => items.map((item) => ({ model, ...item })));
    return { from: iso(from), to: iso(to), items: by("group_by") ? grouped : items, total, totals };
  };
  const previous = query.get("previous") ? { previous: period(from - (to - from), from, 2) } : {};
  return { step, ...period(from, to, 1), ...previous };
}

/** An answer to `live_view`. */
function live(models: string[]) {
  const window = (times: number) => ({ calls: 9 * times, rpm: 10 * times, tokens: 250 * times, tpm: 1_000 * times });
  return { time: iso(Date.now()), items: models.map((model) => ({ model, workspace: window(1), account: window(10) })) };
}

/** Answers for the server. */
export async function pretend(page: Page, traffic: Partial<Traffic> = {}): Promise<Traffic> {
  const usual = { calls: (i: number) => 10 + i, models: ["qwen-plus", "qwen-max"], cost: {}, broken: false, asked: [], held: () => false, refused: () => false };
  const all: Traffic = { ...usual, ...traffic };
  await page.route(/\/console\/v1\/.*\/(usage|live)(\?|$)/, async (route) => {
    const url = route.request().url();
    const is_live = url.endsWith("/live");
    all.asked.push(is_live ? "live" : new URL(url).search);
    const error = { code: "internal", message: "The server met a fault.", request_id: "req-1" };
    const query = new URL(url).searchParams;
    while (!is_live && all.held(query)) await new Promise((resolve) => setTimeout(resolve, 20));
    if (all.broken || (!is_live && all.refused(query))) return route.fulfill({ status: 500, json: { error } });
    await route.fulfill({ json: is_live ? live(all.models) : usage(url, all) });
  });
  return all;
}
