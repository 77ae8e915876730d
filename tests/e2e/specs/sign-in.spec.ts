import { expect, followLink, REGION, test } from "../fixtures.ts";

const OWNER = "owner@localhost";

test("the printed link signs in after a click, and its token appears in no address and nowhere in the page", async ({ page, server }) => {
  const token = new URL(server.signInLink).searchParams.get("token")!;
  const calls: string[] = [];
  page.on("request", (request) => calls.push(`${request.method()} ${new URL(request.url()).pathname}`));
  await page.goto(`${server.signInLink}&next=%2Fus-east-1%2Fworkspaces`);
  const button = page.getByRole("button", { name: "Sign in", exact: true });
  await expect(button).toBeVisible();
  await expect(page.getByText(`You opened a sign-in link for ${new URL(server.url).host}.`)).toBeVisible();

  expect(page.url()).toBe(`${server.url}/sign-in?next=%2Fus-east-1%2Fworkspaces`);
  const written = await page.evaluate(() =>
    [document.documentElement.outerHTML, JSON.stringify(history.state), document.title, ...Object.values(localStorage), ...Object.values(sessionStorage), JSON.stringify(Object(window).keygate)].join(),
  );
  expect(written).not.toContain(token);
  await expect(page.locator("body")).not.toContainText("owner@");
  expect(calls.filter((call) => call.startsWith("POST"))).toEqual([]);

  await button.focus();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(`${server.url}/us-east-1/workspaces`);
  await expect(page.getByRole("heading", { name: "Workspaces", exact: true })).toBeFocused();
  await expect(page).toHaveTitle("Workspaces · US (Virginia) · Keygate");
  await page.goBack();
  expect(page.url()).not.toContain(token);
  expect(server.log).not.toContain(token);
});

test("a link that was only opened still works", async ({ page, server, browser }) => {
  const scanner = await browser.newContext();
  const other = await scanner.newPage();
  await other.goto(server.signInLink);
  await expect(other.getByRole("button", { name: "Sign in", exact: true })).toBeVisible();
  await scanner.close();
  await followLink(page, server.signInLink);
  await expect(page).toHaveURL(`${server.url}/${REGION}/workspaces`);
});

test.describe("a link that was used", () => {
  test.use({ allowed: ["401"] });

  test("leads to signing in by e-mail", async ({ keygate: _, page, server }) => {
    await followLink(page, server.signInLink);
    const refused = page.getByRole("heading", { name: "This link did not sign you in" });
    await expect(refused).toBeFocused();
    await expect(page.getByRole("alert")).toBeVisible();
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth), "nothing is cut off on a phone").toBe(390);
    await page.getByRole("button", { name: "Sign in by e-mail" }).click();
    await expect(page.getByLabel("E-mail address")).toBeFocused();
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

  test("a code works only in its own browser, and other browsers cannot use it up", async ({ page, server, browser }) => {
    await page.goto(`${server.url}/sign-in`);
    await page.getByLabel("E-mail address").fill(OWNER);
    await page.keyboard.press("Enter");
    await expect(page.getByRole("heading", { name: "Enter the code" })).toBeVisible();
    const code = await server.mailedCode(OWNER);

    const elsewhere = await browser.newContext();
    const other = await elsewhere.newPage();
    await other.goto(`${server.url}/sign-in`);
    await other.getByLabel("E-mail address").fill(OWNER);
    await other.keyboard.press("Enter");
    for (let attempt = 0; attempt < 7; attempt += 1) {
      const answer = other.waitForResponse((response) => response.url().endsWith("/console/v1/session"));
      await other.getByLabel("Code").fill(code);
      await other.keyboard.press("Enter");
      expect((await answer).status()).toBe(401);
    }
    await expect(other.getByText("requested in another browser")).toBeVisible();
    await elsewhere.close();

    await page.getByLabel("Code").fill(code);
    await page.keyboard.press("Enter");
    await expect(page.getByRole("heading", { name: "Workspaces", exact: true })).toBeVisible();
    expect(await page.evaluate(() => document.cookie)).toBe("");
  });

  test("a link to another site is not followed after signing in", async ({ page, server }) => {
    const link = new URL(server.signInLink);
    link.searchParams.set("next", "//evil.example/workspaces");
    await followLink(page, link.href);
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
