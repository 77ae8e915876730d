// Usage and limits as the console API tells them, made up: the same for the same question.

const STEPS: Record<string, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };
const iso = (moment: number) => new Date(moment).toISOString();
const NONE = { cost: {}, cached_tokens: 0, estimated_calls: 0, unpriced_calls: 0 };

/** What a span holds in which so many calls ended: a tenth throttled, one broken. */
function figures(calls: number) {
  const throttled = Math.floor(calls / 10);
  const server_errors = calls > 0 ? 1 : 0;
  const percentiles = (p50: number) => (calls > 0 ? { p50, p95: p50 * 3, p99: p50 * 6 } : null);
  return {
    ...NONE, calls, failures: throttled + server_errors, throttled, client_errors: 0, server_errors,
    input_tokens: calls * 100, output_tokens: calls * 20, latency_ms: percentiles(500), first_token_ms: percentiles(120),
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
export function usage(url: string, calls: (i: number) => number, models: string[]) {
  const query = new URL(url).searchParams;
  const step = query.get("step")!;
  const [from, to] = ["from", "to"].map((end) => Date.parse(query.get(end)!));
  const [model, key] = [query.get("model"), query.get("api_key")];
  const period = (from: number, to: number, share: number) => {
    const made = Array.from({ length: (to - from) / STEPS[step] }, (_, i) => (key ? ofKey(calls(i) * share) : calls(i) * share));
    const of = (model: string | null) => {
      const spans = made.map((all, i) => ({ time: iso(from + i * STEPS[step]), ...figures(model === null ? all : ofModel(all, model, models)) }));
      const items = spans.filter((span) => span.calls > 0);
      const sum = figures(0);
      for (const item of items) for (const [name, value] of Object.entries(item)) if (typeof value === "number") (sum as any)[name] += value;
      return { items, total: { ...sum, latency_ms: figures(items.length).latency_ms, first_token_ms: figures(items.length).first_token_ms } };
    };
    const { items, total } = of(model);
    const called = query.get("totals_by") === "model" ? (model ? [model] : models) : [];
    const totals = called.map((model) => ({ model, ...of(model).total })).filter((total) => total.calls > 0);
    return { from: iso(from), to: iso(to), items, total, totals };
  };
  const previous = query.get("previous") ? { previous: period(from - (to - from), from, 2) } : {};
  return { step, ...period(from, to, 1), ...previous };
}

/** An answer to `live_view`. */
export function live(models: string[]) {
  const window = (times: number) => ({ calls: 9 * times, rpm: 10 * times, tokens: 250 * times, tpm: 1_000 * times });
  return { time: iso(Date.now()), items: models.map((model) => ({ model, workspace: window(1), account: window(10) })) };
}
