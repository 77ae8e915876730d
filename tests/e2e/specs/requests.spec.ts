import { expectNoViolations } from "../axe.ts";
import { call, logged, type Made } from "../calls.ts";
import { type Console, expect, type Page, REGION, test } from "../fixtures.ts";

const rows = (page: Page) => page.locator("tbody:not(.skeleton) tr");

/** A workspace with two keys that has made four calls: two answered, one throttled, one of no model. */
async function busy(keygate: Console) {
  const { id } = await keygate.createWorkspace("Search team");
  const grants = [{ model: "qwen-plus", rpm: 100, tpm: 100_000 }, { model: "qwen-max", rpm: 1, tpm: 30_000 }];
  expect((await keygate.api("PATCH", `/regions/${REGION}/workspaces/${id}`, { grants })).status).toBe(200);
  const web = await keygate.createKey(id, "Web search");
  const nightly = await keygate.createKey(id, "Nightly <b>job</b>");
  const made: Made[] = [
    await call(keygate, web.secret, { model: "qwen-plus", stream: true }),
    await call(keygate, web.secret, { model: "qwen-max", max_tokens: 50 }),
    await call(keygate, nightly.secret, { model: "qwen-max", max_tokens: 50 }),
    await call(keygate, nightly.secret, { model: "no-such-model" }),
  ];
  expect(made.map(({ status }) => status)).toEqual([200, 200, 429, 404]);
  await logged(keygate, id, 4);
  return { id, web, nightly, made };
}

async function open(keygate: Console, id: string, rest = "") {
  await keygate.open(`/${REGION}/w/${id}/requests${rest}`);
  await expect(keygate.page.getByRole("heading", { name: "Call log", exact: true })).toBeVisible();
}

async function filter(page: Page, label: string, value: string) {
  await page.getByRole("button", { name: new RegExp(`^${label}: `) }).click();
  await page.getByRole("menuitemradio", { name: value, exact: true }).click();
}

test("rejections beyond a key's budget share a row that counts them", async ({ keygate, page }) => {
  const { id } = await keygate.createWorkspace("Flooded");
  const key = await keygate.createKey(id, "Disabled");
  const disabled = await keygate.api("POST", `/regions/${REGION}/workspaces/${id}/api-keys/${key.id}/disable`, {});
  expect(disabled.status).toBe(200);
  // The budget is 100 a minute, and the minute may turn in between.
  for (let sent = 0; sent < 250; sent++) expect((await call(keygate, key.secret, {})).status).toBe(401);
  const total = async () => (await keygate.api("GET", `/regions/${REGION}/workspaces/${id}/requests`)).body.total;
  await expect.poll(total, { timeout: 20_000 }).toBe(250);
  await open(keygate, id);
  await expect(page.getByText(/^250 calls until /)).toBeVisible();
  const combined = rows(page).filter({ hasText: /\d+ requests/ }).first();
  await combined.getByRole("link").first().click();
  await expect(page.getByRole("dialog")).toContainText(/Requests\s*\d+ similar rejections/);
});

test("calls are listed, the newest first, and filtered by the address", async ({ keygate, page }) => {
  const { id, web } = await busy(keygate);
  await open(keygate, id);
  await expect(rows(page)).toHaveCount(4);
  await expect(page.getByText(/^4 calls until /)).toBeVisible();
  await expect(rows(page).nth(0)).toContainText(/Client error\s*404\s*model_not_found\s*none\s*Nightly <b>job<\/b>/);
  await expect(rows(page).nth(1)).toContainText(/Throttled\s*429\s*limit_requests\s*qwen-max/);
  await expect(rows(page).nth(3)).toContainText(/Answered\s*200\s*qwen-plus\s*Web search/);
  await expect(rows(page).nth(3)).toContainText(web.masked);
  await expect(rows(page).nth(0).locator("time")).toHaveAttribute("title", /GMT\+1$/);

  await filter(page, "Status", "Throttled");
  await expect(page).toHaveURL(/requests\?class=throttled$/);
  await expect(rows(page)).toHaveCount(1);
  await page.reload();
  await expect(rows(page)).toHaveCount(1);
  await filter(page, "Status", "Any status");
  await filter(page, "Model", "qwen-max");
  await expect(rows(page)).toHaveCount(2);
  await filter(page, "Key", "Web search");
  await expect(rows(page)).toHaveCount(1);
  await expect(page).toHaveURL(new RegExp(`requests\\?model=qwen-max&key=${web.id}$`));
  await filter(page, "Status", "Server error");
  await expect(page.getByText("No call found")).toBeVisible();
  await page.getByRole("button", { name: "Show all calls" }).click();
  await expect(rows(page)).toHaveCount(4);

  await page.clock.setSystemTime(Date.now() + 20 * 60_000);
  await page.getByRole("button", { name: "15 m" }).click();
  await expect(page).toHaveURL(/requests\?range=15m$/);
  await expect(page.getByText("No call found")).toBeVisible();
  await page.getByRole("button", { name: "1 h", exact: true }).click();
  await expect(page).toHaveURL(/requests\?range=1h$/);
  await expect(rows(page)).toHaveCount(4);
  await page.getByRole("button", { name: "Custom" }).click();
  await page.getByLabel("From").fill("2026-01-02T10:00");
  await page.getByLabel("To", { exact: true }).fill("2026-01-01T10:00");
  await page.keyboard.press("Enter");
  await expect(page.getByLabel("From")).toHaveAccessibleDescription(/before the end/);
  await page.getByLabel("To", { exact: true }).fill("2026-01-02T11:00");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/from=2026-01-02T09%3A00%3A00.000Z&to=2026-01-02T10%3A00%3A00.000Z$/);
  await expect(page.getByText("No call found")).toBeVisible();
});

