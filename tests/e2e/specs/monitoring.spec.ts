import { expectNoViolations } from "../axe.ts";
import { readFile } from "node:fs/promises";
import { Console, expect, type Page, REGION, test } from "../fixtures.ts";
import { ofKey, ofModel, pretend } from "../usage.ts";

async function open(keygate: Console, query = "") {
  const { id } = await keygate.defaultWorkspace();
  await keygate.open(`/${REGION}/w/${id}/monitoring${query}`);
  await expect(keygate.page.getByRole("heading", { name: "Monitoring", exact: true })).toBeVisible();
  return id;
}

const sum = (all: number[]) => all.reduce((sum, one) => sum + one, 0);
const chart = (page: Page, name: string) => page.getByRole("region", { name, exact: true });
const tile = (page: Page, name: string) => page.locator(".tile").filter({ has: page.getByText(name, { exact: true }) });
const figure = (page: Page, name: string) => tile(page, name).locator(".value");

/** How long ago the page says it was updated, in seconds of its own clock. */
async function age(page: Page) {
  const text = await page.getByText(/^Updated \d/).innerText();
  return page.evaluate((clock) => {
    const told = Date.parse(`${new Date().toDateString()} ${clock.replace(/\s/g, " ")}`);
    return (Date.now() - told) / 1_000;
  }, text.slice("Updated ".length));
}

