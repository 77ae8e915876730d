// What a key may do, as it is typed: its addresses, its models, its end.

import { type Console, expect, type Page, test } from "../fixtures.ts";
import { call, takeSecret } from "../keys.ts";

const VIRGINIA = "us-east-1";

/** Opens the form of another key of the default workspace. */
async function openForm(keygate: Console, page: Page) {
  const { id } = await keygate.defaultWorkspace();
  await keygate.openKeys(id);
  await page.getByRole("button", { name: /^Add API key \d/ }).click();
  return { id, dialog: keygate.dialog("Add API key") };
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
  const { dialog } = await openForm(keygate, page);
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
  const { dialog } = await openForm(keygate, page);
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
  const { dialog } = await openForm(keygate, page);
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
