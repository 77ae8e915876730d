// Everything that can be done with a key: restrict, expire, disable, reset, make a temporary key of it.

import { Console, expect, type Page, REGION, test } from "../fixtures.ts";

const VIRGINIA = "us-east-1";

/** Calls a model with a secret, and gives the status of the answer. */
async function call(keygate: Console, secret: string, model = "qwen-plus"): Promise<number> {
  const headers = { authorization: `Bearer ${secret}`, "content-type": "application/json" };
  const body = JSON.stringify({ model, messages: [{ role: "user", content: "Hello" }] });
  const answer = await fetch(`${keygate.server.url}/compatible-mode/v1/chat/completions`, { method: "POST", headers, body });
  await answer.text();
  return answer.status;
}

async function keyOf(keygate: Console, page: Page, description = "Nightly") {
  const { id } = await keygate.defaultWorkspace();
  const key = await keygate.createKey(id, description);
  await keygate.openKeys(id);
  await expect(keygate.row(description)).toBeVisible();
  return { ...key, workspace: id, path: `/regions/${REGION}/workspaces/${id}/api-keys/${key.id}` };
}

/** Closes the dialog that shows a secret, and gives the secret. */
async function takeSecret(keygate: Console): Promise<string> {
  const created = keygate.dialog("Save your API key");
  const secret = (await created.locator(".secret code").innerText()).trim();
  await created.getByLabel("I have saved this key").check();
  await created.getByRole("button", { name: "Done" }).click();
  await expect(created).toHaveCount(0);
  return secret;
}

test("a key is added with addresses, models and an expiry, by keyboard", async ({ keygate, page }) => {
  const { id } = await keygate.defaultWorkspace();
  await keygate.openKeys(id);
  await page.getByRole("button", { name: /^Add API key \d/ }).press("Enter");
  const dialog = keygate.dialog("Add API key");
  await page.keyboard.type("Edge");
  await expect(dialog.getByText("owner@localhost")).toBeVisible();
  await dialog.getByRole("radio", { name: "All" }).focus();
  await page.keyboard.press("ArrowRight");
  await expect(dialog.getByRole("radio", { name: "Custom" })).toBeChecked();
  await page.keyboard.press("Tab");
  await expect(dialog.getByLabel("Restrict addresses")).toBeFocused();
  await page.keyboard.press("Space");
  await page.keyboard.press("Tab");
  await page.keyboard.type("10.0.0.1/8");
  await expect(dialog.getByText("It is kept as its network, 10.0.0.0/8.")).toBeVisible();
  await page.keyboard.press("Enter");
  const addresses = dialog.getByRole("list", { name: "Addresses" });
  await expect(addresses.getByRole("listitem")).toHaveText([/^10\.0\.0\.0\/8entered as 10\.0\.0\.1\/8/]);
  await page.keyboard.type("127.0.0.1,");
  await expect(addresses.getByRole("listitem")).toHaveCount(2);
  await expect(dialog.getByText("2/20")).toBeVisible();
  await dialog.getByLabel("Restrict models").focus();
  await page.keyboard.press("Space");
  await dialog.getByRole("button", { name: "Choose models" }).press("Enter");
  const selector = keygate.dialog("Add models");
  await selector.getByRole("searchbox").fill("qwen-plus");
  await selector.getByRole("checkbox", { name: "qwen-plus", exact: true }).check();
  await page.keyboard.press("Control+Enter");
  await expect(selector).toHaveCount(0);
  await expect(dialog.getByRole("list", { name: "Models" }).getByRole("listitem")).toHaveText(["qwen-plus"]);
  await dialog.getByRole("radio", { name: "In 90 days" }).check();
  await expect(dialog.getByText(/^Calls are refused from .* on\./)).toBeVisible();
  await page.keyboard.press("Control+Enter");
  const secret = await takeSecret(keygate);
  await expect(keygate.row("Edge")).toContainText("Custom");
  await expect(keygate.row("Edge")).toContainText("2 addresses, 1 model");
  await expect(keygate.row("Edge")).toContainText("Expires");
  expect(await call(keygate, secret)).toBe(200);
  expect(await call(keygate, secret, "qwen-max")).toBe(403);
});

