import OpenAI from "openai";
import { Console, expect, type Page, REGION, test } from "../fixtures.ts";
import { Server } from "../server.ts";

/** Adds a key by hand and gives what was shown. */
async function addKey(keygate: Console, page: Page, description: string): Promise<string> {
  await page.getByRole("button", { name: /^Add API key \d/ }).click();
  const dialog = keygate.dialog("Add API key");
  await dialog.getByLabel("Description", { exact: true }).fill(description);
  await dialog.getByRole("button", { name: "Add API key" }).click();
  const created = keygate.dialog("Save your API key");
  await expect(created).toContainText(description);
  return (await created.locator(".secret code").innerText()).trim();
}

async function baseUrl(keygate: Console, region = REGION): Promise<string> {
  const { body } = await keygate.api("GET", "/regions");
  const found = body.items.find((r: any) => r.id === region);
  return found.endpoints.find((e: any) => e.protocol === "openai").base_url;
}

test("a key made in the browser calls a model until it is deleted", async ({ keygate, page }) => {
  await page.getByRole("link", { name: "API keys", exact: true }).click();
  await expect(page.getByText("No API keys yet")).toBeVisible();
  const secret = await addKey(keygate, page, "Nightly evaluation");
  expect(secret).toMatch(/^sk-kg-\w{61}$/);
  const created = keygate.dialog("Save your API key");
  await created.getByRole("button", { name: "Copy the API key" }).click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(secret);
  await created.getByRole("button", { name: "Done" }).click();
  await expect(created).toHaveCount(0);
  await expect(keygate.row("Nightly evaluation")).toContainText("active");
  await expect(page.getByText("1 of 20 keys in this workspace")).toBeVisible();

  const client = new OpenAI({ apiKey: secret, baseURL: await baseUrl(keygate), maxRetries: 0 });
  const ask = { model: "qwen-plus", messages: [{ role: "user" as const, content: "Hello" }] };
  const completion = await client.chat.completions.create(ask);
  const answer = completion.choices[0].message.content;
  expect(answer).toBeTruthy();
  expect(completion.usage?.total_tokens).toBeGreaterThan(0);
  let streamed = "";
  for await (const chunk of await client.chat.completions.create({ ...ask, stream: true })) {
    streamed += chunk.choices[0]?.delta?.content ?? "";
  }
  expect(streamed).toBe(answer);
  const elsewhere = new OpenAI({ apiKey: secret, baseURL: await baseUrl(keygate, "us-east-1"), maxRetries: 0 });
  await expect(elsewhere.chat.completions.create(ask)).rejects.toMatchObject({ status: 401 });

  await keygate.choose("Nightly evaluation", "Delete…");
  const remove = keygate.dialog("Delete API key");
  await expect(remove.getByRole("button", { name: "Cancel" })).toBeFocused();
  await remove.getByLabel("Type the description to confirm").fill("Nightly evaluation");
  await remove.getByRole("button", { name: "Delete API key" }).click();
  await expect(page.getByText("API key “Nightly evaluation” deleted")).toBeVisible();
  await expect(client.chat.completions.create(ask)).rejects.toMatchObject({ status: 401 });
  await expect(page.getByText("No API keys yet")).toBeVisible();
});

test("a key of a workspace without models is refused, and the console says so beforehand", async ({ keygate, page }) => {
  const { id } = await keygate.createWorkspace("Empty");
  await keygate.openKeys(id);
  const secret = await addKey(keygate, page, "ci");
  await expect(page.getByText("This workspace may call no model yet")).toBeVisible();
  await page.getByLabel("I have saved this key").check();
  await page.keyboard.press("Control+Enter");
  const client = new OpenAI({ apiKey: secret, baseURL: await baseUrl(keygate), maxRetries: 0 });
  const call = client.chat.completions.create({ model: "qwen-plus", messages: [{ role: "user", content: "Hello" }] });
  await expect(call).rejects.toMatchObject({ status: 403 });
});

test("the secret's dialog closes only once the key is saved", async ({ keygate, page }) => {
  await page.getByRole("link", { name: "API keys", exact: true }).click();
  await addKey(keygate, page, "Staging");
  const created = keygate.dialog("Save your API key");
  const done = created.getByRole("button", { name: "Done" });
  const why = created.getByText("Copy or download the key, or tick");
  await expect(done).toBeDisabled();
  const tries = [
    () => done.press("Enter"),
    () => page.keyboard.press("Escape"),
    () => page.keyboard.press("Escape"),
    () => page.mouse.click(5, 5),
    () => page.goBack(),
  ];
  for (const attempt of tries) {
    await attempt();
    await expect(why).toBeVisible();
    await expect(created).toBeVisible();
  }
  await expect(page).toHaveURL(/\/api-keys$/);
  const download = page.waitForEvent("download");
  await created.getByRole("button", { name: /\.env/ }).click();
  const file = await download;
  expect(file.suggestedFilename()).toMatch(/^key-\w+\.env$/);
  await expect(done).toBeEnabled();
  await done.click();
  await expect(created).toHaveCount(0);
});

test("the snippets name this region's address and never the secret", async ({ keygate, page }) => {
  const beijing = await keygate.defaultWorkspace("cn-beijing");
  await keygate.open(`/cn-beijing/w/${beijing.id}/api-keys`);
  const secret = await addKey(keygate, page, "Snippets");
  const created = keygate.dialog("Save your API key");
  const url = await baseUrl(keygate, "cn-beijing");
  for (const tab of ["curl", "Python", "Node.js"]) {
    await created.getByRole("tab", { name: tab }).click();
    await expect(created.getByRole("tabpanel")).toContainText(url);
    await expect(created.getByRole("tabpanel")).not.toContainText(secret);
  }
  await page.keyboard.press("End");
  await expect(created.getByRole("tabpanel")).toContainText(`KEYGATE_API_KEY=${secret}`);
  await created.getByRole("button", { name: "Copy the code" }).click();
  await expect(created.getByRole("button", { name: "Done" })).toBeEnabled();
});

