import { expectNoViolations } from "../axe.ts";
import { readFile } from "node:fs/promises";
import { call, logged } from "../calls.ts";
import { type Console, expect, type Page, REGION, test } from "../fixtures.ts";
import { pretend } from "../usage.ts";

const region = (page: Page, name: string | RegExp) => page.getByRole("region", { name });
const table = (page: Page) => page.getByRole("table", { name: "Groups" });
const row = (page: Page, name: string) =>
  name === "All" ? table(page).locator("tr.all") : table(page).locator("tbody tr").filter({ has: page.locator(".main").getByText(name, { exact: true }) });

/** Calls of two models with three keys of two workspaces: six of the first, one of the second. */
async function busy(keygate: Console) {
  const { id } = await keygate.defaultWorkspace();
  const web = await keygate.createKey(id, "Web search");
  const nightly = await keygate.createKey(id, "Nightly <b>job</b>");
  for (let i = 0; i < 3; i += 1) await call(keygate, web.secret, { model: "qwen-plus", max_tokens: 50 });
  await call(keygate, web.secret, { model: "qwen-max", stream: true, max_tokens: 50 });
  await call(keygate, nightly.secret, { model: "qwen-max", max_tokens: 50 });
  await call(keygate, nightly.secret, { model: "no-such-model" });
  await logged(keygate, id, 6);
  const other = await keygate.createWorkspace("Search team");
  const grants = [{ model: "qwen-plus", rpm: 100, tpm: 100_000 }];
  await keygate.api("PATCH", `/regions/${REGION}/workspaces/${other.id}`, { grants });
  const third = await keygate.createKey(other.id, "Third");
  await call(keygate, third.secret, { model: "qwen-plus", max_tokens: 50 });
  await logged(keygate, other.id, 1);
  return { id, web, nightly, other };
}

async function open(keygate: Console, id: string, query = "") {
  await keygate.open(`/${REGION}/w/${id}/analytics${query}`);
  await expect(keygate.page.getByRole("heading", { name: "Analytics", exact: true })).toBeVisible();
  await expect(table(keygate.page).locator("tr.all")).toBeVisible();
}

/** The numbers of a row: calls, failures, tokens in, out and cached. */
async function figures(page: Page, name: string) {
  await expect(page.locator("main [aria-busy=true]")).toHaveCount(0);
  await expect(row(page, name)).toHaveCount(1);
  const cells = await row(page, name).getByRole("cell").allInnerTexts();
  return cells.slice(1, 6).map((text) => Number(text.split("\n")[0].replaceAll(",", "")));
}

/** What a file tells: the sum of each of its columns of numbers, by the column of the group. */
async function download(page: Page) {
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Download CSV" }).click()]);
  const [head, ...lines] = (await readFile(await download.path(), "utf8")).trim().split(/\r?\n/).map((line) => line.split(","));
  const sums = new Map<string, Record<string, number>>();
  for (const line of lines) {
    const sum = sums.get(line[1]) ?? {};
    head.forEach((name, i) => (sum[name] = (sum[name] ?? 0) + Number(line[i])));
    sums.set(line[1], sum);
  }
  return { name: download.suggestedFilename(), head, sums };
}

const told = (sum: Record<string, number>) => [sum.calls, sum.failures, sum.input_tokens, sum.output_tokens, sum.cached_tokens];

