import { expect, REGION, test } from "../fixtures.ts";

test("an address is reloaded, shared and returned to", async ({ keygate, page }) => {
  const { id } = await keygate.createWorkspace("Research");
  await keygate.open(`/${REGION}/workspaces/${id}`);
  await expect(page.getByRole("dialog", { name: "Research" })).toBeVisible();
  await page.reload();
  await expect(page.getByRole("dialog", { name: "Research" })).toBeVisible();
  await page.getByRole("button", { name: "Close" }).first().click();
  await expect(page).toHaveURL(/\/workspaces$/);
  await page.getByRole("link", { name: /^API keys of Research/ }).click();
  await expect(page).toHaveTitle("API keys · Research · Keygate");
  await expect(page.getByRole("heading", { name: "API keys", exact: true })).toBeFocused();
  await page.goBack();
  await expect(page.getByRole("heading", { name: "Workspaces", exact: true })).toBeVisible();
  await page.goForward();
  await expect(page.getByRole("heading", { name: "API keys", exact: true })).toBeVisible();
});

test("switching region or workspace keeps the page", async ({ keygate, page }) => {
  const { id } = await keygate.createWorkspace("Research");
  const first = await keygate.defaultWorkspace();
  await keygate.openKeys(first.id);
  await page.getByRole("button", { name: /^Workspace/ }).click();
  await page.getByRole("combobox", { name: "Find a workspace" }).fill("rese");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(new RegExp(`/${REGION}/w/${id}/api-keys$`));
  await expect(page.getByText("Keys of Research")).toBeVisible();

  await page.getByRole("button", { name: /^Region/ }).click();
  await page.getByRole("menuitemradio", { name: /Virginia/ }).click();
  const there = await keygate.defaultWorkspace("us-east-1");
  await expect(page).toHaveURL(new RegExp(`/us-east-1/w/${there.id}/api-keys$`));
  await page.getByRole("button", { name: /^Region/ }).click();
  await page.getByRole("menuitemradio", { name: /Singapore/ }).click();
  await expect(page, "it comes back to the workspace last used there").toHaveURL(new RegExp(`/w/${id}/api-keys$`));
});

test("the theme is kept and stands before the program arrives", async ({ keygate, page }) => {
  await page.getByRole("button", { name: "Theme" }).click();
  await page.getByRole("menuitemradio", { name: "Dark" }).click();
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  await page.route("**/*.wasm", () => {});
  await page.reload({ waitUntil: "commit" });
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  await expect(page.locator("#boot")).toBeVisible();
});

test("the outline painted first is the layout that follows", async ({ keygate, page }) => {
  const places = ["main .page-head", "main .toolbar", "main .card", ".topbar", ".sidebar"];
  const boxes = () =>
    page.evaluate(
      (places) => places.map((place) => document.querySelector(place)!.getBoundingClientRect()).map(({ x, y, width }) => ({ x, y, width })),
      places,
    );
  let go = () => {};
  const gate = new Promise<void>((resolve) => (go = resolve));
  await page.route("**/*.wasm", async (route) => {
    await gate;
    await route.continue();
  });
  await page.reload({ waitUntil: "commit" });
  await expect(page.locator("#boot .shell .list")).toBeVisible();
  const before = await boxes();
  go();
  await expect(keygate.row("Default workspace")).toBeVisible();
  await expect(page.locator("#boot")).toHaveCount(0);
  expect(await boxes()).toEqual(before);
});

test.describe("when the program cannot be loaded", () => {
  test.use({ allowed: ["Failed to load resource", "TypeError", "CompileError", "WebAssembly", "net::ERR"] });

  test("the page says so and offers to reload", async ({ keygate, page }) => {
    await page.route("**/*.wasm", (route) => route.abort());
    await page.reload();
    await expect(page.getByRole("dialog", { name: "The console did not start" })).toBeVisible();
    await page.unroute("**/*.wasm");
    await page.getByRole("link", { name: "Reload" }).click();
    await expect(keygate.row("Default workspace")).toBeVisible();
  });
});

test.describe("what does not exist", () => {
  test.use({ allowed: ["404"] });

  test("is told inside the shell", async ({ keygate, page }) => {
    for (const path of ["/nowhere", `/${REGION}/nothing`, "/mars-1/workspaces"]) {
      await keygate.open(path);
      await expect(page.getByRole("heading", { name: "Page not found" })).toBeVisible();
      await expect(page.getByRole("navigation", { name: "Console" })).toBeVisible();
    }
    await page.getByRole("link", { name: "Go to workspaces" }).click();
    await expect(page.getByRole("heading", { name: "Workspaces", exact: true })).toBeVisible();
    await keygate.open(`/${REGION}/w/ws-0000000000000000/api-keys`);
    await expect(page.getByText("Not found", { exact: true })).toBeVisible();
    await expect(page.getByText("Keys of this workspace.")).toBeVisible();
    await expect(page.locator(".bone")).toHaveCount(0);
    await expect(page.getByRole("button", { name: /^Add API key/ })).toHaveCount(0);
    await expect(page.getByRole("link", { name: "API keys", exact: true })).toHaveAttribute("aria-current", "page");
    await keygate.open(`/${REGION}/workspaces/ws-0000000000000000`);
    await expect(page.getByRole("dialog").getByText("Not found", { exact: true })).toBeVisible();
  });

  test("an old page token leads to the first page", async ({ keygate, page }) => {
    test.info().annotations.push({ type: "note", description: "the server refuses the token with 400" });
    await keygate.open(`/${REGION}/workspaces?page=nonsense`);
    await expect(page).toHaveURL(/\/workspaces$/);
    await expect(keygate.row("Default workspace")).toBeVisible();
  });
  test.use({ allowed: ["404", "400"] });
});