test.describe("with made-up traffic", () => {
  test.use({ allowed: ["Failed to load resource: the server responded with a status of 500"] });

  test("tiles tell the range and how it changed", async ({ keygate, page }) => {
    const { asked } = await pretend(page, { calls: () => 10 });
    await open(keygate);
    await expect(figure(page, "Calls, last hour")).toHaveText("600");
    await expect(tile(page, "Calls, last hour")).toContainText(/−(50|49\.\d)% on the hour before/);
    await expect(figure(page, "Failure rate")).toHaveText("20%");
    await expect(figure(page, "Latency p95")).toHaveText("1.5 s");
    await expect(figure(page, "Tokens, last hour")).toHaveText("72K");
    await expect(page.getByRole("table", { name: "Models" }).getByRole("row").getByRole("cell").nth(3)).toHaveText("480");
    const first = new URLSearchParams(asked.find((query) => query.includes("previous"))!);
    expect(Object.fromEntries(first)).toMatchObject({ step: "minute", totals_by: "model", previous: "true" });
    expect(Date.parse(first.get("to")!) - Date.parse(first.get("from")!)).toBe(3_600_000);
    expect(asked.filter((query) => query === "live")).toHaveLength(1);
    expect(asked, "one for the model that is called most, and one for the names of the keys").toHaveLength(4);
  });

  test("range, model and key are in the address, back and forth", async ({ keygate, page }) => {
    const traffic = await pretend(page);
    const id = await open(keygate);
    const { id: key } = await keygate.createKey(id, "Nightly <b>job</b>");
    await page.reload();
    await page.getByRole("button", { name: "30 d" }).click();
    await expect(page).toHaveURL(/monitoring\?range=30d$/);
    await expect(chart(page, "Calls per hour")).toBeVisible();
    await page.getByRole("button", { name: "Key: any" }).click();
    await page.getByRole("menuitemradio", { name: "Nightly <b>job</b>" }).click();
    await page.getByRole("link", { name: "qwen-max" }).click();
    await expect(page).toHaveURL(new RegExp(`\\?range=30d&model=qwen-max&key=${key}$`));
    await expect(page.getByRole("table", { name: "Models" }).getByRole("link")).toHaveText(["qwen-max"]);
    const limited = chart(page, "Calls against the limit");
    await expect(limited).toContainText(/qwen-max, this key alone.*calls a minute, hourly average/s);
    await expect(limited).toContainText("limit 10 for all keys");
    expect(traffic.asked.findLast((query) => query.includes("previous"))).toContain(`model=qwen-max&api_key=${key}`);
    const all = Array.from({ length: 720 }, (_, i) => ofModel(ofKey(10 + i), "qwen-max", traffic.models));
    await expect(figure(page, "Calls, last 30 days")).toHaveText(sum(all).toLocaleString("en-US"));
    await page.goBack();
    await expect(page.getByRole("button", { name: "Model: any" })).toBeVisible();
    await page.goForward();
    await expect(page.getByRole("button", { name: "Model: qwen-max" })).toBeVisible();
    await page.getByRole("button", { name: "1 h", exact: true }).click();
    await expect(page).not.toHaveURL(/range=/);
  });

  test("a chart is read by keyboard, as a table and as a file", async ({ keygate, page }) => {
    const made = (i: number) => (i > 20 && i < 30 ? 0 : 10 + i);
    await pretend(page, { calls: made });
    await open(keygate);
    const calls = chart(page, "Calls per minute");
    const plot = calls.getByRole("application");
    const said = calls.getByRole("status");
    await plot.focus();
    await page.keyboard.press("Home");
    await expect(said).toContainText(/:\d\d.*, ok 8, client error 0, throttled 1, server error 1$/);
    await page.keyboard.press("ArrowRight");
    await expect(said).toContainText("ok 9");
    await page.keyboard.press("End");
    await expect(said).toContainText("ok 62, client error 0, throttled 6");
    await expect(calls.locator(".readout")).toContainText("62");
    await page.keyboard.press("Escape");
    await expect(calls.locator(".readout")).toHaveCount(0);
    await expect(chart(page, "Latency").locator("path.line.c1")).toHaveAttribute("d", /^M[^M]+M[^M]+$/);

    await calls.getByRole("button", { name: "throttled" }).click();
    await expect(calls.locator("path.bars")).toHaveCount(3);
    await calls.getByRole("button", { name: "Table" }).click();
    const table = calls.getByRole("table");
    await expect(table.getByRole("columnheader")).toHaveText(["Time", "ok", "client error", "server error"]);
    await expect(table.getByRole("row")).toHaveCount(61);
    await expect(table.getByRole("row").nth(1).getByRole("cell")).toHaveText(["62", "0", "1"]);
    const download = page.waitForEvent("download");
    await calls.getByRole("button", { name: "Download Calls per minute as CSV" }).click();
    const file = await download;
    expect(file.suggestedFilename()).toMatch(/^calls-\d{4}-\d\d-\d\dT\d{4}Z\.csv$/);
    const [head, ...rows] = (await readFile(await file.path(), "utf8")).trim().split("\r\n").map((line) => line.split(","));
    expect(head).toEqual(["from", "ok", "client error", "server error"]);
    expect(rows).toHaveLength(60);
    const ok = (calls: number) => (calls > 0 ? calls - Math.floor(calls / 10) - 1 : 0);
    expect(rows.map((row) => Number(row[1]))).toEqual(rows.map((_, i) => ok(made(i))));
  });

  test("a day of minutes is a table in pages", async ({ keygate, page }) => {
    await pretend(page);
    await open(keygate, "?range=24h");
    const calls = chart(page, "Calls per minute");
    await calls.getByRole("button", { name: "Table" }).click();
    await expect(calls.getByText("Page 1 of 24")).toBeVisible();
    await expect(calls.getByRole("row")).toHaveCount(61);
    await calls.getByRole("button", { name: "Next" }).click();
    await expect(calls.getByText("Page 2 of 24")).toBeVisible();
  });

  test("a piece of the past is chosen by pointer and by keyboard, with a way back", async ({ keygate, page }) => {
    const traffic = await pretend(page);
    await open(keygate, "?range=7d");
    const plot = chart(page, "Latency").getByRole("application");
    await expect(plot.locator("path.line")).toHaveCount(4);
    const box = (await plot.boundingBox())!;
    await page.mouse.move(box.x + box.width * 0.4, box.y + 80);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.6, box.y + 80, { steps: 4 });
    await page.mouse.up();
    await expect(page).toHaveURL(/range=7d&from=.*&to=/);
    await expect(tile(page, "Calls, chosen range")).toBeVisible();
    await expect(page.getByText("Live", { exact: true })).toHaveCount(0);
    const { length } = traffic.asked;
    await page.waitForTimeout(5_500);
    expect(traffic.asked, "the past does not change").toHaveLength(length);
    await page.getByRole("link", { name: "Back to the last 7 days" }).click();
    await expect(page).toHaveURL(/\?range=7d$/);

    await plot.focus();
    for (const key of ["Home", "Shift+ArrowRight", "Shift+ArrowRight"]) await page.keyboard.press(key);
    await expect(chart(page, "Latency").getByRole("status")).toContainText("chosen. Enter shows this range.");
    await page.keyboard.press("Enter");
    await expect(page).toHaveURL(/range=7d&from=/);
    const query = new URL(page.url()).searchParams;
    expect(Date.parse(query.get("to")!) - Date.parse(query.get("from")!)).toBe(3 * 3_600_000);
    await page.goBack();
    await expect(page).toHaveURL(/\?range=7d$/);
  });

  test("it keeps itself up to date, rests when out of sight or told to, and goes on at once", async ({ keygate, page }) => {
    test.setTimeout(60_000);
    const traffic = await pretend(page);
    const count = (what: string) => traffic.asked.filter((query) => (query === "live") === (what === "live")).length;
    await open(keygate);
    await expect(page.getByText("Live", { exact: true })).toBeVisible();
    expect(await age(page)).toBeLessThan(3);
    await expect.poll(() => count("live"), { timeout: 8_000 }).toBe(2);
    const hide = (hidden: boolean) => page.evaluate((hidden) => {
      Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
      document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
    }, hidden);
    await hide(true);
    const { length } = traffic.asked;
    await page.waitForTimeout(6_500);
    expect(traffic.asked).toHaveLength(length);
    await expect(page.getByText("Paused", { exact: true })).toBeVisible();
    await hide(false);
    await expect.poll(() => count("live"), { timeout: 900 }).toBe(3);

    await page.getByRole("button", { name: "Pause" }).click();
    const paused = traffic.asked.length;
    await page.waitForTimeout(6_000);
    expect(traffic.asked).toHaveLength(paused);
    await page.getByRole("button", { name: "Resume" }).click();
    await expect.poll(() => traffic.asked.length, { timeout: 900 }).toBeGreaterThan(paused);
  });

  test("a range come back to is read again, and its age is told", async ({ keygate, page }) => {
    const traffic = await pretend(page);
    await page.clock.install();
    await open(keygate);
    await expect(figure(page, "Calls, last hour")).toHaveText("2,370");
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByRole("button", { name: "24 h" }).click();
    await expect(figure(page, "Calls, last 24 hours")).toHaveText("1,050,480");
    await page.clock.fastForward(20_000);
    expect(await age(page)).toBeGreaterThan(18);
    Object.assign(traffic, { calls: () => 1, held: () => true });
    await page.getByRole("button", { name: "1 h", exact: true }).click();
    await expect(figure(page, "Calls, last hour")).toHaveText("2,370");
    expect(await age(page), "the old figures are as old as they are").toBeGreaterThan(18);
    traffic.held = () => false;
    await expect(figure(page, "Calls, last hour")).toHaveText("60");
    expect(await age(page)).toBeLessThan(3);
  });

  test("figures that stand in for others keep their name, and no limit is held against another model's", async ({ keygate, page }) => {
    const traffic = await pretend(page);
    await open(keygate);
    const limited = chart(page, "Calls against the limit");
    await expect(limited).toContainText("qwen-plus, called most");
    await expect(limited.locator("path.line")).toHaveCount(1);
    traffic.held = (query) => query.get("step") === "hour";
    await page.getByRole("button", { name: "30 d" }).click();
    await expect(page.locator(".monitor")).toHaveAttribute("aria-busy", "true");
    await expect(figure(page, "Calls, last hour")).toHaveText("2,370");
    await expect(limited.locator("path.line")).toHaveCount(0);
    traffic.held = () => false;
    await expect(figure(page, "Calls, last 30 days")).toHaveText("266,040");
    await expect(limited.locator("path.line")).toHaveCount(1);

    traffic.held = (query) => query.get("model") === "qwen-max";
    await page.getByRole("link", { name: "qwen-max" }).click();
    await expect(limited).toContainText("qwen-max");
    await expect(limited.locator("path.line")).toHaveCount(0);
    traffic.held = () => false;
    await expect(figure(page, "Calls, last 30 days")).toHaveText(/^66,/);
    await expect(limited.locator("path.line")).toHaveCount(1);
  });

  test("what cannot be read of the model that is called most is told", async ({ keygate, page }) => {
    const traffic = await pretend(page, { refused: (query) => query.has("model") });
    await open(keygate);
    await expect(page.getByText("Could not load the calls against the limit")).toBeVisible();
    await expect(page.getByText("Not updating")).toBeVisible();
    await expect(chart(page, "Latency").locator("path.line")).toHaveCount(4);
    traffic.refused = () => false;
    await page.getByRole("button", { name: "Retry" }).click();
    const limited = chart(page, "Calls against the limit");
    await expect(limited.locator("path.line")).toHaveCount(1);
    traffic.refused = (query) => query.has("model");
    await expect(page.getByText("Not updating")).toBeVisible({ timeout: 20_000 });
    await expect(page.getByRole("alert")).toContainText("The server met a fault.");
    await expect(limited.locator("path.line")).toHaveCount(1);
  });

  test("a range is told as it is summed up, in steps that are kept", async ({ keygate, page }) => {
    const traffic = await pretend(page);
    const asked = () => new URLSearchParams(traffic.asked.findLast((query) => query.includes("previous"))!);
    const day = 86_400_000;
    const moment = (ago: number) => new Date(Math.floor(Date.now() / day) * day - ago * day).toISOString();
    const custom = page.getByRole("group", { name: "Range of time" }).locator("[aria-haspopup=dialog]");
    // 20 hours, of which neither end is the end of an hour.
    const past = (days: number) => `?from=${moment(days).replace("00:00:00", "00:10:20")}&to=${moment(days).replace("00:00:00", "20:10:20")}`;
    await open(keygate, past(2));
    await expect(figure(page, "Calls, chosen range")).toBeVisible();
    expect(asked().get("step")).toBe("minute");
    await expect(custom).toHaveText(/:10 AM to .*:11 [AP]M$/);
    await open(keygate, past(40));
    await expect(chart(page, "Calls per hour")).toBeVisible();
    expect(asked().get("step")).toBe("hour");
    await expect(custom).toHaveText(/:00 AM to .*:00 [AP]M$/);
    await open(keygate, past(500));
    await expect(chart(page, "Calls per day")).toBeVisible();
    expect(asked().get("step")).toBe("day");
    const ends = await page.evaluate(([from, to]) => {
      const form = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
      return `${form.format(new Date(from))} to ${form.format(new Date(to))}`;
    }, [moment(500), moment(499)]);
    await expect(custom, "whole days, with the year").toHaveText(ends);
  });

  test("what cannot be refreshed stays, and says so", async ({ keygate, page }) => {
    const traffic = await pretend(page);
    await open(keygate);
    await expect(figure(page, "Calls, last hour")).toHaveText("2,370");
    traffic.broken = true;
    await expect(page.getByText("Not updating")).toBeVisible({ timeout: 8_000 });
    await expect(page.getByRole("alert")).toContainText("The server met a fault.");
    await expect(figure(page, "Calls, last hour")).toHaveText("2,370");
    traffic.broken = false;
    await page.getByRole("alert").getByRole("button", { name: "Retry" }).click();
    await expect(page.getByText("Live", { exact: true })).toBeVisible();
  });

  test("nothing there, nothing to be had, and names that are hostile", async ({ keygate, page }) => {
    const traffic = await pretend(page, { calls: () => 0, models: [] });
    await open(keygate);
    await expect(page.getByText("No calls in this range")).toBeVisible();
    await page.getByRole("link", { name: "Show 30 days" }).click();
    await expect(page).toHaveURL(/\?range=30d$/);
    await expect(page.getByRole("link", { name: "Show 30 days" })).toHaveCount(0);
    traffic.broken = true;
    await page.reload();
    await expect(page.getByText("Could not load the traffic")).toBeVisible();
    const hostile = `<img src=x onerror=alert(1)>\u202E${"m".repeat(300)}`;
    Object.assign(traffic, { broken: false, calls: () => 5, models: [hostile, ""] });
    await page.getByRole("button", { name: "Retry" }).click();
    await expect(page.getByRole("link", { name: hostile })).toBeVisible();
    await expect(page.getByRole("row").filter({ hasText: "No model" })).toContainText("None was named");
    for (const width of [1440, 390]) {
      await page.setViewportSize({ width, height: 844 });
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), `${width}`).toBeLessThanOrEqual(0);
    }
  });

  for (const [colorScheme, width] of [["light", 1440], ["dark", 390]] as const) {
    test.describe(`${colorScheme}, ${width} wide`, () => {
      test.use({ colorScheme, viewport: { width, height: 844 } });
      test.setTimeout(60_000);

      test("it has no fault that axe finds", async ({ keygate, page }) => {
        const look = (where: string) => expectNoViolations(page, where);
        const traffic = await pretend(page);
        await open(keygate);
        const calls = chart(page, "Calls per minute");
        await calls.locator("path.bars").first().waitFor();
        await look("charts");
        await calls.getByRole("application").focus();
        await page.keyboard.press("ArrowLeft");
        await calls.getByRole("button", { name: "throttled" }).click();
        await chart(page, "Latency").getByRole("button", { name: "Table" }).click();
        await look("reading, table");
        traffic.broken = true;
        await expect(page.getByText("Not updating")).toBeVisible({ timeout: 8_000 });
        await look("late");
        Object.assign(traffic, { broken: false, calls: () => 0, models: [] });
        await page.reload();
        await expect(page.getByText("No calls in this range")).toBeVisible();
        await look("empty");
      });
    });
  }
});

