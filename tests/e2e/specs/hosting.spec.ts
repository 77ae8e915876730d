// The console as a folder on other hosts, with its server on another origin.

import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { expect, followLink, type Page, REGION, test as base } from "../fixtures.ts";
import { freePorts, Server } from "../server.ts";
import { Site } from "../static.ts";

/** Servers beside the first; gone with it, however a test ends. */
const more: Server[] = [];

/** A port for the host, which the servers must know as the origin of their console. */
const test = base.extend<{ port: number }>({
  port: async ({}, use) => use(await freePorts()),
  server: async ({ port }, use) => {
    const server = await Server.start(`console_origins = ["http://127.0.0.1:${port}"]\n`);
    await use(server);
    await Site.removeAll();
    for (const one of [server, ...more.splice(0)]) await one.remove();
  },
});

const heading = (page: Page, name: string) => page.getByRole("heading", { name, exact: true });

async function signIn(page: Page, site: Site, server: Server, more = "") {
  const token = new URL(server.signInLink).searchParams.get("token")!;
  await followLink(page, `${site.url}sign-in?token=${token}${more}`);
  await expect(heading(page, "Workspaces")).toBeVisible();
  expect(page.url()).not.toContain(token);
  expect(await site.log()).not.toContain(token);
}

const HOSTS = [
  { name: "nginx at its root", start: Site.nginx, place: "/", status: 200 },
  { name: "nginx below a path", start: Site.nginx, place: "/tools/keygate/", status: 200 },
  { name: "a host without rewrites", start: Site.fallback, place: "/", status: 404 },
  { name: "a host without rewrites below a path", start: Site.fallback, place: "/tools/keygate/", status: 404 },
];

for (const { name, start, place, status } of HOSTS) {
  test.describe(name, () => {
    // The page itself is answered with 404 there.
    test.use({ allowed: status === 404 ? ["404"] : [] });

    test("serves the console with deep links, reload, back and forward", async ({ page, port, server }) => {
      const site = await start(port, place, [{ url: server.url }]);
      await signIn(page, site, server);
      await expect(page).toHaveURL(`${site.url}${REGION}/workspaces`);

      await page.getByRole("link", { name: "API keys", exact: true }).click();
      await expect(heading(page, "API keys")).toBeVisible();
      await expect(page).toHaveURL(new RegExp(`^${site.url}${REGION}/w/[^/]+/api-keys$`));
      const keys = page.url();
      await page.getByRole("button", { name: /^Region/ }).click();
      await page.getByRole("menuitemradio", { name: /Virginia/ }).click();
      await expect(page).toHaveURL(new RegExp(`^${site.url}us-east-1/w/[^/]+/api-keys$`));
      await page.getByRole("button", { name: /^Region/ }).click();
      await page.getByRole("menuitemradio", { name: /Singapore/ }).click();
      await expect(page, "switching twice lands on the same page").toHaveURL(keys);
      await page.goBack();
      await expect(page).toHaveURL(/us-east-1/);
      await page.goForward();
      await expect(page).toHaveURL(keys);

      // A deep link asks for each file once, at the right address.
      const asked: string[] = [];
      page.on("request", (request) => asked.push(request.url()));
      const answer = await page.goto(keys);
      expect(answer!.status()).toBe(status);
      await expect(heading(page, "API keys")).toBeVisible();
      await expect(page.getByRole("row", { name: /./ }).or(page.getByText("No API keys")).first()).toBeVisible();
      const files = asked.filter((url) => url.startsWith(`http://127.0.0.1:${port}/`)).map((url) => url.slice(site.url.length));
      expect(files.map((file) => file.replace(/[0-9a-f]{16}/, "*")).sort()).toEqual([
        "config.json", "console-*.css", "console-*.js", "console-*_bg.wasm", keys.slice(site.url.length),
      ].sort());
      const calls = asked.filter((url) => url.startsWith(server.url)).map((url) => url.slice(server.url.length));
      expect(new Set(calls).size, "nothing is asked twice").toBe(calls.length);

      await page.getByRole("link", { name: "Keygate, start" }).click();
      await expect(page).toHaveURL(`${site.url}${REGION}/workspaces`);
    });

    test.describe("at an address that leads nowhere", () => {
      // It is looked for at addresses where it may stand, and does not.
      test.use({ allowed: ["404", "Refused to apply style"] });

      test("shows that inside the console", async ({ page, port, server }) => {
        const site = await start(port, place, [{ url: server.url }]);
        await signIn(page, site, server);
        for (const nowhere of ["nowhere", `${REGION}/nothing`, `${REGION}/nothing/`]) {
          await page.goto(site.url + nowhere);
          await expect(heading(page, "Page not found")).toBeVisible();
          await expect(page.getByRole("navigation", { name: "Console" })).toBeVisible();
        }
        await page.getByRole("link", { name: "Go to workspaces" }).click();
        await expect(page).toHaveURL(`${site.url}${REGION}/workspaces`);
        await page.goto(site.url + "index.html");
        await expect(page).toHaveURL(`${site.url}${REGION}/workspaces`);
        await page.goto(site.url.slice(0, -1) || site.url);
        await expect(page).toHaveURL(`${site.url}${REGION}/workspaces`);
      });
    });
  });
}

