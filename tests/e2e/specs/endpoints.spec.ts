import { type Console, expect, type Page, REGION, test } from "../fixtures.ts";

type Endpoint = { protocol: string; kind: string; base_url: string; operations: string[] };

const openEndpoints = async (keygate: Console, region = REGION) => {
  await keygate.open(`/${region}/endpoints`);
  await expect(keygate.page.getByRole("heading", { name: "Endpoints", exact: true })).toBeVisible();
};

/** Has the console see other endpoints of the first region. */
async function withEndpoints(page: Page, change: (endpoints: Endpoint[]) => Endpoint[]) {
  await page.route("**/console/v1/regions", async (route) => {
    const response = await route.fetch();
    const json = await response.json();
    json.items[0].endpoints = change(json.items[0].endpoints);
    await route.fulfill({ response, json });
  });
}

const openai = (kind: string, host: string): Endpoint => ({ protocol: "openai", kind, base_url: `${host}/compatible-mode/v1`, operations: ["GET /models"] });
const overflow = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

test("a base URL is copied, and the gateway behind it answers", async ({ keygate, page, server }) => {
  await page.getByRole("link", { name: "Endpoints", exact: true }).click();
  await expect(page).toHaveURL(new RegExp(`/${REGION}/endpoints$`));
  await expect(page).toHaveTitle("Endpoints · Singapore · Keygate");
  await expect(page.getByRole("heading", { name: "Endpoints", exact: true })).toBeFocused();
  const table = page.getByRole("table", { name: "Base URLs" });
  await expect(table.getByText("POST /chat/completions")).toBeVisible();
  await expect(table.getByText("Serves nothing yet: every call is refused."), "Anthropic").toHaveCount(1);

  await table.getByRole("button", { name: `Copy base URL ${server.url}/compatible-mode/v1` }).click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(`${server.url}/compatible-mode/v1`);

  await expect(table.getByText("Not checked")).toHaveCount(3);
  await page.getByRole("button", { name: "Check endpoints" }).click();
  await expect(table.getByText(/^Answers in \d+ ms$/)).toHaveCount(3);
  await expect(page.getByRole("status").filter({ hasText: "Checked 1 host: no trouble." })).toHaveCount(1);
});

test("a region on another port answers, too", async ({ keygate, page }) => {
  await openEndpoints(keygate, "us-east-1");
  await page.getByRole("button", { name: "Check endpoints" }).click();
  await expect(page.getByText(/^Answers in \d+ ms$/).first()).toBeVisible();
});

test("the set-up of each protocol has its address and no key", async ({ keygate, page, server }) => {
  const { id } = await keygate.defaultWorkspace();
  const { secret } = await keygate.createKey(id, "Nightly");
  await openEndpoints(keygate);
  const code = page.getByRole("tabpanel", { name: ".env" });
  for (const [protocol, lines] of [
    ["OpenAI-compatible", `OPENAI_BASE_URL=${server.url}/compatible-mode/v1\nOPENAI_API_KEY=your-api-key`],
    ["DashScope-native", `DASHSCOPE_HTTP_BASE_URL=${server.url}/api/v1\nDASHSCOPE_API_KEY=your-api-key`],
    ["Anthropic", `ANTHROPIC_BASE_URL=${server.url}/apps/anthropic\nANTHROPIC_API_KEY=your-api-key`],
  ]) {
    await page.getByRole("tab", { name: protocol }).click();
    await expect(code.locator("pre")).toHaveText(lines);
  }
  await expect(page.getByText("Nothing is served there yet")).toBeVisible();
  await page.getByRole("tab", { name: "OpenAI-compatible" }).click();
  await expect(page.getByText("Nothing is served there yet")).toHaveCount(0);
  await page.getByRole("tab", { name: "Python" }).click();
  await page.getByRole("button", { name: "Copy the code" }).click();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(copied).toContain(`base_url="${server.url}/compatible-mode/v1"`);
  expect(copied).toContain('os.environ["OPENAI_API_KEY"]');
  expect(await page.content()).not.toContain(secret);
  expect(await page.content()).not.toContain("sk-");
});