test.describe("when a list cannot be read", () => {
  test.use({ allowed: ["500", "403"] });
  const refuse = (status: number, code: string, message: string) => ({
    status,
    json: { error: { code, message, request_id: "req-e2e" } },
  });

  test("the page tells the request and tries again when asked", async ({ keygate, page }) => {
    const lists = "**/console/v1/regions/*/workspaces?q=*";
    await page.route(lists, (route) => route.fulfill(refuse(500, "internal", "A fault of the server.")));
    await page.getByRole("searchbox").fill("default");
    const alert = page.getByRole("alert");
    await expect(alert).toContainText("Could not load workspaces");
    await expect(alert).toContainText("req-e2e");
    await page.unroute(lists);
    await alert.getByRole("button", { name: "Retry" }).click();
    await expect(keygate.row("Default workspace")).toBeVisible();
  });

  test("another region is entered on the same page, and goes on once its workspaces can be read", async ({ keygate, page }) => {
    await page.getByRole("link", { name: "API keys", exact: true }).click();
    await expect(page.getByText("No API keys yet")).toBeVisible();
    const lists = "**/console/v1/regions/us-east-1/workspaces*";
    await page.route(lists, (route) => route.fulfill(refuse(500, "internal", "A fault of the server.")));
    await page.getByRole("button", { name: /^Region/ }).click();
    await page.getByRole("menuitemradio", { name: /Virginia/ }).click();
    const alert = page.getByRole("alert");
    await expect(alert).toContainText("Could not load the workspace");
    await expect(page.getByRole("heading", { name: "API keys", exact: true })).toBeVisible();
    const sidebar = page.getByRole("navigation", { name: "Console" });
    await expect(sidebar.getByRole("link", { name: "API keys" })).toHaveAttribute("aria-current", "page");
    await expect(sidebar.getByRole("link", { name: "Workspaces" })).toHaveAttribute("href", "/us-east-1/workspaces");
    await expect(sidebar.getByRole("link", { name: "Endpoints" })).toHaveAttribute("href", "/us-east-1/endpoints");
    await sidebar.getByRole("link", { name: "Models" }).click();
    await expect(alert).toContainText("Could not load the workspace");
    await page.goBack();
    await page.unroute(lists);
    await alert.getByRole("button", { name: "Retry" }).click();
    const there = await keygate.defaultWorkspace("us-east-1");
    await expect(page).toHaveURL(new RegExp(`/us-east-1/w/${there.id}/api-keys$`));
    await expect(page.getByText("No API keys yet")).toBeVisible();
  });

  test("a missing permission is explained, and there is nothing to retry", async ({ keygate, page }) => {
    await page.route("**/api-keys?*", (route) => route.fulfill(refuse(403, "not_permitted", "You may not see these keys.")));
    await page.getByRole("link", { name: "API keys", exact: true }).click();
    const alert = page.getByRole("alert");
    await expect(alert).toContainText("Your role does not permit this");
    await expect(alert).toContainText("An owner or admin of the account can change that.");
    await expect(alert.getByRole("button", { name: "Retry" })).toHaveCount(0);
    await expect(keygate.page.getByRole("navigation", { name: "Console" })).toBeVisible();
  });
});

test("a notice can be dismissed while a dialog is open, and returns when it closes", async ({ keygate, page }) => {
  await keygate.choose("Default workspace", "Copy ID");
  const toast = page.getByText("Workspace ID copied");
  await expect(toast).toBeVisible();
  await page.getByRole("button", { name: /^Create workspace/ }).click();
  await expect(keygate.dialog("Create workspace")).toBeVisible();
  await page.getByRole("button", { name: "Dismiss" }).click();
  await expect(toast).toHaveCount(0);
  await page.keyboard.press("Escape");
  await keygate.choose("Default workspace", "Copy ID");
  await expect(toast).toBeVisible();
});

test.describe("when the server is away", () => {
  test.use({ allowed: ["ERR_CONNECTION_REFUSED", "Failed to load resource"] });

  test("a banner says so, and the page recovers by itself", async ({ keygate, page, server }) => {
    await server.stop();
    await page.getByRole("searchbox").fill("team");
    const banner = page.getByText("Keygate does not answer. What you see may be out of date.");
    await expect(banner).toBeVisible();
    await server.run();
    await expect(banner).toHaveCount(0, { timeout: 10_000 });
    await expect(page.getByText("No workspace found")).toBeVisible();
  });
});

test("on a phone every part is in reach", async ({ keygate, page }) => {
  await keygate.createWorkspace("Research");
  for (const width of [390, 360]) {
    await page.setViewportSize({ width, height: 740 });
    await keygate.open(`/${REGION}/workspaces`);
    await expect(keygate.row("Research")).toBeVisible();
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    await page.getByRole("link", { name: "API keys", exact: true }).click();
    await page.getByRole("button", { name: /^Workspace/ }).click();
    await page.getByRole("option", { name: /Research/ }).click();
    await expect(page.getByText("Keys of Research")).toBeVisible();
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    await keygate.defaultWorkspace().then(({ id }) => keygate.openKeys(id));
  }
});
