// Pages that want to act for the person who is signed in, in a browser that sends them the person's cookie.

import http from "node:http";
import type { AddressInfo } from "node:net";
import { expect, REGION, test } from "../fixtures.ts";

const workspaces = `/regions/${REGION}/workspaces`;

/** A web server of somebody else on this machine. */
async function stranger() {
  const server = http.createServer((_, answer) => answer.setHeader("content-type", "text/html").end("<!doctype html><title>Stranger</title>"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { port: (server.address() as AddressInfo).port, stop: () => new Promise((resolve) => server.close(resolve)) };
}

// The first is of the console's own site, as far as cookies go, so that `SameSite` does not help.
for (const host of ["127.0.0.1", "localhost"]) {
  test(`a page at another port of ${host} changes nothing and reads nothing`, async ({ keygate, server, context }) => {
    const other = await stranger();
    const url = `${server.url}/console/v1${workspaces}`;
    const page = await context.newPage();
    await page.goto(`http://${host}:${other.port}/`);

    const tries: [string, RequestInit][] = [
      ["read", {}],
      ["read without CORS", { mode: "no-cors" }],
      ["JSON", { method: "POST", headers: { "content-type": "application/json" }, body: '{"name":"planted"}' }],
      ["text", { method: "POST", mode: "no-cors", headers: { "content-type": "text/plain" }, body: '{"name":"planted"}' }],
      ["delete", { method: "DELETE" }],
    ];
    for (const [what, init] of tries) {
      const come = page.evaluate(([url, init]) => fetch(url, { credentials: "include", ...init }).then(() => "answered", () => "nothing"), [url, init] as const);
      expect(await come, what).toBe("nothing");
    }

    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]) {
      const answer = page.waitForResponse((response) => response.request().method() === "POST");
      await page.evaluate(
        ([url, type]) => {
          const form = Object.assign(document.createElement("form"), { method: "post", action: url, enctype: type });
          form.innerHTML = `<input name='{"name":"planted","x":"' value='"}'>`;
          document.body.append(form);
          form.submit();
        },
        [url, type] as const,
      );
      expect((await answer).status(), type).toBe(403);
      await page.waitForURL(url);
      await page.goto(`http://${host}:${other.port}/`);
    }

    const session = await keygate.api("GET", "/session");
    expect(session.status).toBe(200);
    const { body } = await keygate.api("GET", workspaces);
    expect(body.items.map((workspace: { name: string }) => workspace.name)).toEqual(["Default workspace"]);

    // What is public stays so: the health of an endpoint.
    const health = await page.evaluate((url) => fetch(url).then((answer) => answer.json()), `${server.url}/health`);
    expect(health).toEqual({ status: "ok", region: REGION });
    await other.stop();
  });

  test(`a page at another port of ${host} cannot frame the console`, async ({ keygate: _, server, context }) => {
    const other = await stranger();
    const page = await context.newPage();
    await page.goto(`http://${host}:${other.port}/`);
    for (const path of ["/", "/sign-in", "/config.json", "/nothing.js", "/console/v1/session", "/console/v1/nothing"]) {
      const refused = page.waitForEvent("console", (message) => message.text().includes("frame"));
      await page.evaluate((url) => document.body.append(Object.assign(document.createElement("iframe"), { src: url })), `${server.url}${path}`);
      expect((await refused).text(), path).toContain("frame-ancestors 'none'");
    }
    await other.stop();
  });
}

test("signing out everywhere ends the session of another browser at once", async ({ keygate, server, browser }) => {
  const elsewhere = await browser.newContext();
  const page = await elsewhere.newPage();
  await page.goto(`${server.url}/sign-in`);
  const email = "owner@localhost";
  const ask = (method: string, path: string, body?: unknown) =>
    page.evaluate(
      ([method, path, body]) => fetch(`/console/v1${path}`, { method, body, headers: { "content-type": "application/json" } }).then((answer) => answer.status),
      [method, path, body && JSON.stringify(body)] as [string, string, string | undefined],
    );
  expect(await ask("POST", "/session/email-code", { email })).toBe(202);
  expect(await ask("POST", "/session", { email, code: await server.mailedCode(email) })).toBe(201);
  expect(await ask("GET", "/session")).toBe(200);

  expect((await keygate.api("DELETE", "/sessions")).status).toBe(204);
  expect(await ask("GET", "/session")).toBe(401);
  await elsewhere.close();
});
