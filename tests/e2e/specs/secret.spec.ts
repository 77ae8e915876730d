import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "../fixtures.ts";

test("after Done no secret is anywhere: not in the page, its storage, its history, the log or the database", async ({ keygate, page, server }) => {
  const answers: string[] = [];
  page.on("response", async (response) => {
    if (response.url().includes("/console/v1/")) answers.push(await response.text().catch(() => ""));
  });
  const { id } = await keygate.defaultWorkspace();
  await keygate.openKeys(id);
  await page.getByRole("button", { name: /^Add API key \d/ }).click();
  await page.getByLabel("Description", { exact: true }).fill("Canary");
  await page.keyboard.press("Enter");
  const created = keygate.dialog("Save your API key");
  const secret = (await created.locator(".secret code").innerText()).trim();
  await created.getByRole("tab", { name: "Environment" }).click();
  await created.getByLabel("I have saved this key").check();
  await created.getByRole("button", { name: "Done" }).click();
  await expect(created).toHaveCount(0);
  const secrets = [secret];
  await keygate.choose("Canary", "Temporary key…");
  await page.keyboard.press("Enter");
  const temporary = keygate.dialog("Temporary key");
  secrets.push((await temporary.locator(".secret code").innerText()).trim());
  await temporary.getByRole("button", { name: "Close" }).click();
  await expect(temporary).toHaveCount(0);
  await keygate.choose("Canary", "Reset…");
  await page.getByRole("radio", { name: "Works for 1 hour" }).check();
  await page.getByRole("button", { name: "Reset API key" }).click();
  secrets.push((await created.locator(".secret code").innerText()).trim());
  await created.getByLabel("I have saved this key").check();
  await created.getByRole("button", { name: "Done" }).click();
  await expect(created).toHaveCount(0);
  expect(new Set(secrets).size).toBe(3);

  const kept = async () =>
    page.evaluate(async () => {
      const databases = await indexedDB.databases();
      const caches = "caches" in window ? await window.caches.keys() : [];
      const fields = [...document.querySelectorAll("input, textarea")].map((field) => (field as HTMLInputElement).value);
      return JSON.stringify({
        dom: document.documentElement.outerHTML,
        fields,
        local: { ...localStorage },
        session: { ...sessionStorage },
        history: history.state,
        url: location.href,
        title: document.title,
        cookie: document.cookie,
        databases,
        caches,
      });
    });
  // Drawn from the cache of queries, which holds no secret either.
  await page.getByRole("link", { name: "Models", exact: true }).click();
  await page.getByRole("link", { name: "API keys", exact: true }).click();
  await expect(keygate.row("Canary")).toBeVisible();
  const before = await kept();
  await page.reload();
  await expect(keygate.row("Canary")).toBeVisible();
  const after = await kept();
  await server.stop();
  for (const secret of secrets) {
    expect(before).not.toContain(secret);
    expect(after).not.toContain(secret);
    expect(answers.filter((text) => text.includes(secret))).toHaveLength(1);
    expect(server.log).not.toContain(secret);
  }
  for (const name of await readdir(server.data, { recursive: true })) {
    const content = await readFile(path.join(server.data, name)).catch(() => Buffer.alloc(0));
    for (const secret of secrets) expect(content.includes(secret), name).toBe(false);
  }
});
