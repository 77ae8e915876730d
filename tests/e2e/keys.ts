// What is done with keys in many specs.

import { call as make } from "./calls.ts";
import { type Console, expect, type Page, REGION } from "./fixtures.ts";

/** Calls a model with a secret, and gives the status of the answer. */
export async function call(keygate: Console, secret: string, model = "qwen-plus"): Promise<number> {
  return (await make(keygate, secret, { model })).status;
}

/** A key of the default workspace, and the page of its keys. */
export async function keyOf(keygate: Console, page: Page, description = "Nightly") {
  const { id } = await keygate.defaultWorkspace();
  const key = await keygate.createKey(id, description);
  await keygate.openKeys(id);
  await expect(keygate.row(description)).toBeVisible();
  return { ...key, workspace: id, path: `/regions/${REGION}/workspaces/${id}/api-keys/${key.id}` };
}

/** Closes the dialog that shows a secret, and gives the secret. */
export async function takeSecret(keygate: Console): Promise<string> {
  const created = keygate.dialog("Save your API key");
  const secret = (await created.locator(".secret code").innerText()).trim();
  await created.getByLabel("I have saved this key").check();
  await created.getByRole("button", { name: "Done" }).click();
  await expect(created).toHaveCount(0);
  return secret;
}
