import { expect, type Page, test } from "../fixtures.ts";

/** Presses Tab until what has the focus is called so. */
async function tabTo(page: Page, name: string | RegExp, role: "button" | "link" | "checkbox" = "button") {
  const goal = page.getByRole(role, { name }).last();
  for (let i = 0; i < 60; i += 1) {
    if (await goal.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`${name} is out of Tab's reach`);
}

test("a key is made, saved and deleted without a pointer", async ({ keygate, page }) => {
  await tabTo(page, "API keys", "link");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "API keys", exact: true })).toBeFocused();

  await tabTo(page, /^Add API key/);
  await page.keyboard.press("Enter");
  await expect(page.getByLabel("Description", { exact: true })).toBeFocused();
  await page.keyboard.type("Keyboard");
  await page.keyboard.press("Enter");
  await expect(keygate.dialog("Save your API key")).toBeVisible();
  await tabTo(page, "I have saved this key", "checkbox");
  await page.keyboard.press("Space");
  await tabTo(page, "Done");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(keygate.row("Keyboard")).toBeVisible();

  const actions = page.getByRole("button", { name: "Actions for Keyboard" });
  await tabTo(page, "Actions for Keyboard");
  await page.keyboard.press("ArrowDown");
  await expect(page.getByRole("menuitem", { name: "Copy ID" })).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(actions).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("menuitem", { name: "Copy ID" })).toBeFocused();
  await page.keyboard.press("End");
  await expect(page.getByRole("menuitem", { name: "Delete…" })).toBeFocused();
  await page.keyboard.press("Enter");
  const remove = keygate.dialog("Delete API key");
  await expect(remove.getByRole("button", { name: "Cancel" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(remove).toHaveCount(0);
  await expect(actions, "the focus returns to what opened the dialog").toBeFocused();

  await page.keyboard.press("Enter");
  await expect(page.getByRole("menuitem", { name: "Copy ID" })).toBeFocused();
  await page.keyboard.press("d");
  await expect(page.getByRole("menuitem", { name: "Disable…" })).toBeFocused();
  await page.keyboard.press("d");
  await page.keyboard.press("Enter");
  await expect(remove.getByRole("button", { name: "Cancel" })).toBeFocused();
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.type("Keyboard");
  await page.keyboard.press("Control+Enter");
  await expect(page.getByText("No API keys yet")).toBeVisible();
  await expect(page.locator(":focus"), "the focus is not lost with the row").toHaveCount(1);
});

test("slash leads to the search, and Escape empties it", async ({ keygate, page }) => {
  await page.keyboard.press("/");
  const search = page.getByRole("searchbox");
  await expect(search).toBeFocused();
  await page.keyboard.type("a/b");
  await expect(search).toHaveValue("a/b");
  await expect(page).toHaveURL(/\?q=a%2Fb$/);
  await page.keyboard.press("Escape");
  await expect(search).toHaveValue("");
  await expect(page).toHaveURL(/\/workspaces$/);
});

test("the workspace list is walked with arrows", async ({ keygate, page }) => {
  await keygate.createWorkspace("Research");
  await page.reload();
  const button = page.getByRole("button", { name: /^Workspace/ });
  await button.focus();
  await page.keyboard.press("Enter");
  const input = page.getByRole("combobox", { name: "Find a workspace" });
  await expect(input).toBeFocused();
  await expect(page.getByRole("option")).toHaveCount(2);
  await page.keyboard.press("ArrowDown");
  await expect(page.getByRole("option", { name: /Research/ })).toHaveAttribute("aria-selected", "true");
  await page.keyboard.press("Enter");
  await expect(button).toContainText("Research");
  await expect(button).toBeFocused();
});

test("the content is one key away", async ({ keygate, page }) => {
  await page.reload();
  await expect(keygate.row("Default workspace")).toBeVisible();
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to content" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Workspaces", exact: true })).toBeFocused();
});

test("endpoints are checked and their code is copied without a pointer", async ({ keygate, page }) => {
  await tabTo(page, "Endpoints", "link");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Endpoints", exact: true })).toBeFocused();
  await tabTo(page, "Check endpoints");
  await page.keyboard.press("Enter");
  await expect(page.getByText(/^Answers in/).first()).toBeVisible();
  await expect(page.getByRole("button", { name: "Check endpoints" })).toBeFocused();
  await tabTo(page, /^Copy base URL .*anthropic$/);
  await page.keyboard.press("Enter");
  expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(/\/apps\/anthropic$/);
  await page.keyboard.press("Tab");
  await page.keyboard.press("ArrowRight");
  await expect(page.getByRole("tab", { name: "DashScope-native" })).toBeFocused();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("End");
  await expect(page.getByRole("tab", { name: "Node.js" })).toBeFocused();
  await tabTo(page, "Copy the code");
  await page.keyboard.press("Enter");
  expect(await page.evaluate(() => navigator.clipboard.readText())).toContain("process.env.DASHSCOPE_API_KEY");
});