test("pages stay as they are while calls come in", async ({ keygate, page }) => {
  const { id } = await keygate.defaultWorkspace();
  const key = await keygate.createKey(id, "Load");
  const made: Made[] = [];
  for (let i = 0; i < 45; i += 1) {
    made.push(await call(keygate, key.secret, { model: "qwen-plus", max_tokens: 5 }));
    // Of calls that end in the same millisecond none is the newer one.
    await page.waitForTimeout(2);
  }
  await logged(keygate, id, 45);
  await open(keygate, id);
  const shown = () => page.locator("tbody a.main").evaluateAll((links) => links.map((a) => a.getAttribute("href")!.split("/requests/")[1].split("?")[0]));
  const newest = made.map((made) => made.id).reverse();
  await expect(rows(page)).toHaveCount(20);
  expect(await shown()).toEqual(newest.slice(0, 20));
  const late = await call(keygate, key.secret, { model: "qwen-plus", max_tokens: 5 });
  await logged(keygate, id, 46);
  await page.getByRole("button", { name: "Next" }).click();
  await expect(page.locator(`tbody a[href*="${newest[20]}"]`)).toBeVisible();
  expect(await shown()).toEqual(newest.slice(20, 40));
  await page.reload();
  await expect(page.locator(`tbody a[href*="${newest[20]}"]`)).toBeVisible();
  expect(await shown()).toEqual(newest.slice(20, 40));
  await page.getByRole("button", { name: "Next" }).click();
  await expect(rows(page)).toHaveCount(5);
  await expect(page.getByText(/^45 calls until /)).toBeVisible();
  await page.goBack();
  await expect(rows(page)).toHaveCount(20);
  await page.getByRole("button", { name: "Refresh" }).click();
  await expect(page.locator(`tbody a[href*="${late.id}"]`)).toBeVisible();
  await expect(page).toHaveURL(/requests$/);
  await expect(page.getByText(/^46 calls until /)).toBeVisible();
});

test("a call is opened, read and closed by keyboard", async ({ keygate, page }) => {
  const { id, web, made } = await busy(keygate);
  await open(keygate, id);
  const link = rows(page).nth(3).locator("a.main");
  await link.focus();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(new RegExp(`/requests/${made[0].id}$`));
  const drawer = keygate.dialog("Call");
  await expect(drawer.getByRole("button", { name: `Copy request ID ${made[0].id}` })).toBeVisible();
  const [waiting, streaming] = ["Waiting for the first piece", "Streaming"];
  for (const part of ["In the gateway, until it was sent on", waiting, streaming, "Together"]) await expect(drawer.getByText(part, { exact: true })).toBeVisible();
  await expect(drawer.locator("svg rect")).toHaveCount(3);
  await expect(drawer.locator("dl").nth(1)).toContainText(/Model\s*qwen-plus\s*Protocol\s*OpenAI-compatible, as a stream\s*API key\s*Web search/);
  await expect(drawer).toContainText("owner@localhost");
  await expect(drawer).toContainText("127.0.0.1");
  await expect(drawer).toContainText("Prompts and answers are never stored.");
  await page.keyboard.press("Escape");
  await expect(drawer).toHaveCount(0);
  await expect(link).toBeFocused();
  await page.goBack();
  await expect(drawer).toBeVisible();
  await page.goForward();
  await expect(drawer).toHaveCount(0);

  await rows(page).nth(1).locator("a.main").click();
  await expect(drawer).toContainText("Throttled");
  await expect(drawer).toContainText("raise the limit in the workspace’s model permission");
  await expect(drawer).toContainText("Calls per minute of the workspace");
  await page.keyboard.press("Escape");
  await expect(drawer).toHaveCount(0);

  // A key that is gone keeps its calls, under its id.
  const { body } = await keygate.api("GET", `/regions/${REGION}/workspaces/${id}/api-keys`);
  const { version } = body.items.find((key: any) => key.id === web.id);
  expect((await keygate.api("DELETE", `/regions/${REGION}/workspaces/${id}/api-keys/${web.id}`, { version })).status).toBeLessThan(300);
  await page.reload();
  await expect(rows(page).nth(3)).toContainText(`${web.id}deleted`);
});