test("addresses typed wrong say why, and lists of them can be pasted", async ({ keygate, page }) => {
  const { id } = await keygate.defaultWorkspace();
  await keygate.openKeys(id);
  await page.getByRole("button", { name: /^Add API key \d/ }).click();
  const dialog = keygate.dialog("Add API key");
  await dialog.getByLabel("Description", { exact: true }).fill("Edge");
  await dialog.getByRole("radio", { name: "Custom" }).check();
  await page.keyboard.press("Control+Enter");
  await expect(dialog.getByText("Restrict addresses or models, or choose all permissions.")).toBeVisible();
  await expect(dialog.getByLabel("Restrict addresses")).toBeFocused();
  await dialog.getByLabel("Restrict addresses").check();
  const field = dialog.getByLabel("Address or CIDR block");
  await page.keyboard.press("Control+Enter");
  await expect(field).toBeFocused();
  await expect(field).toHaveAccessibleDescription(/Enter at least one address/);
  for (const [text, why] of [
    ["10.0.0.0/33", /at most \/32/],
    ["example.com", /Host names are not taken/],
    ["fe80::1%eth0", /Leave out the zone/],
  ] as const) {
    await field.fill(text);
    await expect(field).toHaveAttribute("aria-invalid", "true");
    await expect(field).toHaveAccessibleDescription(why);
  }
  await page.keyboard.press("Control+Enter");
  await expect(field).toBeFocused();
  await field.fill("");
  const many = Array.from({ length: 18 }, (_, i) => `192.0.2.${i}`).join("\n");
  await page.evaluate((text) => navigator.clipboard.writeText(text), `0.0.0.0/0, ::/0\n${many}\n198.51.100.1 nope`);
  await field.press("Control+v");
  const addresses = dialog.getByRole("list", { name: "Addresses" });
  await expect(addresses.getByRole("listitem")).toHaveCount(20);
  await expect(addresses.getByText("restricts nothing")).toHaveCount(2);
  await expect(field).toHaveAttribute("aria-invalid", "true");
  await expect(field).toHaveValue(/nope/);
  await field.fill("198.51.100.1");
  await field.press("Enter");
  await expect(field).toHaveAccessibleDescription(/at most 20 addresses/);
  await field.fill("");
  await addresses.getByRole("button", { name: "Remove ::/0" }).press("Enter");
  await expect(dialog.getByText("19/20")).toBeVisible();
  await expect(addresses.getByRole("button", { name: "Remove 192.0.2.0", exact: true })).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(keygate.dialog("Discard changes")).toBeVisible();
});

test("all that is wrong with a form is told at once", async ({ keygate, page }) => {
  const { id } = await keygate.defaultWorkspace();
  await keygate.openKeys(id);
  await page.getByRole("button", { name: /^Add API key \d/ }).click();
  const dialog = keygate.dialog("Add API key");
  await dialog.getByLabel("Description", { exact: true }).fill("Edge");
  await dialog.getByRole("radio", { name: "Custom" }).check();
  await dialog.getByLabel("Restrict addresses").check();
  await dialog.getByLabel("Restrict models").check();
  const field = dialog.getByLabel("Address or CIDR block");
  await field.fill("example.com");
  await dialog.getByRole("radio", { name: "Date and time" }).check();
  await page.keyboard.press("Control+Enter");
  await expect(field).toHaveAccessibleDescription(/Host names are not taken/);
  await expect(dialog.getByRole("button", { name: "Choose models" })).toHaveAccessibleDescription(/at least one model/);
  await expect(dialog.getByLabel("Expires on")).toHaveAccessibleDescription(/Choose a date and a time/);
  await expect(field).toBeFocused();
});

test("an address that is in the list already is not passed over in silence", async ({ keygate, page }) => {
  const { id } = await keygate.defaultWorkspace();
  await keygate.openKeys(id);
  await page.getByRole("button", { name: /^Add API key \d/ }).click();
  const dialog = keygate.dialog("Add API key");
  await dialog.getByRole("radio", { name: "Custom" }).check();
  await dialog.getByLabel("Restrict addresses").check();
  const field = dialog.getByLabel("Address or CIDR block");
  await field.fill("::ffff:10.0.0.1");
  await expect(field).toHaveAccessibleDescription("It is kept as 10.0.0.1. 0/20");
  await field.press("Enter");
  await field.fill("10.0.0.1/32");
  await field.press("Enter");
  await expect(field).toHaveValue("");
  await expect(field).toHaveAccessibleDescription("10.0.0.1 is already in the list. 1/20");
  await expect(dialog.getByRole("status").filter({ hasText: "10.0.0.1 is already in the list" })).toHaveCount(1);
  await field.pressSequentially("1");
  await expect(field).toHaveAccessibleDescription(/^Enter adds it/);
});

