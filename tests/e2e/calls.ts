// Calls through the gateway, to the echo that answers where no upstream is configured.

import { type Console, expect, REGION } from "./fixtures.ts";

export type Made = { status: number; id: string };

/** Makes a call; its id is as the answer told it. */
export async function call(keygate: Console, secret: string, body: object): Promise<Made> {
  const headers = { authorization: `Bearer ${secret}`, "content-type": "application/json" };
  const whole = JSON.stringify({ messages: [{ role: "user", content: "Say hello" }], ...body });
  const answer = await fetch(`${keygate.server.url}/compatible-mode/v1/chat/completions`, { method: "POST", headers, body: whole });
  await answer.text();
  return { status: answer.status, id: answer.headers.get("x-request-id")! };
}

/** Waits until so many calls of a workspace are in the log, and in the sums. */
export async function logged(keygate: Console, workspace: string, count: number) {
  const base = `/regions/${REGION}/workspaces/${workspace}`;
  await expect.poll(async () => (await keygate.api("GET", `${base}/requests`)).body.total).toBe(count);
  await expect.poll(async () => (await keygate.api("GET", `${base}/usage`)).body.total.calls).toBe(count);
}