test.describe("by its id", () => {
  test.use({ allowed: ["the server responded with a status of 404"] });

  test("a call is found by what is pasted, and one that is not there is told", async ({ keygate, page }) => {
    const { id, made } = await busy(keygate);
    await open(keygate, id);
    const drawer = keygate.dialog("Call");
    await page.keyboard.press("/");
    const field = page.getByRole("searchbox", { name: "Request ID" });
    await expect(field).toBeFocused();
    await field.fill(`x-request-id: ${made[1].id}`);
    await expect(page).toHaveURL(new RegExp(`/requests/${made[1].id}$`));
    await expect(drawer).toContainText("qwen-max");
    await page.keyboard.press("Escape");
    await expect(field).toBeFocused();
    const unknown = "019a8b6e-0e4c-7c31-9d1e-3f2a1b0c4d5e";
    await field.fill(unknown);
    await expect(drawer.getByText("No such call")).toBeVisible();
    await page.keyboard.press("Escape");
    await field.fill("nonsense/../x");
    await page.keyboard.press("Enter");
    await expect(drawer.getByText("No such call")).toBeVisible();
    await expect(page.getByRole("link", { name: "Call log" })).toHaveAttribute("aria-current", "page");
    // Of another page of the log, or outside of the filters, it is read by itself.
    await open(keygate, id, `/${made[0].id}?class=throttled`);
    await expect(drawer).toContainText("qwen-plus");
    await expect(rows(page)).toHaveCount(1);
  });
});

test("where nothing was called lately, it is told how to", async ({ keygate, page }) => {
  const { id } = await keygate.defaultWorkspace();
  await open(keygate, id);
  await expect(page.getByRole("heading", { name: "No calls in the last 14 days" })).toBeVisible();
  await expect(page.getByRole("tab", { name: "curl" })).toBeVisible();
  await page.getByRole("link", { name: "Go to API keys" }).click();
  await expect(page).toHaveURL(/\/api-keys$/);
});

test.describe("trouble", () => {
  test.use({ allowed: ["the server responded with a status of 500", "the server responded with a status of 404", "the server responded with a status of 400"] });

  test("a page that is none of the log leads to the first", async ({ keygate, page }) => {
    const { id } = await busy(keygate);
    for (const token of ["123~abc", `${Date.now()}~abc`, "nonsense"]) {
      await open(keygate, id, `?class=throttled&page=${token}`);
      await expect(page).toHaveURL(/requests\?class=throttled$/);
      await expect(rows(page)).toHaveCount(1);
      await expect(page.getByRole("alert")).toHaveCount(0);
    }
  });

  test("what cannot be read is told, and read again", async ({ keygate, page }) => {
    const { id } = await busy(keygate);
    const error = { code: "internal", message: "The server met a fault.", request_id: "req-1" };
    await page.route(/\/workspaces\/ws-[^/]+\/requests/, (route) => route.fulfill({ status: 500, json: { error } }));
    await open(keygate, id);
    const alert = page.getByRole("alert");
    await expect(alert).toContainText("Could not load calls");
    await page.unroute(/\/workspaces\/ws-[^/]+\/requests/);
    await alert.getByRole("button", { name: "Retry" }).click();
    await expect(rows(page)).toHaveCount(4);
    await open(keygate, "ws-nothing");
    await expect(page.getByText("Not found", { exact: true })).toBeVisible();
    await expect(page.getByRole("link", { name: "Call log" })).toBeVisible();
  });
});

for (const [colorScheme, width] of [["light", 1440], ["dark", 390]] as const) {
  test.describe(`${colorScheme}, ${width} wide`, () => {
    test.use({ colorScheme, viewport: { width, height: 844 } });
    test.setTimeout(60_000);

    test("the log and a call are accessible", async ({ keygate, page }) => {
      const { id } = await busy(keygate);
      const look = (where: string) => expectNoViolations(page, where);
      await open(keygate, id);
      await expect(rows(page)).toHaveCount(4);
      await look("log");
      await page.getByRole("button", { name: "Custom" }).click();
      await expect(page.getByLabel("From")).toBeFocused();
      await look("range");
      await page.keyboard.press("Escape");
      await rows(page).nth(1).locator("a.main").click();
      await expect(keygate.dialog("Call")).toContainText("Throttled");
      await look("call");
      await page.keyboard.press("Escape");
      await open(keygate, (await keygate.defaultWorkspace()).id);
      await expect(page.getByRole("tab", { name: "curl" })).toBeVisible();
      await look("empty");
    });
  });
}