test("a key turns by itself when its time is over", async ({ keygate, page }) => {
  const { path } = await keyOf(keygate, page);
  const soon = () => new Date(Date.now() + 3_000).toISOString();
  await keygate.api("POST", `${path}/reset`, { overlap_seconds: 3 });
  expect((await keygate.api("PATCH", path, { expires_at: soon() })).status).toBe(200);
  await page.reload();
  const row = keygate.row("Nightly");
  await expect(row).toContainText("active");
  await expect(row).toContainText("Old secret works until");
  await expect(row).toContainText("Expires today, ");
  await expect(row).toContainText("expired");
  await expect(row).toContainText("Expired today, ");
  await expect(row).not.toContainText("Old secret");
});

test("a past expiry is refused, a coming one ends the key", async ({ keygate, page }) => {
  const key = await keyOf(keygate, page);
  await keygate.choose("Nightly", "Edit");
  const dialog = keygate.dialog("Edit API key");
  await dialog.getByRole("radio", { name: "Date and time" }).check();
  await dialog.getByRole("button", { name: "Save changes" }).click();
  await expect(dialog.getByLabel("Expires on")).toHaveAccessibleDescription(/Choose a date and a time/);
  await dialog.getByLabel("Expires on").fill("2020-01-01T10:00");
  await dialog.getByRole("button", { name: "Save changes" }).click();
  await expect(dialog.getByLabel("Expires on")).toBeFocused();
  await expect(dialog.getByLabel("Expires on")).toHaveAccessibleDescription(/this one is past.*Europe\/Berlin/);
  await dialog.getByLabel("Expires on").fill("2099-06-01T10:00");
  await dialog.getByRole("button", { name: "Save changes" }).click();
  await expect(dialog).toHaveCount(0);
  await expect(keygate.row("Nightly")).toContainText("Expires Jun 1, 2099");
  const { body } = await keygate.api("GET", key.path);
  expect(body.expires_at).toBe("2099-06-01T08:00:00.000Z");
  await keygate.choose("Nightly", "Edit");
  await expect(dialog.getByLabel("Expires on")).toHaveValue("2099-06-01T10:00");
  await dialog.getByRole("radio", { name: "Never" }).check();
  await page.keyboard.press("Control+Enter");
  await expect(keygate.row("Nightly")).not.toContainText("Expires");
});

test("a disabled key is refused until it is enabled", async ({ keygate, page }) => {
  const { secret } = await keyOf(keygate, page);
  expect(await call(keygate, secret)).toBe(200);
  await keygate.choose("Nightly", "Disable…");
  const dialog = keygate.dialog("Disable API key");
  await expect(dialog.getByRole("button", { name: "Cancel" })).toBeFocused();
  await dialog.getByRole("button", { name: "Disable API key" }).click();
  await expect(page.getByText("API key “Nightly” disabled")).toBeVisible();
  await expect(keygate.row("Nightly").getByText("disabled", { exact: true })).toBeVisible();
  expect(await call(keygate, secret)).toBe(401);
  await page.getByRole("button", { name: "Actions for Nightly" }).click();
  const temporary = page.getByRole("menuitem", { name: /^Temporary key…/ });
  await expect(temporary).toBeDisabled();
  await expect(temporary).toContainText("enable it first");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: /^Status/ }).click();
  await page.getByRole("menuitemradio", { name: "active", exact: true }).click();
  await expect(page).toHaveURL(/\?status=active$/);
  await expect(page.getByText("No API key found")).toBeVisible();
  await page.reload();
  await page.getByRole("button", { name: "Show all keys" }).click();
  await expect(page).toHaveURL(/api-keys$/);
  await keygate.choose("Nightly", "Enable");
  await expect(page.getByText("API key “Nightly” enabled")).toBeVisible();
  await expect(keygate.row("Nightly")).toContainText("active");
  expect(await call(keygate, secret)).toBe(200);
});

test("a reset key has another secret, and the old one may work for a while", async ({ keygate, page }) => {
  const { secret: first, id } = await keyOf(keygate, page);
  await keygate.choose("Nightly", "Reset…");
  const dialog = keygate.dialog("Reset API key");
  await expect(dialog.getByRole("button", { name: "Cancel" })).toBeFocused();
  await dialog.getByRole("button", { name: "Reset API key" }).click();
  const second = await takeSecret(keygate);
  expect(second).not.toBe(first);
  expect([await call(keygate, first), await call(keygate, second)]).toEqual([401, 200]);
  await expect(keygate.row("Nightly")).toContainText(id);

  await page.getByRole("button", { name: "Actions for Nightly" }).press("Enter");
  await page.keyboard.press("r");
  await page.keyboard.press("Enter");
  await dialog.getByRole("radio", { name: "Works for some minutes" }).check();
  await dialog.getByLabel("Minutes", { exact: true }).fill("2880");
  await page.keyboard.press("Enter");
  await expect(dialog.getByLabel("Minutes", { exact: true })).toHaveAccessibleDescription(/^1 to 1440, which is 24 hours. Give a whole number/);
  await dialog.getByLabel("Minutes", { exact: true }).fill("90");
  await page.keyboard.press("Enter");
  const third = await takeSecret(keygate);
  await expect(keygate.row("Nightly")).toContainText("Old secret works until");
  expect([await call(keygate, second), await call(keygate, third)]).toEqual([200, 200]);
  await keygate.choose("Nightly", "End overlap…");
  await keygate.dialog("End overlap").getByRole("button", { name: "End overlap" }).click();
  await expect(keygate.row("Nightly")).not.toContainText("Old secret");
  expect([await call(keygate, second), await call(keygate, third)]).toEqual([401, 200]);
  await page.getByRole("button", { name: "Actions for Nightly" }).click();
  await expect(page.getByRole("menuitem", { name: "End overlap…" })).toHaveCount(0);
});