test("tokens, calls and costs by model, key and workspace, all in the address", async ({ keygate, page }) => {
  const { id, web, other } = await busy(keygate);
  await open(keygate, id);
  await expect(region(page, "Tokens by model")).toBeVisible();
  expect((await figures(page, "qwen-plus")).slice(0, 2)).toEqual([3, 0]);
  expect((await figures(page, "No model")).slice(0, 4)).toEqual([1, 1, 0, 0]);
  expect((await figures(page, "All")).slice(0, 2)).toEqual([6, 1]);
  await expect(row(page, "qwen-plus")).toContainText("new");
  const all = (await keygate.api("GET", `/regions/${REGION}/workspaces/${id}/usage?totals_by=model`)).body;
  const plus = all.totals.find((total: any) => total.model === "qwen-plus");
  expect(await figures(page, "qwen-plus")).toEqual(told(plus));
  expect(await figures(page, "All")).toEqual(told(all.total));

  await page.getByRole("button", { name: "Calls", exact: true }).click();
  await expect(page).toHaveURL(/analytics\?what=calls$/);
  await expect(row(page, "qwen-plus")).toContainText("50%");
  await page.getByRole("button", { name: "API key", exact: true }).click();
  await expect(page).toHaveURL(/what=calls&by=key$/);
  await expect(region(page, "Calls by API key")).toBeVisible();
  expect((await figures(page, "Web search"))[0]).toBe(4);
  expect((await figures(page, "Nightly <b>job</b>"))[0]).toBe(2);
  await page.getByRole("link", { name: "Web search" }).click();
  await expect(page).toHaveURL(new RegExp(`key=${web.id}$`));
  await expect(page.getByRole("button", { name: "Key: Web search" })).toBeVisible();
  await expect(row(page, "Nightly <b>job</b>")).toHaveCount(0);
  await page.reload();
  expect((await figures(page, "All"))[0]).toBe(4);
  await page.goBack();
  await expect(row(page, "Nightly <b>job</b>")).toHaveCount(1);

  await page.getByRole("button", { name: "Workspace", exact: true }).click();
  await expect(region(page, "Calls by workspace")).toBeVisible();
  await expect(row(page, "Search team")).toHaveCount(1);
  expect((await figures(page, "Search team"))[0]).toBe(1);
  expect((await figures(page, "All"))[0]).toBe(7);
  await expect(page.getByRole("button", { name: /^Key:/ })).toHaveCount(0);
  await page.getByRole("link", { name: "Search team", exact: true }).click();
  await expect(page).toHaveURL(new RegExp(`/w/${other.id}/analytics\\?what=calls$`));
  expect((await figures(page, "All"))[0]).toBe(1);
});

test("the file adds up to the table", async ({ keygate, page }) => {
  const { id, web } = await busy(keygate);
  for (const [range, step] of [["", "day"], ["?range=7d", "hour"]]) {
    await open(keygate, id, range);
    const { name, head, sums } = await download(page);
    expect(name).toContain(step);
    expect(head.slice(0, 3)).toEqual(["time", "model", "calls"]);
    for (const [model, sum] of sums) expect(await figures(page, model || "No model"), model).toEqual(told(sum));
    expect([...sums.values()].reduce((calls, sum) => calls + sum.calls, 0)).toBe((await figures(page, "All"))[0]);
  }
  await open(keygate, id, "?by=key");
  const { sums } = await download(page);
  expect(told(sums.get(web.id)!)).toEqual(await figures(page, "Web search"));
  await open(keygate, id, "?by=workspace&model=qwen-plus");
  const of_all = await download(page);
  expect([...of_all.sums.values()].map((sum) => sum.calls).sort()).toEqual([1, 3]);
});

