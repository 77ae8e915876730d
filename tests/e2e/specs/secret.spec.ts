import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "../fixtures.ts";

test("after Done the secret is nowhere: not in the page, its storage, its history, the log or the database", async ({ keygate, page, server }) => {
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
  expect(await kept()).not.toContain(secret);
  await page.reload();
  await expect(keygate.row("Canary")).toBeVisible();
  expect(await kept()).not.toContain(secret);
  expect(answers.filter((text) => text.includes(secret))).toHaveLength(1);

  await server.stop();
  expect(server.log).not.toContain(secret);
  for (const name of await readdir(server.data, { recursive: true })) {
    const content = await readFile(path.join(server.data, name)).catch(() => Buffer.alloc(0));
    expect(content.includes(secret), name).toBe(false);
  }
});