test("a temporary key counts down and is wiped", async ({ keygate, page }) => {
  await keyOf(keygate, page);
  await keygate.choose("Nightly", "Temporary key…");
  const dialog = keygate.dialog("Temporary key");
  const seconds = dialog.getByLabel("Works for, in seconds");
  await expect(seconds).toBeFocused();
  await expect(seconds).toHaveValue("60");
  for (const bad of ["0", "1801", "abc"]) {
    await seconds.fill(bad);
    await page.keyboard.press("Enter");
    await expect(seconds).toHaveAccessibleDescription(/whole number of seconds from 1 to 1800/);
  }
  await dialog.getByRole("button", { name: "5 minutes" }).click();
  await expect(seconds).toHaveValue("300");
  await seconds.fill("3");
  await page.keyboard.press("Enter");
  const token = (await dialog.locator(".secret code").innerText()).trim();
  await dialog.getByRole("button", { name: "Copy the temporary key" }).click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(token);
  expect(await call(keygate, token)).toBe(200);
  await expect(dialog.locator(".ring")).toContainText("1 s");
  await expect(dialog.getByText("The temporary key is over")).toBeVisible();
  expect(await page.content()).not.toContain(token);
  await expect(dialog.getByRole("button", { name: "Create another" })).toBeFocused();
  await expect.poll(() => call(keygate, token)).toBe(401);
  await page.keyboard.press("Enter");
  await expect(seconds).toBeFocused();
  await page.keyboard.press("Enter");
  const another = (await dialog.locator(".secret code").innerText()).trim();
  expect(another).not.toBe(token);
  await page.keyboard.press("Escape");
  await expect(dialog).toHaveCount(0);
  expect(await page.content()).not.toContain(another);
});

test("Virginia has no custom permission and says why", async ({ keygate, page }) => {
  const { id } = await keygate.defaultWorkspace(VIRGINIA);
  await keygate.open(`/${VIRGINIA}/w/${id}/api-keys`);
  await expect(page.getByText("a member may own at most 20 keys")).toBeVisible();
  await page.getByRole("button", { name: /^Add API key \d/ }).click();
  const dialog = keygate.dialog("Add API key");
  await expect(dialog.getByText("Custom permission is not available in US (Virginia)")).toBeVisible();
  await expect(dialog.getByRole("radio", { name: "Custom" })).toHaveCount(0);
  await dialog.getByLabel("Description", { exact: true }).fill("East");
  await page.keyboard.press("Control+Enter");
  await takeSecret(keygate);
  await expect(keygate.row("East")).toContainText("All");
});

test("a refused address is told to the owner, who can let it in", async ({ keygate, page }) => {
  const { id } = await keygate.defaultWorkspace();
  const permission = { kind: "custom", ips: ["203.0.113.7"] };
  const { body } = await keygate.api("POST", `/regions/${REGION}/workspaces/${id}/api-keys`, { description: "Edge", permission });
  expect(await call(keygate, body.secret)).toBe(403);
  const seen = async () => (await keygate.api("GET", `/regions/${REGION}/workspaces/${id}/api-keys/${body.id}`)).body.last_refused?.address;
  await expect.poll(seen).toBe("127.0.0.1");
  await keygate.openKeys(id);
  await keygate.row("Edge").getByRole("button", { name: /^Custom/ }).click();
  const dialog = keygate.dialog("Edit API key");
  await expect(dialog.getByText(/Refused call from 127\.0\.0\.1, .* ago/)).toBeVisible();
  await dialog.getByRole("button", { name: "Add it to the list" }).click();
  await expect(dialog.getByText("It is in the list now.")).toBeVisible();
  await dialog.getByRole("button", { name: "Save changes" }).click();
  await expect(dialog).toHaveCount(0);
  await expect(keygate.row("Edge")).toContainText("2 addresses");
  expect(await call(keygate, body.secret)).toBe(200);
});