test("currencies stand apart, and what has no price says so", async ({ keygate, page }) => {
  const { id } = await busy(keygate);
  await page.route(/\/console\/v1\/.*\/usage\?/, async (route) => {
    const response = await route.fetch();
    const json = await response.json();
    const periods = [json, json.previous].filter(Boolean);
    for (const { items, total, totals } of periods) {
      for (const figures of [...items, ...totals]) {
        if (figures.model === "qwen-plus") figures.cost = { CNY: 7 };
        if (figures.model === "qwen-max") (figures.cost = { USD: 3, CNY: 1 }), (figures.unpriced_calls = 2);
        if (figures.model === "") delete figures.cost;
      }
      total.cost = { CNY: 8, USD: 3 };
      total.unpriced_calls = 2;
    }
    await route.fulfill({ response, json });
  });
  await open(keygate, id);
  await page.getByRole("button", { name: "Cost", exact: true }).click();
  await expect(region(page, "Cost in CNY by model")).toContainText("CN¥8.00");
  await expect(page).toHaveURL(/what=cost&currency=CNY$/);
  await expect(row(page, "qwen-plus")).toContainText("CN¥7.00");
  await expect(row(page, "qwen-max")).toContainText("CN¥1.00");
  await expect(row(page, "qwen-max")).toContainText("no price: 2 calls");
  await expect(table(page)).not.toContainText("$");
  await page.getByRole("button", { name: "USD" }).click();
  await expect(page).toHaveURL(/what=cost&currency=USD$/);
  await expect(region(page, "Cost in USD by model")).toContainText("$3.00");
  await expect(row(page, "qwen-plus")).not.toContainText("CN¥");
  await expect(row(page, "All")).toContainText("$3.00");
  // Most keys have costs in the other one.
  await page.getByRole("button", { name: "API key", exact: true }).click();
  await expect(region(page, "Cost in USD by API key")).toContainText("$3.00");
  await page.reload();
  await expect(region(page, "Cost in USD by API key")).toContainText("$3.00");
});

test("the chart is read by keyboard, and a piece of it chosen", async ({ keygate, page }) => {
  const { id } = await busy(keygate);
  await open(keygate, id, "?what=calls");
  const plot = page.getByRole("application", { name: "Calls by model" });
  await plot.focus();
  await page.keyboard.press("End");
  const status = region(page, "Calls by model").getByRole("status");
  await expect(status).toContainText(/qwen-plus 3/);
  await page.getByRole("button", { name: "Table", exact: true }).click();
  await expect(page.getByRole("table", { name: "Calls by model" }).getByRole("row").nth(1)).toContainText("3");
  await page.getByRole("button", { name: "Table", exact: true }).click();
  const choose = async (...keys: string[]) => {
    await plot.focus();
    for (const key of [...keys, "Enter"]) await page.keyboard.press(key);
    await expect(page).toHaveURL(/what=calls&from=[^&]+&to=/);
  };
  await choose("Home", "Shift+ArrowRight");
  await expect(page.getByRole("heading", { name: "Nothing was used", exact: true })).toBeVisible();
  await page.getByRole("link", { name: "Back to the last 30 days" }).click();
  await expect(page).toHaveURL(/what=calls$/);
  expect((await figures(page, "All"))[0]).toBe(6);
  await choose("End", "Shift+ArrowLeft");
  await expect(region(page, "Calls by model")).not.toContainText("last 30 days");
  expect((await figures(page, "All"))[0]).toBe(6);
});

test("where nothing was used, that is told", async ({ keygate, page }) => {
  const { id } = await keygate.defaultWorkspace();
  await keygate.open(`/${REGION}/w/${id}/analytics`);
  await expect(page.getByRole("heading", { name: "Nothing was used", exact: true })).toBeVisible();
  await expect(region(page, "Tokens by model").locator(".none")).toHaveText("Nothing was used then.");
  await page.getByRole("link", { name: "Go to API keys" }).click();
  await expect(page).toHaveURL(/\/api-keys$/);
});

test("bars and sums of two ranges are never beside each other", async ({ keygate, page }) => {
  const traffic = await pretend(page, { calls: () => 10 });
  const { id } = await keygate.defaultWorkspace();
  await open(keygate, id, "?what=calls");
  const chart = region(page, "Calls by model");
  await expect(chart).toContainText("300, last 30 days of UTC");
  expect((await figures(page, "All"))[0]).toBe(300);
  traffic.held = (query) => query.has("group_by") && query.get("step") === "hour";
  await page.getByRole("button", { name: "7 d" }).click();
  await expect.poll(() => traffic.asked.some((query) => query.includes("step=hour") && query.includes("previous"))).toBe(true);
  await page.waitForTimeout(300);
  await expect(page.locator(".monitor")).toHaveAttribute("aria-busy", "true");
  await expect(chart).toContainText("300, last 30 days of UTC");
  await expect(row(page, "All").getByRole("cell").nth(1)).toHaveText("300");
  traffic.held = () => false;
  await expect(chart).toContainText("1.7K, last 7 days");
  await expect(chart).not.toContainText("UTC");
  expect((await figures(page, "All"))[0]).toBe(1_680);
});

