import OpenAI from "openai";
import { type Console, expect, type Page, REGION, test } from "../fixtures.ts";

type Grant = { model: string; rpm: number; tpm: number | null };

const grantsOf = async (keygate: Console, id: string) =>
  (await keygate.api("GET", `/regions/${REGION}/workspaces/${id}/model-grants`)).body.items as Grant[];

/** A workspace that may call these models a little. */
async function granted(keygate: Console, name: string, models: string[]) {
  const workspace = await keygate.createWorkspace(name);
  const grants = models.map((model) => ({ model, rpm: 5, tpm: model.startsWith("wan") ? null : 500 }));
  const { status } = await keygate.api("PATCH", `/regions/${REGION}/workspaces/${workspace.id}`, { grants });
  expect(status).toBe(200);
  return workspace;
}

async function openDrawer(keygate: Console, id: string) {
  await keygate.open(`/${REGION}/workspaces/${id}`);
  await expect(keygate.page.getByRole("dialog").getByRole("button", { name: "Add models" })).toBeVisible();
}

async function openSelector(keygate: Console) {
  await keygate.page.getByRole("button", { name: "Add models" }).click();
  const selector = keygate.dialog("Add models");
  await expect(selector.getByText(/^Page 1 of \d+$/)).toBeVisible();
  return selector;
}

async function filter(page: Page, label: string, value: RegExp) {
  await page.getByRole("button", { name: new RegExp(`^${label}: `) }).click();
  await page.getByRole("menuitemradio", { name: value }).click();
}

const limit = (page: Page, what: "Times" | "Tokens", model: string) => page.getByLabel(`${what} per minute, ${model}`, { exact: true });