test.describe("a step that is not kept", () => {
  test.use({ allowed: ["the server responded with a status of 422"] });

  test("a server that refuses a step is asked in the next one", async ({ keygate, page }) => {
    await pretend(page);
    // As a server does that keeps less than it tells.
    await page.route(/\/usage\?.*step=minute/, (route) => {
      const error = { code: "invalid_field", field: "step", message: "Use `step=hour`.", request_id: "req-1" };
      return route.fulfill({ status: 422, json: { error } });
    });
    await open(keygate, "?range=24h");
    await expect(chart(page, "Calls per hour")).toBeVisible();
    await expect(figure(page, "Calls, last 24 hours")).toBeVisible();
  });
});

test("calls show up within seconds, to the call and the token", async ({ keygate, page, server }) => {
  test.setTimeout(60_000);
  const { id, version } = await keygate.createWorkspace("Traffic");
  const grants = [{ model: "qwen-plus", rpm: 3, tpm: 100_000 }];
  expect((await keygate.api("PATCH", `/regions/${REGION}/workspaces/${id}`, { version, grants })).status).toBe(200);
  const { id: key, secret, version: of_key } = await keygate.createKey(id, "Traffic");
  await keygate.open(`/${REGION}/w/${id}/monitoring`);
  await expect(page.getByText("No calls in this range")).toBeVisible();

  const sums = { input: 0, output: 0 };
  const statuses: number[] = [];
  for (const model of ["qwen-plus", "qwen-plus", "qwen-plus", "qwen-plus", "qwen-plus", "no-such-model"]) {
    const answer = await fetch(`${server.url}/compatible-mode/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${secret}`, "content-type": "application/json" },
      body: JSON.stringify({ model, messages: [{ role: "user", content: "Hello there" }] }),
    });
    statuses.push(answer.status);
    const { usage } = await answer.json();
    sums.input += usage?.prompt_tokens ?? 0;
    sums.output += usage?.completion_tokens ?? 0;
  }
  expect(statuses).toEqual([200, 200, 200, 429, 429, 404]);

  // The page finds out by itself.
  const calls = figure(page, "Calls, last hour");
  await expect(calls).toHaveText("6", { timeout: 30_000 });
  await expect(tile(page, "Calls, last hour")).toContainText("3 answered");
  await expect(figure(page, "Failure rate")).toHaveText("50%");
  await expect(tile(page, "Failure rate")).toContainText("3 failed · 2 throttled");
  await expect(tile(page, "Tokens, last hour")).toContainText(`${sums.input} in · ${sums.output} out`);
  const row = keygate.row("qwen-plus");
  await expect(row.getByRole("cell").nth(1)).toContainText("3 of 3");
  await expect(row.getByRole("cell").nth(3)).toHaveText("5");
  await expect(row.getByRole("cell").nth(4)).toHaveText("40%");
  await expect(keygate.row("No model").getByRole("cell").nth(3)).toHaveText("1");

  const chosen = chart(page, "Calls per minute");
  const file = page.waitForEvent("download");
  await chosen.getByRole("button", { name: "Download Calls per minute as CSV" }).click();
  const [head, ...rows] = (await readFile(await (await file).path(), "utf8")).trim().split("\r\n").map((line) => line.split(","));
  const sum = (column: string) => rows.reduce((sum, row) => sum + Number(row[head.indexOf(column)]), 0);
  expect(["ok", "client error", "throttled", "server error"].map(sum)).toEqual([3, 1, 2, 0]);

  await page.getByRole("link", { name: "qwen-plus" }).click();
  await expect(calls).toHaveText("5");
  await expect(chart(page, "Calls against the limit")).toContainText("limit 3");

  // A key that is gone has a past still.
  expect((await keygate.api("DELETE", `/regions/${REGION}/workspaces/${id}/api-keys/${key}`, { version: of_key })).status).toBeLessThan(300);
  await page.reload();
  await page.getByRole("button", { name: "Key: any" }).click();
  await page.getByRole("menuitemradio", { name: `${key} (deleted)` }).click();
  await expect(chart(page, "Calls against the limit")).toContainText("qwen-plus, this key alone");
  await expect(calls).toHaveText("5");
});