test("a range that still runs is compared with as much of the one before", async ({ keygate, page }) => {
  await pretend(page, { calls: () => 100 });
  const { id } = await keygate.defaultWorkspace();
  // Half an hour of the last of 30 days has passed; the range before had twice as much in each.
  await page.clock.install({ time: `${new Date().toISOString().slice(0, 10)}T00:30:00Z` });
  await open(keygate, id, "?what=calls");
  await expect(row(page, "All").getByRole("cell").last()).toHaveText("−48.3%");
  await expect(row(page, "qwen-max").getByRole("cell").last()).toHaveText("−48.3%");
});

test.describe("half an hour beside the hours of UTC", () => {
  test.use({ timezoneId: "Asia/Kolkata" });

  test("a range is told as it is summed up", async ({ keygate, page }) => {
    const { asked } = await pretend(page);
    const { id } = await keygate.defaultWorkspace();
    const midnight = (ago: number) => new Date(Math.floor(Date.now() / 86_400_000 - ago) * 86_400_000 - 5.5 * 3_600_000).toISOString();
    await open(keygate, id, `?from=${midnight(12)}&to=${midnight(2)}`);
    const words = /11:30 PM to .*12:30 AM$/;
    await expect(region(page, "Tokens by model").locator("small")).toHaveText(words);
    await expect(page.getByRole("group", { name: "Range of time" }).locator("[aria-haspopup=dialog]")).toHaveText(words);
    expect(asked.filter((query) => query.includes("previous")).every((query) => query.includes("step=hour"))).toBe(true);
  });
});

test.describe("trouble", () => {
  test.use({ allowed: ["the server responded with a status of 422", "the server responded with a status of 500"] });

  test("what cannot be answered is told, and asked again", async ({ keygate, page }) => {
    const { id } = await busy(keygate);
    await keygate.open(`/${REGION}/w/${id}/analytics?from=1990-01-01T00:00:00Z&to=2026-01-01T00:00:00Z`);
    await expect(page.getByRole("alert")).toContainText("Could not load the usage");
    const error = { code: "internal", message: "The server met a fault.", request_id: "req-1" };
    await page.route(/\/usage\?/, (route) => route.fulfill({ status: 500, json: { error } }));
    await keygate.open(`/${REGION}/w/${id}/analytics`);
    await expect(page.getByRole("alert")).toContainText("Could not load the usage");
    await page.unroute(/\/usage\?/);
    await page.getByRole("button", { name: "Retry" }).click();
    await expect(row(page, "All")).toBeVisible();
    expect((await figures(page, "All"))[0]).toBe(6);
  });
});

for (const [colorScheme, width] of [["light", 1440], ["dark", 390]] as const) {
  test.describe(`${colorScheme}, ${width} wide`, () => {
    test.use({ colorScheme, viewport: { width, height: 844 } });
    test.setTimeout(60_000);

    test("every view of it is accessible", async ({ keygate, page }) => {
      const { id } = await busy(keygate);
      const look = (where: string) => expectNoViolations(page, where);
      await open(keygate, id);
      await look("tokens by model");
      await page.getByRole("button", { name: "Table", exact: true }).click();
      await look("as a table");
      await open(keygate, id, "?what=cost&by=workspace&range=7d");
      await look("costs by workspace");
    });
  });
}