test("models are chosen across pages and filters, limited, saved and read back", async ({ keygate, page }) => {
  const { id } = await granted(keygate, "Search team", ["qwen-plus"]);
  await openDrawer(keygate, id);
  const selector = await openSelector(keygate);
  const first = await selector.locator("tbody .main").first().innerText();
  await selector.getByRole("checkbox", { name: first, exact: true }).check();
  await expect(selector.getByText("1 selected", { exact: true })).toBeVisible();

  await filter(page, "Vendor", /^Qwen/);
  await expect(selector.locator("tbody td.vendor").first()).toHaveText("Qwen");
  for (let to = 2; to <= 7; to += 1) {
    await selector.getByRole("button", { name: "Next" }).click();
    await expect(selector.getByText(new RegExp(`^Page ${to} of`))).toBeVisible();
  }
  await expect(selector.locator("table")).toHaveAttribute("aria-busy", "false");
  const far = await selector.locator("tbody tr:not(.taken) .main").last().innerText();
  await selector.getByRole("row").filter({ hasText: far }).last().click();
  await expect(selector.getByText("2 selected, 1 on another page")).toBeVisible();

  await filter(page, "Vendor", /^Wan/);
  const all = selector.getByRole("button", { name: /^Select all \d+ results$/ });
  await expect(all).toHaveText("Select all 13 results");
  await all.click();
  await expect(selector.getByRole("button", { name: "Clear selection" })).toBeVisible();
  await expect(selector.getByRole("button", { name: /^Select \(15\)/ })).toBeVisible();
  const dropped = await selector.locator("tbody .main").nth(2).innerText();
  await selector.getByRole("checkbox", { name: dropped, exact: true }).uncheck();
  await selector.getByRole("button", { name: "Show selected" }).click();
  await expect(selector.locator("tbody tr")).toHaveCount(10);
  await expect(selector.getByText("1–10 of 14")).toBeVisible();
  await selector.getByRole("button", { name: "Show all" }).click();
  await selector.getByLabel("Search models").fill("qwen-plus");
  await filter(page, "Vendor", /^Any/);
  const held = selector.getByRole("checkbox", { name: "qwen-plus", exact: true });
  await expect(held).toBeChecked();
  await expect(held).toBeDisabled();
  await selector.getByRole("button", { name: /^Select \(14\)/ }).click();
  await expect(selector).toHaveCount(0);
  await expect(page.getByRole("button", { name: "Add models" })).toBeFocused();

  const drawer = keygate.dialog("Search team");
  await expect(drawer.getByText("15 models", { exact: true })).toBeVisible();
  await expect(drawer.getByText("14 unsaved changes")).toBeVisible();
  await drawer.getByLabel("Filter granted models").fill(far);
  await expect(drawer.getByText("new", { exact: true })).toHaveCount(1);
  await limit(page, "Times", far).fill("7");
  await drawer.getByLabel("Filter granted models").fill("qwen-plus");
  await limit(page, "Tokens", "qwen-plus").fill("1 234");
  await drawer.getByLabel("Workspace name").fill("Search squad");
  await expect(drawer.getByText("16 unsaved changes")).toBeVisible();
  await drawer.getByRole("button", { name: "Save changes" }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(page.getByText("Workspace “Search squad” saved")).toBeVisible();
  await expect(keygate.row("Search squad")).toContainText("15 models");

  await openDrawer(keygate, id);
  await page.reload();
  await expect(page.getByText("15 models", { exact: true }).last()).toBeVisible();
  const grants = await grantsOf(keygate, id);
  expect(grants).toHaveLength(15);
  expect(grants.find((g) => g.model === far)?.rpm).toBe(7);
  expect(grants.find((g) => g.model === "qwen-plus")?.tpm).toBe(1234);
  expect(grants.map((g) => g.model)).toEqual(expect.arrayContaining([first, far]));
  expect(grants.map((g) => g.model)).not.toContain(dropped);
});

test("a limit over the account's is told at its field, on whichever page that is", async ({ keygate, page }) => {
  const models = (await keygate.api("GET", `/regions/${REGION}/models?type=text&page_size=12`)).body.items.map((m: any) => m.id);
  const { id } = await granted(keygate, "Support", models);
  await openDrawer(keygate, id);
  await page.getByRole("button", { name: "Next" }).click();
  const tokens = limit(page, "Tokens", models[11]);
  await tokens.fill("99999999999");
  await page.getByRole("button", { name: "Previous" }).click();
  await expect(tokens).toHaveCount(0);
  await page.getByRole("button", { name: "Save changes" }).click();
  await expect(tokens).toBeFocused();
  await expect(tokens).toHaveAccessibleDescription(/Enter at most \d+, the limit of the account\..*max/);
  await tokens.fill("1.5");
  await expect(tokens).not.toHaveAttribute("aria-invalid");
  await page.keyboard.press("Enter");
  await expect(tokens).toHaveAccessibleDescription(/Enter a whole number/);
  await tokens.fill("600");
  await page.keyboard.press("Control+Enter");
  await expect(page.getByRole("dialog")).toHaveCount(0);
});

test.describe("refusals", () => {
  test.use({ allowed: ["409", "422"] });

  test("what the server refuses lands on its field", async ({ keygate, page }) => {
    const models = (await keygate.api("GET", `/regions/${REGION}/models?type=text&page_size=12`)).body.items.map((m: any) => m.id);
    const { id } = await granted(keygate, "Support", models);
    await openDrawer(keygate, id);
    await limit(page, "Times", models[1]).fill("4");
    await page.route("**/workspaces/ws-*", async (route) => {
      if (route.request().method() !== "PATCH") return route.continue();
      const sent = route.request().postDataJSON();
      expect(Object.keys(sent).sort(), "only what is changed").toEqual(["grants", "version"]);
      sent.grants[11].rpm = 999_999_999;
      await route.continue({ postData: JSON.stringify(sent) });
    });
    await page.getByRole("button", { name: "Save changes" }).click();
    const times = limit(page, "Times", models[11]);
    await expect(times).toBeFocused();
    await expect(times).toHaveAccessibleDescription(/Enter at most/);
    await expect(page.getByRole("alert"), "it is told once").toHaveCount(0);
    await page.unroute("**/workspaces/ws-*");
    await times.fill("6");
    await page.keyboard.press("Enter");
    await expect(page.getByRole("dialog")).toHaveCount(0);
    expect((await grantsOf(keygate, id)).map((g) => g.rpm)).toEqual([5, 4, ...Array(9).fill(5), 6]);
  });

  test("someone else's grants and one's own come together", async ({ keygate, page }) => {
    const { id } = await granted(keygate, "Support", ["qwen-plus", "qwen-max", "qwen-turbo"]);
    await openDrawer(keygate, id);
    await limit(page, "Times", "qwen-plus").fill("9");
    const theirs = [{ model: "qwen-plus", rpm: 5, tpm: 500 }, { model: "qwen-flash", rpm: 3, tpm: 3 }, { model: "qwen-turbo", rpm: 2, tpm: 2 }];
    await keygate.api("PATCH", `/regions/${REGION}/workspaces/${id}`, { grants: theirs });
    await page.getByRole("button", { name: "Save changes" }).click();
    await expect(page.getByRole("alert")).toContainText("changed elsewhere");
    await expect(limit(page, "Times", "qwen-flash")).toHaveValue("3");
    await expect(limit(page, "Times", "qwen-plus")).toHaveValue("9");
    await expect(limit(page, "Times", "qwen-turbo")).toHaveValue("2");
    await expect(page.getByText("1 unsaved change", { exact: true })).toBeVisible();
    await expect(limit(page, "Times", "qwen-max")).toHaveCount(0);
    await page.getByRole("button", { name: "Save changes" }).click();
    await expect(page.getByRole("dialog")).toHaveCount(0);
    expect((await grantsOf(keygate, id)).map((g) => [g.model, g.rpm])).toEqual([["qwen-flash", 3], ["qwen-plus", 9], ["qwen-turbo", 2]]);
  });
});

test("models are chosen and saved without a pointer", async ({ keygate, page }) => {
  const { id } = await granted(keygate, "Keyboard", []);
  await openDrawer(keygate, id);
  const add = page.getByRole("button", { name: "Add models" });
  await add.focus();
  await page.keyboard.press("Enter");
  const selector = keygate.dialog("Add models");
  await expect(selector.getByText(/^Page 1 of/)).toBeVisible();
  await expect(selector.getByLabel("Search models")).toBeFocused();
  const names = await selector.locator("tbody .main").allInnerTexts();
  const box = (name: string) => selector.getByRole("checkbox", { name, exact: true });

  await page.keyboard.press("Enter");
  await expect(box(names[0])).toBeFocused();
  await page.keyboard.press("Space");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Space");
  await page.keyboard.press("Shift+ArrowDown");
  await page.keyboard.press("Shift+ArrowDown");
  for (const i of [0, 2, 3, 4]) await expect(box(names[i])).toBeChecked();
  await expect(selector.getByRole("status").filter({ hasText: "4 selected" })).toBeVisible();
  await page.keyboard.press("PageDown");
  await expect(selector.getByText("4 selected, 4 on other pages")).toBeVisible();
  await expect(selector.locator("tbody tr").nth(4).getByRole("checkbox"), "the focus keeps its place").toBeFocused();
  await expect(selector.locator("table")).toHaveAttribute("aria-busy", "false");
  await page.keyboard.press("Home");
  await page.keyboard.press("Space");
  await page.keyboard.press("PageUp");
  await expect(box(names[0])).toBeFocused();
  await page.keyboard.press("/");
  await expect(selector.getByLabel("Search models")).toBeFocused();
  await page.keyboard.type("text-embedding-v4");
  await expect(selector.locator("tbody tr")).toHaveCount(1);
  await page.keyboard.press("Enter");
  await expect(box("text-embedding-v4")).toBeFocused();
  await page.keyboard.press("Space");
  await page.keyboard.press("Control+Enter");
  await expect(selector).toHaveCount(0);
  await expect(add).toBeFocused();

  await expect(page.getByText("6 unsaved changes")).toBeVisible();
  await limit(page, "Times", "text-embedding-v4").focus();
  await page.keyboard.press("Control+A");
  await page.keyboard.type("11");
  await page.keyboard.press("Control+Enter");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  const grants = await grantsOf(keygate, id);
  expect(grants).toHaveLength(6);
  expect(grants.find((g) => g.model === "text-embedding-v4")?.rpm).toBe(11);
});

test("a range is chosen with Shift and the pointer", async ({ keygate, page }) => {
  const { id } = await granted(keygate, "Ranges", []);
  await openDrawer(keygate, id);
  const selector = await openSelector(keygate);
  const boxes = selector.locator("tbody").getByRole("checkbox");
  await boxes.nth(1).click();
  await boxes.nth(6).click({ modifiers: ["Shift"] });
  await expect(selector.getByText("6 selected", { exact: true })).toBeVisible();
  await boxes.nth(4).click();
  await boxes.nth(6).click({ modifiers: ["Shift"] });
  await expect(selector.getByText("3 selected", { exact: true })).toBeVisible();
  await expect(boxes.nth(6)).not.toBeChecked();
  const page1 = selector.getByRole("checkbox", { name: "Select this page" });
  expect(await page1.evaluate((box: HTMLInputElement) => box.indeterminate)).toBe(true);
  await page1.click();
  await expect(selector.getByText("10 selected", { exact: true })).toBeVisible();
  await page1.click();
  await expect(selector.getByText("Nothing selected")).toBeVisible();
});

test("removing a model in use is confirmed with what it does", async ({ keygate, page }) => {
  const { id } = await granted(keygate, "Busy", ["qwen-plus", "qwen-max", "qwen-flash"]);
  const { secret } = await keygate.createKey(id, "Nightly");
  const { body } = await keygate.api("GET", "/regions");
  const baseURL = body.items.find((r: any) => r.id === REGION).endpoints.find((e: any) => e.protocol === "openai").base_url;
  const client = new OpenAI({ apiKey: secret, baseURL, maxRetries: 0 });
  const ask = { model: "qwen-plus", messages: [{ role: "user" as const, content: "Hello" }] };
  await keygate.callModel(id, secret, ask.model);

  await openDrawer(keygate, id);
  await page.getByRole("button", { name: "Remove qwen-max" }).click();
  await expect(keygate.row("qwen-max").last()).toContainText("removed");
  await page.getByRole("button", { name: "Put back qwen-max" }).click();
  await page.getByRole("button", { name: "Remove qwen-max" }).click();
  await page.getByRole("button", { name: "Remove qwen-plus" }).click();
  await limit(page, "Times", "qwen-flash").fill("2");
  const save = page.getByRole("button", { name: "Save changes" });
  await save.click();
  const confirm = keygate.dialog("Remove models and save");
  await expect(confirm.getByRole("button", { name: "Cancel" })).toBeFocused();
  await expect(confirm.getByRole("listitem").filter({ hasText: "qwen-plus" })).toContainText(/last called \d+ (second|minute)s? ago/);
  await expect(confirm).toContainText("fail at once with 403");
  await expect(confirm).toContainText("Removes 1 model not called in the last day");
  await expect(confirm).toContainText("Changes the limits of 1 model");
  await page.keyboard.press("Enter");
  await expect(confirm).toHaveCount(0);
  expect(await grantsOf(keygate, id)).toHaveLength(3);

  await save.click();
  await confirm.getByRole("button", { name: "Remove models and save" }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(keygate.row("Busy")).toContainText("1 model");
  await expect(client.chat.completions.create(ask)).rejects.toMatchObject({ status: 403 });
  await client.chat.completions.create({ ...ask, model: "qwen-flash" });
});

test("changed grants are kept until they are discarded on purpose", async ({ keygate, page }) => {
  const { id } = await granted(keygate, "Research", ["qwen-plus"]);
  await keygate.open(`/${REGION}/workspaces`);
  await page.getByRole("link", { name: "Research", exact: true }).click();
  const times = limit(page, "Times", "qwen-plus");
  await times.fill("4");
  const leave = [() => page.keyboard.press("Escape"), () => page.goBack(), () => page.getByRole("button", { name: "Close" }).first().click()];
  for (const way of leave) {
    await way();
    await expect(keygate.dialog("Discard changes").getByRole("button", { name: "Keep editing" })).toBeFocused();
    await page.keyboard.press("Escape");
    await expect(page).toHaveURL(new RegExp(`/workspaces/${id}$`));
    await expect(times).toHaveValue("4");
  }
  const asked = page.waitForEvent("dialog");
  await page.evaluate(() => void setTimeout(() => location.reload()));
  const question = await asked;
  expect(question.type()).toBe("beforeunload");
  await question.dismiss();
  await expect(times).toHaveValue("4");

  const selector = await openSelector(keygate);
  await selector.locator("tbody").getByRole("checkbox").first().check();
  await page.keyboard.press("Escape");
  await expect(keygate.dialog("Discard changes")).toBeVisible();
  await page.getByRole("button", { name: "Discard changes" }).click();
  await expect(selector).toHaveCount(0);
  await expect(times).toHaveValue("4");

  await page.getByRole("button", { name: "Discard", exact: true }).click();
  await expect(times).toHaveValue("5");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
});

test("the default workspace may call everything, and only its name changes", async ({ keygate, page }) => {
  const { id } = await keygate.defaultWorkspace();
  await keygate.open(`/${REGION}/workspaces/${id}`);
  const drawer = keygate.dialog("Default workspace");
  await expect(drawer).toContainText("every model of the region");
  await expect(drawer.getByRole("button", { name: "Add models" })).toHaveCount(0);
  await drawer.getByLabel("Workspace name").fill("Everything");
  await drawer.getByRole("button", { name: "Save changes" }).click();
  await expect(keygate.row("Everything")).toContainText("All models");
});

test("the models page shows what a workspace may call, and how", async ({ keygate, page }) => {
  await granted(keygate, "Empty", []);
  const { id } = await granted(keygate, "Search team", ["qwen-plus", "text-embedding-v4", "wan2.6-t2i"]);
  await page.reload();
  await page.getByRole("link", { name: "Models", exact: true }).click();
  await expect(page.getByRole("heading", { name: "Models", exact: true })).toBeFocused();
  await expect(page.getByText("102 models")).toBeVisible();
  await page.getByRole("searchbox").fill("qwen3");
  await filter(page, "Type", /^Vision/);
  await expect(page).toHaveURL(/\?q=qwen3&type=vision$/);
  await expect(page.getByText(/\d models found/)).toBeVisible();
  await page.reload();
  await expect(page.getByRole("button", { name: "Type: Vision" })).toBeVisible();
  await expect(page.getByRole("searchbox")).toHaveValue("qwen3");
  await page.getByRole("button", { name: "Copy model name" }).first().click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(/^qwen3/);

  await page.getByRole("button", { name: /^Workspace/ }).click();
  await page.getByRole("option", { name: /Search team/ }).click();
  await expect(page).toHaveURL(new RegExp(`/w/${id}/models$`));
  await expect(page.getByText("3 models", { exact: true })).toBeVisible();
  const row = keygate.row("qwen-plus");
  await expect(row).toContainText(/5of [\d,]+/);
  await expect(keygate.row("wan2.6-t2i")).toContainText("not metered");

  await row.getByRole("link", { name: "qwen-plus", exact: true }).click();
  await expect(page).toHaveURL(/models\?model=qwen-plus$/);
  const details = keygate.dialog("qwen-plus");
  await expect(details).toContainText("5 of the account's");
  await expect(details.getByRole("table", { name: "Prices" })).toContainText("Input tokens");
  await details.getByRole("tab", { name: "Python" }).click();
  await expect(details.getByRole("tabpanel")).toContainText('model="qwen-plus"');
  await details.getByRole("button", { name: "Copy the code" }).click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toContain("client.chat.completions.create");
  await page.reload();
  await expect(details).toBeVisible();
  await page.goBack();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await keygate.open(`/${REGION}/w/${id}/models?q=wan&model=text-embedding-v4`);
  await expect(keygate.dialog("text-embedding-v4").getByRole("tabpanel")).toContainText("/embeddings");
  await page.keyboard.press("Escape");
  await expect(page).toHaveURL(/\?q=wan$/);

  await page.getByRole("button", { name: /^Workspace/ }).click();
  await page.getByRole("option", { name: /Empty/ }).click();
  await expect(page.getByText("No models granted yet")).toBeVisible();
  await page.getByRole("link", { name: "Add models" }).click();
  await expect(keygate.dialog("Empty").getByRole("button", { name: "Add models" })).toBeVisible();
});

test("on a phone models are granted and read", async ({ keygate, page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  const { id } = await granted(keygate, "Phone", ["qwen-plus", "wan2.6-t2i"]);
  const fits = async () => expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
  await openDrawer(keygate, id);
  await limit(page, "Times", "qwen-plus").fill("4");
  await fits();
  const selector = await openSelector(keygate);
  await selector.getByRole("checkbox", { name: "Select this page" }).check();
  await selector.getByRole("button", { name: "Next" }).click();
  await expect(selector.getByText("10 selected, 10 on other pages")).toBeVisible();
  expect(await selector.evaluate((dialog) => dialog.scrollWidth - dialog.clientWidth)).toBeLessThanOrEqual(0);
  await selector.getByRole("button", { name: /^Select \(10\)/ }).click();
  await page.getByRole("button", { name: "Save changes" }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await keygate.open(`/${REGION}/w/${id}/models`);
  await expect(page.getByText("12 models", { exact: true })).toBeVisible();
  await fits();
  await page.getByRole("link", { name: "qwen-plus", exact: true }).click();
  await expect(keygate.dialog("qwen-plus")).toBeVisible();
  await fits();
});