test("a key is described anew and found", async ({ keygate, page }) => {
  const { id } = await keygate.defaultWorkspace();
  for (const description of ["Production", "Staging", "Notebook"]) await keygate.createKey(id, description);
  await keygate.openKeys(id);
  await keygate.choose("Staging", "Edit");
  const dialog = keygate.dialog("Edit API key");
  await dialog.getByLabel("Description", { exact: true }).fill("Staging, Berlin");
  await page.keyboard.press("Control+Enter");
  await expect(dialog).toHaveCount(0);
  await expect(page.getByRole("button", { name: "Actions for Staging, Berlin" })).toBeFocused();
  await page.getByRole("searchbox").fill("berlin");
  await expect(keygate.row("Production")).toHaveCount(0);
  await expect(keygate.row("Staging, Berlin")).toBeVisible();
  await page.getByRole("searchbox").fill("nothing like it");
  await expect(page.getByText("No API key found")).toBeVisible();
  await page.reload();
  await expect(page.getByRole("searchbox")).toHaveValue("nothing like it");
});

test.describe("when the answer to a new key is lost", () => {
  test.use({ allowed: ["ERR_FAILED"] });

  test("trying again makes no second key, and says that the secret is lost", async ({ keygate, page }) => {
    await page.getByRole("link", { name: "API keys", exact: true }).click();
    let lost = false;
    await page.route("**/api-keys", async (route) => {
      if (route.request().method() !== "POST" || lost) return route.fallback();
      lost = true;
      await route.fetch();
      await route.abort();
    });
    await page.getByRole("button", { name: /^Add API key \d/ }).click();
    const dialog = keygate.dialog("Add API key");
    await dialog.getByLabel("Description", { exact: true }).fill("Once");
    await dialog.getByRole("button", { name: "Add API key" }).click();
    await expect(dialog.getByRole("alert")).toContainText("Keygate does not answer");
    await dialog.getByRole("button", { name: "Add API key" }).click();
    await expect(page.getByRole("dialog", { name: "The key was created, its secret is lost" })).toBeVisible();
    await page.getByRole("button", { name: "Close" }).click();
    await expect(page.getByRole("button", { name: "Actions for Once" })).toHaveCount(1);
  });
});

test.describe("refusals", () => {
  test.use({ allowed: ["409"] });

  test("someone else's description is shown and what was typed is kept", async ({ keygate, page }) => {
    const { id } = await keygate.defaultWorkspace();
    const key = await keygate.createKey(id, "Batch");
    await keygate.openKeys(id);
    await keygate.choose("Batch", "Edit");
    const path = `/regions/${REGION}/workspaces/${id}/api-keys/${key.id}`;
    expect((await keygate.api("PATCH", path, { description: "Batch jobs", version: key.version })).status).toBe(200);
    const dialog = keygate.dialog("Edit API key");
    await dialog.getByLabel("Description", { exact: true }).fill("Batch, nightly");
    await dialog.getByRole("button", { name: "Save changes" }).click();
    await expect(dialog.getByRole("alert")).toContainText("The description is now Batch jobs");
    await dialog.getByRole("button", { name: "Save changes" }).click();
    await expect(keygate.row("Batch, nightly")).toBeVisible();
  });
});

test("at the limit the page says why no more can be added", async ({ keygate, page }) => {
  const { id } = await keygate.defaultWorkspace();
  for (let i = 0; i < 20; i += 1) await keygate.createKey(id, `Key ${i}`);
  await keygate.openKeys(id);
  const add = page.getByRole("button", { name: /^Add API key \d/ });
  await expect(add).toContainText("20/20");
  await expect(add).toBeDisabled();
  await expect(add).toHaveAccessibleDescription(/at most 20 keys/);
});

test.describe("where a region or an owner has few keys", () => {
  test.use({
    server: async ({}, use) => {
      const few = (id: string, limits: string) => `[[regions]]\nid = "${id}"\nlimits = { ${limits} }\n`;
      const regions = few(REGION, "keys_per_region = 2") + few("us-east-1", "keys_per_owner = 1");
      const server = await Server.start(regions, 2);
      await use(server);
      await server.remove();
    },
  });

  test("the limit is told before a key is described", async ({ keygate, page }) => {
    const { id } = await keygate.defaultWorkspace();
    const other = await keygate.createWorkspace("Other");
    const add = page.getByRole("button", { name: /^Add API key/ }).first();
    await keygate.createKey(other.id, "one");
    await keygate.openKeys(id);
    await expect(page.getByText("No API keys yet")).toBeVisible();
    await expect(add).toBeEnabled();
    await keygate.createKey(other.id, "two");
    await page.reload();
    for (const button of await page.getByRole("button", { name: /^Add API key/ }).all()) {
      await expect(button).toBeDisabled();
      await expect(button).toHaveAccessibleDescription(/This region holds at most 2 keys/);
    }
    await add.click({ force: true });
    await expect(keygate.dialog("Add API key")).toHaveCount(0);

    const virginia = await keygate.defaultWorkspace("us-east-1");
    await keygate.open(`/us-east-1/w/${virginia.id}/api-keys`);
    await addKey(keygate, page, "Mine");
    await page.getByLabel("I have saved this key").check();
    await page.getByRole("button", { name: "Done" }).click();
    await expect(keygate.row("Mine")).toBeVisible();
    await expect(add).toBeDisabled();
    await expect(add).toHaveAccessibleDescription(/A member may own at most 1 key in this region/);
  });
});
