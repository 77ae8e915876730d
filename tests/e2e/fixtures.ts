// What every test starts with: a server of its own, a page that reports every error, a console that is signed in.

import { test as base, expect, type Page } from "@playwright/test";
import { Server } from "./server.ts";

export { expect } from "@playwright/test";
export type { Page } from "@playwright/test";

export const REGION = "ap-southeast-1";

/** A page of the signed-in console, and what tests do on it again and again. */
export class Console {
  constructor(
    readonly page: Page,
    readonly server: Server,
  ) {}

  async open(path: string) {
    await this.page.goto(`${this.server.url}${path}`);
  }

  /** Calls the console API from the page, as the console does. */
  async api<T = any>(method: string, path: string, body?: unknown): Promise<{ status: number; body: T }> {
    return this.page.evaluate(
      async ([method, path, body]) => {
        const headers = { accept: "application/json", ...(body ? { "content-type": "application/json" } : {}) };
        const answer = await fetch(`/console/v1${path}`, { method, headers, body });
        const text = await answer.text();
        return { status: answer.status, body: text ? JSON.parse(text) : undefined };
      },
      [method, path, body === undefined ? undefined : JSON.stringify(body)] as const,
    );
  }

  async createWorkspace(name: string) {
    const { status, body } = await this.api("POST", `/regions/${REGION}/workspaces`, { name });
    expect(status).toBe(201);
    return body as { id: string; name: string; version: number };
  }

  async createKey(workspace: string, description: string) {
    const { status, body } = await this.api("POST", `/regions/${REGION}/workspaces/${workspace}/api-keys`, { description });
    expect(status).toBe(201);
    return body as { id: string; masked: string; secret: string; version: number };
  }

  /** Calls a model, and waits until the console knows of it: the gateway writes down once a second who called what. */
  async callModel(workspace: string, secret: string, model: string) {
    const headers = { authorization: `Bearer ${secret}`, "content-type": "application/json" };
    const body = JSON.stringify({ model, messages: [{ role: "user", content: "Hello" }] });
    const answer = await fetch(`${this.server.url}/compatible-mode/v1/chat/completions`, { method: "POST", headers, body });
    expect(answer.status).toBe(200);
    const models = `/regions/${REGION}/models?workspace=${workspace}&q=${model}`;
    const known = async () => (await this.api("GET", models)).body.items.some((m: any) => m.id === model && m.workspace.last_called_at);
    await expect.poll(known).toBe(true);
  }

  async defaultWorkspace(region = REGION) {
    const { body } = await this.api("GET", `/regions/${region}/workspaces`);
    return body.items[0] as { id: string; name: string };
  }

  async openKeys(workspace: string) {
    await this.open(`/${REGION}/w/${workspace}/api-keys`);
    await expect(this.page.getByRole("heading", { name: "API keys", exact: true })).toBeVisible();
  }

  dialog(name: string) {
    return this.page.getByRole("dialog", { name, exact: true });
  }

  row(name: string) {
    return this.page.getByRole("row").filter({ hasText: name });
  }

  async choose(row: string, item: string) {
    await this.page.getByRole("button", { name: `Actions for ${row}`, exact: true }).click();
    await this.page.getByRole("menuitem", { name: item, exact: true }).click();
  }
}

/** Opens a sign-in link and confirms it: the page signs in only after a click. */
export async function followLink(page: Page, link: string) {
  await page.goto(link);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

type Options = {
  /** Parts of messages that the browser's console may show in this test: refusals that the test provokes. */
  allowed: string[];
};
type Fixtures = {
  server: Server;
  /** The signed-in console at its start page. */
  keygate: Console;
};

export const test = base.extend<Options & Fixtures>({
  allowed: [[], { option: true }],

  server: async ({}, use) => {
    const server = await Server.start();
    await use(server);
    await server.remove();
  },

  // It asks for the server so as to be looked at before the server goes: a request still on its way then is no fault.
  page: async ({ page, server: _, allowed }, use) => {
    const complaints: string[] = [];
    await page.addInitScript(() => {
      addEventListener("securitypolicyviolation", (e) => console.error(`policy violation: ${e.violatedDirective} ${e.blockedURI}`));
    });
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    await use(page);
    expect(complaints.filter((text) => !allowed.some((part) => text.includes(part)))).toEqual([]);
  },

  keygate: async ({ page, server }, use) => {
    await followLink(page, server.signInLink);
    await expect(page.getByRole("heading", { name: "Workspaces", exact: true })).toBeVisible();
    await expect(page.getByRole("link", { name: "Default workspace", exact: true })).toBeVisible();
    await use(new Console(page, server));
  },
});