test.describe("hosts with trouble", () => {
  // Hosts that are not this server's are outside its policy; that real ones are inside is tested above.
  test.use({ bypassCSP: true, allowed: ["net::ERR", "blocked by CORS policy"] });

  test("are told apart, each with what to look at", async ({ keygate, page, server }) => {
    const workspace = await keygate.defaultWorkspace();
    const next = `http://127.0.0.1:${server.port + 1}`;
    await withEndpoints(page, () => [
      openai("workspace", `http://{workspace}.localhost:${server.port}`),
      openai("private", "http://127.0.0.1:9"),
      openai("public", next),
      { ...openai("public", "http://127.0.0.1:9"), protocol: "dashscope" },
    ]);
    await page.route(`http://${workspace.id}.localhost:${server.port}/health`, (route) => route.fulfill({ json: { status: "ok", region: REGION }, headers: { "access-control-allow-origin": "*" } }));
    await openEndpoints(keygate);
    const table = page.getByRole("table", { name: "Base URLs" });
    const row = (text: string) => table.getByRole("row").filter({ hasText: text });
    await expect(table.getByText("Not served in this region: it has no base URL."), "Anthropic").toBeVisible();
    await expect(page.getByText("A workspace host takes keys of its workspace only; any other gets 403 Endpoint.AccessDenied.")).toBeVisible();
    await page.getByRole("button", { name: "Check endpoints" }).click();
    await expect(row(next)).toContainText("Answers, but as US (Virginia)");
    await expect(row("The private network only")).toContainText("Does not answer");
    await expect(row("The private network only")).toContainText("that is fine");
    await expect(row("The private network only").locator(".badge.bad"), "no fault").toHaveCount(0);
    await expect(table.locator(".badge.bad", { hasText: "Does not answer" })).toHaveCount(1);
    await expect(row(`http://${workspace.id}.localhost:${server.port}/`)).toContainText("Answers in");
    await expect(page.getByRole("status").filter({ hasText: "Checked 3 hosts: 1 of them as they should be." })).toHaveCount(1);
  });

  test("that never answer are given up, or stopped", async ({ keygate, page }) => {
    await page.route("**/health", () => {});
    await openEndpoints(keygate);
    await page.getByRole("button", { name: "Check endpoints" }).click();
    await expect(page.getByText("Checking…").first()).toBeVisible();
    await page.getByRole("button", { name: "Stop checking" }).click();
    await expect(page.getByText("Not checked")).toHaveCount(3);
    await expect(page.getByRole("status").filter({ hasText: "The check was stopped." })).toHaveCount(1);
    await page.getByRole("button", { name: "Check endpoints" }).click();
    await expect(page.getByText("Does not answer")).toHaveCount(3, { timeout: 7_000 });
    await expect(page.getByRole("button", { name: "Check endpoints" })).toBeFocused();
  });
});

test("what is no gateway is not taken for one, and another region begins anew", async ({ keygate, page, server }) => {
  await page.route(`${server.url}/health`, (route) => route.fulfill({ contentType: "text/html", body: "<h1>Welcome</h1>" }));
  await openEndpoints(keygate);
  await page.getByRole("button", { name: "Check endpoints" }).click();
  await expect(page.getByText("Something else answers")).toHaveCount(3);
  await page.getByRole("table", { name: "What changes between regions" }).getByRole("link", { name: "US (Virginia)" }).click();
  await expect(page).toHaveURL(/\/us-east-1\/endpoints$/);
  await expect(page.getByText("Not checked")).toHaveCount(3);
});

test("a workspace host follows the switcher", async ({ keygate, page }) => {
  const { id } = await keygate.createWorkspace("Research");
  await withEndpoints(page, (all) => [...all, openai("workspace", "https://{workspace}.example.com")]);
  await openEndpoints(keygate);
  await expect(page.getByText("Keys of Default workspace only")).toBeVisible();
  await page.getByRole("button", { name: /^Workspace/ }).click();
  await page.getByRole("option", { name: /Research/ }).click();
  await expect(page.getByText("Keys of Research only")).toBeVisible();
  await expect(page.getByText(`https://${id}.example.com/compatible-mode/v1`, { exact: true })).toBeVisible();
  await expect(page).toHaveURL(/\/endpoints$/);
});

