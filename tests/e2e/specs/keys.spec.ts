// The life of a key: expiring, disabling, resetting, temporary keys of it, its end.

import { expect, REGION, test } from "../fixtures.ts";
import { call, keyOf, takeSecret } from "../keys.ts";

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
