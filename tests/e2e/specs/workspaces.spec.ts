import { expect, REGION, test } from "../fixtures.ts";

test("a workspace is created, found, renamed and archived", async ({ keygate, page }) => {
  await page.getByRole("button", { name: /^Create workspace/ }).click();
  const create = keygate.dialog("Create workspace");
  await create.getByLabel("Workspace name").fill("Search team");
  await expect(create.getByText("11 of 30 characters")).toBeVisible();
  await create.getByRole("button", { name: "Create workspace" }).click();
  await expect(create).toHaveCount(0);
  await expect(page.getByText("Workspace “Search team” created")).toBeVisible();
  await expect(keygate.row("Search team")).toContainText("No models yet");
  await expect(page.getByRole("button", { name: /^Create workspace/ })).toContainText("2/20");

  await page.getByRole("searchbox").fill("SEARCH");
  await expect(page).toHaveURL(/\?q=SEARCH$/);
  await expect(keygate.row("Default workspace")).toHaveCount(0);
  await page.getByRole("link", { name: "Search team", exact: true }).click();
  await expect(page).toHaveURL(/\/workspaces\/ws-\w+\?q=SEARCH$/);
  const drawer = keygate.dialog("Search team");
  await drawer.getByLabel("Workspace name").fill("Search squad");
  await expect(drawer.getByText("1 unsaved change")).toBeVisible();
  await drawer.getByRole("button", { name: "Save changes" }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(page).toHaveURL(/\/workspaces\?q=SEARCH$/);
  await expect(keygate.row("Search squad")).toBeVisible();

  await keygate.choose("Search squad", "Archive…");
  const archive = keygate.dialog("Archive workspace");
  await expect(archive.getByRole("button", { name: "Cancel" })).toBeFocused();
  await archive.getByRole("button", { name: "Archive workspace" }).click();
  await expect(archive.getByText("Type the name exactly as it is shown.")).toBeVisible();
  await archive.getByLabel("Type the name to confirm").fill("Search squad");
  await archive.getByRole("button", { name: "Archive workspace" }).click();
  await expect(page.getByText("No workspace found")).toBeVisible();
  await page.getByRole("button", { name: "Clear search" }).last().click();
  await expect(page).toHaveURL(/\/workspaces$/);
  await expect(keygate.row("Default workspace")).toBeVisible();
});

test("the name's rule is told before and after it is broken", async ({ keygate, page }) => {
  await page.getByRole("button", { name: /^Create workspace/ }).click();
  const dialog = keygate.dialog("Create workspace");
  const name = dialog.getByLabel("Workspace name");
  await expect(name).toBeFocused();
  await dialog.getByRole("button", { name: "Create workspace" }).click();
  await expect(name).toHaveAccessibleDescription(/Enter at least one visible character/);
  await name.fill("检".repeat(31));
  await expect(dialog.getByText("31 of 30 characters")).toBeVisible();
  await page.keyboard.press("Control+Enter");
  await expect(dialog.getByText("Use at most 30 characters; this has 31.")).toBeVisible();
  await expect(name).toBeFocused();
});

test("the default workspace cannot be archived, and the page says so", async ({ keygate, page }) => {
  await page.getByRole("link", { name: "Edit Default workspace" }).click();
  const drawer = keygate.dialog("Default workspace");
  const archive = drawer.getByRole("button", { name: "Archive…" });
  await expect(archive).toBeDisabled();
  await expect(archive).toHaveAccessibleDescription(/cannot be archived/);
  await expect(drawer.getByText("All models", { exact: true })).toBeVisible();
});

test("typed changes are kept until they are discarded on purpose", async ({ keygate, page }) => {
  const { id } = await keygate.createWorkspace("Research");
  await keygate.open(`/${REGION}/workspaces`);
  await page.getByRole("link", { name: "Research", exact: true }).click();
  const name = page.getByLabel("Workspace name");
  await name.fill("Research lab");

  for (const leave of [() => page.keyboard.press("Escape"), () => page.goBack()]) {
    await leave();
    const question = keygate.dialog("Discard changes");
    await expect(question.getByRole("button", { name: "Keep editing" })).toBeFocused();
    await page.keyboard.press("Escape");
    await expect(question).toHaveCount(0);
    await expect(page).toHaveURL(new RegExp(`/workspaces/${id}$`));
    await expect(name).toHaveValue("Research lab");
  }
  await page.goBack();
  await page.getByRole("button", { name: "Discard changes" }).click();
  await expect(page).toHaveURL(/\/workspaces$/);
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(page.getByRole("link", { name: "Research", exact: true })).toBeVisible();
});

test.describe("refusals", () => {
  test.use({ allowed: ["409"] });

  test("a name that is taken is told at its field", async ({ keygate, page }) => {
    await page.getByRole("button", { name: /^Create workspace/ }).click();
    const dialog = keygate.dialog("Create workspace");
    await dialog.getByLabel("Workspace name").fill("default WORKSPACE");
    await page.keyboard.press("Enter");
    await expect(dialog.getByLabel("Workspace name")).toHaveAttribute("aria-invalid", "true");
    await expect(dialog.locator(".wrong")).toBeVisible();
    await dialog.getByLabel("Workspace name").fill("Another");
    await expect(dialog.locator(".wrong")).toHaveCount(0);
  });

  test("someone else's change is shown and what was typed is kept", async ({ keygate, page }) => {
    const { id, version } = await keygate.createWorkspace("Support");
    await keygate.open(`/${REGION}/workspaces/${id}`);
    const name = page.getByLabel("Workspace name");
    await expect(name).toHaveValue("Support");
    const theirs = await keygate.api("PATCH", `/regions/${REGION}/workspaces/${id}`, { name: "Helpdesk", version });
    expect(theirs.status).toBe(200);

    await name.fill("Support desk");
    await page.getByRole("button", { name: "Save changes" }).click();
    await expect(page.getByRole("alert")).toContainText("its name is now Helpdesk");
    await expect(name).toHaveValue("Support desk");
    await page.getByRole("button", { name: "Save changes" }).click();
    await expect(page.getByRole("link", { name: "Support desk", exact: true })).toBeVisible();
  });
});

test("at the limit the page says why no more can be created", async ({ keygate, page }) => {
  for (let i = 1; i < 20; i += 1) await keygate.createWorkspace(`Team ${i}`);
  await keygate.open(`/${REGION}/workspaces`);
  const create = page.getByRole("button", { name: /^Create workspace/ });
  await expect(create).toContainText("20/20");
  await expect(create).toBeDisabled();
  await expect(create).toHaveAccessibleDescription(/at most 20 workspaces/);
  await create.focus();
  await expect(page.getByRole("tooltip")).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog")).toHaveCount(0);
});

test("hostile names are text, and the layout holds", async ({ keygate, page }) => {
  const names = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "W".repeat(30),
    "ﷺ".repeat(30),
    "مساحة عمل الفريق العربي",
    "👩‍💻🏳️‍🌈 emoji",
    "検索チーム".repeat(6),
    "\"'&amp;{{7*7}}`${7}`",
  ];
  for (const name of names) await keygate.createWorkspace(name);
  for (const width of [1440, 390, 360]) {
    await page.setViewportSize({ width, height: 844 });
    await keygate.open(`/${REGION}/workspaces`);
    for (const name of names) await expect(page.getByRole("link", { name, exact: true })).toBeVisible();
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
  }
  await page.getByRole("button", { name: /^Workspace/ }).click();
  await expect(page.getByRole("option", { name: names[0] })).toBeVisible();
});