test("without workspace hosts an owner is told how to have them", async ({ keygate, page }) => {
  await openEndpoints(keygate);
  await expect(page.getByText("No workspace has a host of its own here. Set workspace_domain")).toBeVisible();
});

test("the regions are compared, and the current one is marked", async ({ keygate, page }) => {
  await openEndpoints(keygate, "us-east-1");
  const table = page.getByRole("table", { name: "What changes between regions" });
  const cells = (name: string) => table.getByRole("row").filter({ hasText: name }).getByRole("cell");
  await expect(table.getByRole("row")).toHaveCount(4);
  await expect(cells("us-east-1")).toHaveText([/US \(Virginia\)\s*You are here\s*us-east-1/, "No", "Yes", "20", "20", /\d+/, "20"]);
  await expect(cells("cn-beijing").nth(6)).toHaveText("no limit of its own");
  await expect(table.locator("[aria-current=true]")).toHaveText("US (Virginia)");
});

test("switching the region twice lands on the same page", async ({ keygate, page }) => {
  for (const name of ["Workspaces", "API keys", "Models", "Endpoints"]) {
    await page.getByRole("link", { name, exact: true }).click();
    await expect(page.getByRole("heading", { name, exact: true })).toBeVisible();
    const first = page.url();
    for (const [id, region] of [["us-east-1", /Virginia/], [REGION, /Singapore/]] as const) {
      await page.getByRole("button", { name: /^Region/ }).click();
      await page.getByRole("menuitemradio", { name: region }).click();
      await expect(page).toHaveURL(new RegExp(`/${id}/`));
      await expect(page.getByRole("heading", { name, exact: true })).toBeVisible();
    }
    expect(page.url()).toBe(first);
  }
});

test("the longest of hosts stays inside a phone", async ({ keygate, page }) => {
  const label = "a".repeat(63);
  const host = `https://${[label, label, label, "b".repeat(61)].join(".")}`;
  await withEndpoints(page, (all) => [...all, openai("private", host)]);
  for (const width of [1440, 390, 360]) {
    await page.setViewportSize({ width, height: 844 });
    await openEndpoints(keygate);
    await expect(page.getByText(`${host}/compatible-mode/v1`, { exact: true })).toBeVisible();
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    expect(await page.locator(".links").evaluate((links) => links.scrollWidth - links.clientWidth), "the pages need no scrolling").toBeLessThanOrEqual(0);
  }
});

test("the outline painted first is the layout that follows", async ({ keygate, page }) => {
  const boxes = () =>
    page.evaluate(() =>
      ["main .page-head", "main .card", ".sidebar [class*=endpoints], .sidebar [aria-current=page]"].map((place) => {
        const { x, y, width } = document.querySelector(place)!.getBoundingClientRect();
        return { x, y, width };
      }),
    );
  let go = () => {};
  const gate = new Promise<void>((resolve) => (go = resolve));
  await page.route("**/*.wasm", async (route) => {
    await gate;
    await route.continue();
  });
  await page.goto(`${keygate.server.url}/${REGION}/endpoints`, { waitUntil: "commit" });
  await expect(page.locator("#boot .shell .list")).toBeVisible();
  const before = await boxes();
  go();
  await expect(page.getByRole("button", { name: "Check endpoints" })).toBeVisible();
  await expect(page.locator("#boot")).toHaveCount(0);
  expect(await boxes()).toEqual(before);
});

test.describe("when the regions cannot be read", () => {
  test.use({ allowed: ["500"] });

  test("the page says so and tries again when asked", async ({ keygate, page }) => {
    await page.route("**/console/v1/regions", (route) => route.fulfill({ status: 500, json: { error: { code: "internal", message: "A fault of the server.", request_id: "req-e2e" } } }));
    await openEndpoints(keygate);
    const alert = page.getByRole("alert");
    await expect(alert).toContainText("Could not load the regions");
    await page.unroute("**/console/v1/regions");
    await alert.getByRole("button", { name: "Retry" }).click();
    await expect(page.getByRole("table", { name: "Base URLs" })).toBeVisible();
  });
});