test("a model that the workspace lost is shown as such", async ({ keygate, page }) => {
  const { id, version } = await keygate.createWorkspace("Research");
  const grant = (model: string) => ({ model, rpm: 5, tpm: 5 });
  const path = `/regions/${REGION}/workspaces/${id}`;
  await keygate.api("PATCH", path, { grants: ["qwen-plus", "qwen-max"].map(grant), version });
  const permission = { kind: "custom", models: ["qwen-plus", "qwen-max"] };
  await keygate.api("POST", `${path}/api-keys`, { description: "Edge", permission });
  await keygate.api("PATCH", path, { grants: [grant("qwen-plus")] });
  await keygate.openKeys(id);
  await keygate.choose("Edge", "Edit");
  const models = keygate.dialog("Edit API key").getByRole("list", { name: "Models" });
  await expect(models.getByRole("listitem").filter({ hasText: "qwen-max" })).toContainText("may not call it any more");
  await expect(models.getByText("may not call it any more")).toHaveCount(1);
});

test.describe("a key that was deleted elsewhere", () => {
  test.use({ allowed: ["404"] });

  for (const [item, title] of [
    ["Disable…", "Disable API key"],
    ["Reset…", "Reset API key"],
    ["Edit", "Edit API key"],
  ] as const) {
    test(`is told of: ${title}`, async ({ keygate, page }) => {
      const { path } = await keyOf(keygate, page);
      await keygate.choose("Nightly", item);
      expect((await keygate.api("DELETE", path)).status).toBe(204);
      const dialog = keygate.dialog(title);
      if (item === "Edit") await dialog.getByLabel("Description", { exact: true }).fill("Nightly, later");
      await dialog.getByRole("button", { name: item === "Edit" ? "Save changes" : title }).click();
      const gone = keygate.dialog("The API key is deleted");
      await expect(gone).toContainText("Nightly was deleted in the meantime");
      await expect(dialog).toHaveCount(0);
      await gone.getByRole("button", { name: "Close" }).click();
      await expect(page.getByText("No API keys yet")).toBeVisible();
      await expect(page.getByRole("heading", { name: "API keys", exact: true })).toBeFocused();
    });
  }
});

test.describe("refusals", () => {
  test.use({ allowed: ["422"] });

  test("the server's errors land on their field", async ({ keygate, page }) => {
    const { id } = await keygate.defaultWorkspace();
    await page.route("**/api-keys", async (route) => {
      if (route.request().method() !== "POST") return route.fallback();
      const error = { code: "invalid_field", message: "No such address.", field: "permission.ips[1]", request_id: "req-1" };
      await route.fulfill({ status: 422, json: { error } });
    });
    await keygate.openKeys(id);
    await page.getByRole("button", { name: /^Add API key \d/ }).click();
    const dialog = keygate.dialog("Add API key");
    await dialog.getByLabel("Description", { exact: true }).fill("Edge");
    await dialog.getByRole("radio", { name: "Custom" }).check();
    await dialog.getByLabel("Restrict addresses").check();
    const field = dialog.getByLabel("Address or CIDR block");
    await field.fill("10.0.0.1");
    await field.press("Enter");
    await field.fill("2001:db8:1111:2222:3333:4444:5555:6666");
    await dialog.getByRole("button", { name: "Add API key" }).click();
    await expect(field).toBeFocused();
    await expect(field).toHaveAccessibleDescription(/“2001:db8:1111:2222:3333:4444:5555:6666”: No such address/);
    await expect(dialog.getByRole("alert")).toHaveCount(0);
  });
});

test("hostile words stay words", async ({ keygate, page }) => {
  const { id } = await keygate.defaultWorkspace();
  const words = ["<script>alert(1)</script>", "مفتاح الإنتاج للتطبيق الجديد ٣", "👩‍💻".repeat(20), "x".repeat(128)];
  for (const description of words) await keygate.createKey(id, description);
  for (const width of [1440, 1100, 1000, 861, 390, 360]) {
    await page.setViewportSize({ width, height: 844 });
    await keygate.openKeys(id);
    for (const description of words) await expect(page.getByText(description, { exact: true })).toBeVisible();
    const menu = await page.getByRole("button", { name: "Actions for <script>alert(1)</script>" }).boundingBox();
    expect(menu!.x + menu!.width, `menu, ${width} wide`).toBeLessThan(width - 12);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(overflow, `${width} wide`).toBeLessThanOrEqual(0);
  }
});