// The script that finds the place knows the forms of all paths, so none of them costs a search.
test.describe("below a path", () => {
  test.use({ allowed: ["401"] });

  test("each page's address tells where the console stands", async ({ page, port, server }) => {
    test.slow();
    const place = "/tools/keygate/";
    const site = await Site.nginx(port, place, [{ url: server.url }]);
    const asked: string[] = [];
    page.on("request", (request) => asked.push(`${request.method()} ${new URL(request.url()).pathname}`));
    for (const address of ["", "sign-in", "a/workspaces", "a/workspaces/ws-1", "a/w/ws-1/api-keys", "a/w/ws-1/models", "a/endpoints"]) {
      asked.length = 0;
      await page.goto(site.url + address);
      await expect(heading(page, "Sign in")).toBeVisible();
      expect(asked.filter((request) => request.startsWith("HEAD") || !/ (\/tools\/keygate|\/console\/v1)\//.test(request)), address).toEqual([]);
      expect(asked.filter((request) => request.endsWith(".css")), address).toHaveLength(1);
    }
  });
});

test.describe("below a path that looks like one of the console's own", () => {
  test.use({ allowed: ["401", "404", "Refused to apply style", "Failed to load module script"] });

  test("the console is found", async ({ page, port, server }) => {
    const site = await Site.nginx(port, "/a/workspaces/", [{ url: server.url }]);
    for (const address of ["", "sign-in", `${REGION}/workspaces`]) {
      await page.goto(site.url + address);
      await expect(heading(page, "Sign in")).toBeVisible();
    }
    await signIn(page, site, server);
    await expect(page).toHaveURL(`${site.url}${REGION}/workspaces`);
  });
});

test("nginx sends headers that keep the console safe and its files cached", async ({ port, server }) => {
  const site = await Site.nginx(port, "/", [{ url: server.url }]);
  const folder = path.join(site.folder, "www");
  const wasm = readdirSync(folder).find((name) => name.endsWith(".wasm"))!;
  const head = (file: string) => fetch(site.url + file, { headers: { "accept-encoding": "gzip" } });
  for (const file of ["", "index.html", "config.json", "us-east-1/workspaces", wasm, "nothing.js"]) {
    const { headers } = await head(file);
    expect(headers.get("x-content-type-options"), file).toBe("nosniff");
    expect(headers.get("x-frame-options"), file).toBe("DENY");
    expect(headers.get("referrer-policy"), file).toBe("strict-origin");
    expect(headers.get("content-security-policy"), file).toContain("frame-ancestors 'none'");
    expect(headers.get("cache-control"), file).toBe(file === wasm ? "public, max-age=31536000, immutable" : "no-cache");
  }
  expect((await head("nothing.js")).status).toBe(404);
  const { headers } = await head(wasm);
  expect(headers.get("content-type")).toBe("application/wasm");
  if (existsSync(path.join(folder, `${wasm}.gz`))) expect(headers.get("content-encoding")).toBe("gzip");
});

test.describe("config.json", () => {
  test.use({ allowed: ["404", "401"] });

  test("that cannot be used is told by what is wrong with it", async ({ page, port }) => {
    for (const [text, problem] of [
      ['{"backends": [', "line 1"],
      ['{"backends": [{"url": "keygate.example.com"}]}', "backends[0].url"],
      ['{"servers": []}', "unknown field `servers`"],
    ] as const) {
      const site = await Site.nginx(port, "/", text);
      await page.goto(`${site.url}${REGION}/workspaces`);
      await expect(heading(page, "config.json cannot be used")).toBeVisible();
      await expect(page.getByRole("alert")).toContainText(problem);
      await site.remove();
    }
  });

  test("that is not there means the page's own origin", async ({ page, server }) => {
    for (const answer of [{ status: 404, body: "" }, { status: 200, contentType: "text/html", body: "<!doctype html>" }]) {
      await page.route("**/config.json", (route) => route.fulfill(answer));
      const asked = page.waitForRequest(`${server.url}/console/v1/session`);
      await page.goto(server.url);
      await asked;
      await expect(heading(page, "Sign in")).toBeVisible();
    }
  });
});

test.describe("two backends", () => {
  test.use({ allowed: ["401", "ERR_CONNECTION_REFUSED", "Failed to load resource"] });

  const REGIONS = `
[[regions]]
id = "eu-central-1"
name = "Frankfurt"
catalogue = "ap-southeast-1"

[[regions]]
id = "us-east-1"
name = "Virginia, second"
`;

  test("have one sign-in each, one menu, and live without each other", async ({ page, port, server }) => {
    test.slow();
    const second = await Server.start(`console_origins = ["http://127.0.0.1:${port}"]\nsession_cookie = "keygate_second"\n${REGIONS}`, 2);
    more.push(second);
    const site = await Site.nginx(port, "/", [{ name: "Asia", url: server.url }, { name: "Europe", url: second.url }]);
    const menu = page.getByRole("menu", { name: "Region" });
    const open = async () => {
      await page.getByRole("button", { name: /^Region/ }).click();
      await expect(menu).toBeVisible();
    };
    const group = (name: string) => menu.getByRole("group", { name });

    await page.goto(site.url);
    await expect(page).toHaveURL(`${site.url}sign-in?backend=Asia`);
    await expect(page).toHaveTitle("Sign in · Asia · Keygate");
    await signIn(page, site, server, "&backend=Asia");
    await expect(page).toHaveURL(`${site.url}${REGION}/workspaces`);
    await page.getByRole("link", { name: "API keys", exact: true }).click();
    await expect(heading(page, "API keys")).toBeVisible();
    const keys = page.url();

    // The second asks for its own sign-in, and comes back to where the person was going.
    await open();
    await expect(group("Asia").getByRole("menuitemradio")).toHaveCount(3);
    await group("Europe").getByRole("menuitem", { name: "Sign in…" }).click();
    await expect(page).toHaveURL(`${site.url}sign-in?backend=Europe`);
    await page.goto(`${site.url}eu-central-1/workspaces?q=def`);
    await expect(page).toHaveURL(/\/sign-in\?backend=Europe&next=/);
    await page.getByLabel("E-mail address").fill("owner@localhost");
    await page.getByRole("button", { name: "Send code" }).click();
    await page.getByLabel("Code").fill(await second.mailedCode("owner@localhost"));
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page).toHaveURL(`${site.url}eu-central-1/workspaces?q=def`);
    await expect(page.getByRole("link", { name: "Default workspace", exact: true })).toBeVisible();

    // One menu. Of the region that both have, the first's holds.
    await open();
    const conflict = group("Europe").getByRole("menuitemradio", { name: /Virginia, second/ });
    await expect(conflict).toHaveAttribute("aria-disabled", "true");
    await expect(conflict).toContainText("Asia has this region too, and stands first.");
    await page.keyboard.press("Escape");

    // Switching keeps the page, and twice lands on the same.
    await page.goto(keys);
    await open();
    await group("Europe").getByRole("menuitemradio", { name: /Frankfurt/ }).click();
    await expect(page).toHaveURL(/\/eu-central-1\/w\/[^/]+\/api-keys$/);
    const theirs = page.url();
    await open();
    await group("Asia").getByRole("menuitemradio", { name: /Singapore/ }).click();
    await expect(page).toHaveURL(keys);

    // The other one goes away: here all goes on.
    await second.stop();
    await page.reload();
    await expect(heading(page, "API keys")).toBeVisible();
    await expect(page.getByText("does not answer. What you see")).toHaveCount(0);
    await open();
    await expect(group("Europe")).toContainText("Does not answer");
    await page.keyboard.press("Escape");
    await page.getByRole("link", { name: "Workspaces", exact: true }).click();
    await expect(page.getByRole("link", { name: "Default workspace", exact: true })).toBeVisible();

    // In it, the banner says so; when it is back, so is the page.
    await page.goto(theirs);
    await expect(page.getByText("Europe does not answer. What you see may be out of date.")).toBeVisible();
    await second.run();
    await expect(page.getByText("Europe does not answer.")).toHaveCount(0, { timeout: 20_000 });
    await expect(page.getByRole("alert")).toHaveCount(0);
    await expect(page.getByRole("button", { name: /^Region/ })).toContainText("Frankfurt");

    // Without the first, the start leads into the other.
    await server.stop();
    await page.goto(site.url);
    await expect(page).toHaveURL(`${site.url}eu-central-1/workspaces`);
    await open();
    await expect(group("Asia")).toContainText("Does not answer");
    await server.run();
    await page.reload();
    await expect(page.getByRole("link", { name: "Default workspace", exact: true })).toBeVisible();

    // Signing out is of this one; the other stays.
    await page.getByRole("button", { name: /owner@localhost/ }).click();
    await page.getByRole("menuitem", { name: "Sign out", exact: true }).click();
    await expect(page).toHaveURL(`${site.url}sign-in?backend=Europe`);
    await page.getByRole("link", { name: "Go on in Asia" }).click();
    await expect(page.getByRole("link", { name: "Default workspace", exact: true })).toBeVisible();
    await expect(page).toHaveURL(`${site.url}${REGION}/workspaces`);

  });
});

test.describe("a link to the second of two backends", () => {
  test.use({ allowed: ["401", "ERR_CONNECTION_REFUSED", "Failed to load resource"] });
  const FRANKFURT = '[[regions]]\nid = "eu-central-1"\nname = "Frankfurt"\ncatalogue = "ap-southeast-1"\n';

  test("leads into a region of that one, and its name is told while it is away", async ({ page, port, server }) => {
    const second = await Server.start(`console_origins = ["http://127.0.0.1:${port}"]\nsession_cookie = "keygate_second"\n${FRANKFURT}`, 1);
    more.push(second);
    const site = await Site.nginx(port, "/", [{ name: "Asia", url: server.url }, { name: "Europe", url: second.url }]);
    await signIn(page, site, server, "&backend=Asia");
    await expect(page).toHaveURL(`${site.url}${REGION}/workspaces`);
    await signIn(page, site, second, "&backend=Europe");
    await expect(page).toHaveURL(`${site.url}eu-central-1/workspaces`);
    await expect(page.getByRole("link", { name: "Default workspace", exact: true })).toBeVisible();

    await second.stop();
    await page.reload();
    await expect(page.getByText("Europe does not answer. What you see")).toBeVisible();
    await expect(page.getByRole("alert")).toContainText("Europe does not answer");
  });
});

test.describe("signing out everywhere", () => {
  test.use({ allowed: ["401"] });

  test("is confirmed, and ends the sessions of other browsers too", async ({ keygate, page, server, browser }) => {
    const elsewhere = await browser.newContext({ storageState: await page.context().storageState() });
    const other = await elsewhere.newPage();
    await other.goto(server.url);
    await expect(heading(other, "Workspaces")).toBeVisible();

    await page.getByRole("button", { name: /owner@localhost/ }).click();
    await page.getByRole("menuitem", { name: "Sign out everywhere…" }).click();
    const dialog = keygate.dialog("Sign out everywhere");
    await expect(dialog.getByRole("button", { name: "Cancel" })).toBeFocused();
    await page.keyboard.press("Escape");
    await expect(dialog).toHaveCount(0);
    await page.getByRole("button", { name: /owner@localhost/ }).click();
    await page.getByRole("menuitem", { name: "Sign out everywhere…" }).click();
    await dialog.getByRole("button", { name: "Sign out everywhere" }).click();
    await expect(page).toHaveURL(`${server.url}/sign-in`);

    await other.reload();
    await expect(other).toHaveURL(/\/sign-in/);
    await elsewhere.close();
  });
});
