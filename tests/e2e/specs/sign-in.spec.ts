import { expect, REGION, test } from "../fixtures.ts";

const OWNER = "owner@localhost";

test("the printed link signs in at once, and its token is in no address afterwards", async ({ page, server }) => {
  const token = new URL(server.signInLink).searchParams.get("token")!;
  await page.goto(server.signInLink);
  await expect(page).toHaveURL(`${server.url}/${REGION}/workspaces`);
  await expect(page.getByRole("heading", { name: "Workspaces", exact: true })).toBeFocused();
  await expect(page).toHaveTitle("Workspaces · Singapore · Keygate");
  await page.goBack();
  expect(page.url()).not.toContain(token);
  expect(server.log).not.toContain(token);
});

test.describe("a link that was used", () => {
  test.use({ allowed: ["401"] });

  test("leads to signing in by e-mail", async ({ keygate, page, server }) => {
    await page.goto(server.signInLink);
    await expect(page.getByRole("heading", { name: "This link did not sign you in" })).toBeVisible();
    await expect(page.getByRole("alert")).toBeVisible();
    await page.getByRole("button", { name: "Sign in by e-mail" }).click();
    await expect(page.getByLabel("E-mail address")).toBeVisible();
  });
});

test.describe("signed out", () => {
  test.use({ allowed: ["401", "422"] });

  test("a code from the mail signs in and leads back to where the person was going", async ({ page, server }) => {
    await page.goto(`${server.url}/us-east-1/workspaces?q=def`);
    await expect(page).toHaveURL(/\/sign-in\?next=/);
    await page.getByLabel("E-mail address").fill(OWNER);
    await page.getByRole("button", { name: "Send code" }).click();
    await expect(page.getByRole("heading", { name: "Enter the code" })).toBeVisible();
    await page.getByLabel("Code").fill(await server.mailedCode(OWNER));
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page).toHaveURL(`${server.url}/us-east-1/workspaces?q=def`);
    await expect(page.getByRole("searchbox")).toHaveValue("def");
  });

  test("a wrong code is refused beside the field, with what to do", async ({ page, server }) => {
    await page.goto(`${server.url}/sign-in`);
    await page.getByLabel("E-mail address").fill("mei");
    await page.getByRole("button", { name: "Send code" }).click();
    await expect(page.getByLabel("E-mail address")).toBeFocused();
    await expect(page.getByText("Enter an e-mail address, such as name@example.com.")).toBeVisible();

    await page.getByLabel("E-mail address").fill(OWNER);
    await page.keyboard.press("Enter");
    const code = page.getByLabel("Code");
    await code.fill("12345");
    await page.keyboard.press("Enter");
    await expect(page.getByText("Enter the 6 digits of the code.")).toBeVisible();
    await expect(code).toBeFocused();
    const right = await server.mailedCode(OWNER);
    await code.fill(right === "000000" ? "000001" : "000000");
    await page.keyboard.press("Enter");
    await expect(page.locator(".wrong, [role=alert]").first()).toBeVisible();
    await code.fill(right);
    await page.keyboard.press("Enter");
    await expect(page.getByRole("heading", { name: "Workspaces", exact: true })).toBeVisible();
  });

  test("a link to another site is not followed after signing in", async ({ page, server }) => {
    const link = new URL(server.signInLink);
    link.searchParams.set("next", "//evil.example/workspaces");
    await page.goto(link.href);
    await expect(page).toHaveURL(`${server.url}/${REGION}/workspaces`);
  });

  test("signing out ends the session and keeps nothing on the page", async ({ keygate, page, server }) => {
    await page.getByRole("button", { name: OWNER }).click();
    await page.getByRole("menuitem", { name: "Sign out", exact: true }).click();
    await expect(page.getByRole("heading", { name: "Sign in", exact: true })).toBeVisible();
    await page.goBack();
    await expect(page).toHaveURL(/\/sign-in/);
    await expect(page.getByText("Default workspace")).toHaveCount(0);
    expect((await keygate.api("GET", "/session")).status).toBe(401);
  });

  test("a session that ended elsewhere leads to sign-in from any act", async ({ keygate, page, context }) => {
    await context.clearCookies();
    await page.getByRole("link", { name: "API keys", exact: true }).click();
    await expect(page).toHaveURL(/\/sign-in\?next=%2Fap-southeast-1%2Fw%2Fws-/);
  });
});
