import { expectNoViolations } from "../axe.ts";
import { expect, REGION, test } from "../fixtures.ts";

for (const [colorScheme, width] of [["light", 1440], ["dark", 390]] as const) {
  test.describe(`${colorScheme}, ${width} wide`, () => {
    test.use({ colorScheme, viewport: { width, height: 844 } });
    // Each look at a page takes about a second of the processor.
    test.setTimeout(90_000);

    test("sign-in", async ({ page, server }) => {
      await page.goto(`${server.url}/sign-in`);
      await page.getByRole("button", { name: "Send code" }).click();
      await expect(page.getByLabel("E-mail address")).toHaveAttribute("aria-invalid", "true");
      await expectNoViolations(page, "e-mail");
      await page.getByLabel("E-mail address").fill("owner@localhost");
      await page.keyboard.press("Enter");
      await expect(page.getByLabel("Code")).toBeVisible();
      await expectNoViolations(page, "code");
      await page.goto(server.signInLink);
      await expect(page.getByRole("button", { name: "Sign in", exact: true })).toBeVisible();
      await expectNoViolations(page, "link");
    });

    test("workspaces", async ({ keygate, page }) => {
      const { id } = await keygate.createWorkspace("Research");
      await keygate.open(`/${REGION}/workspaces`);
      await expect(keygate.row("Research")).toBeVisible();
      await expectNoViolations(page, "list");
      await page.getByRole("button", { name: /^Create workspace/ }).click();
      await page.keyboard.press("Enter");
      await expect(page.getByLabel("Workspace name")).toHaveAttribute("aria-invalid", "true");
      await expectNoViolations(page, "create");
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "Actions for Default workspace" }).click();
      await expect(page.getByRole("menuitem", { name: "Copy ID" })).toBeFocused();
      await expectNoViolations(page, "row menu");
      await page.keyboard.press("Escape");
      for (const menu of [/^Region/, "Theme", "owner@localhost", /^Workspace Default/]) {
        await page.getByRole("button", { name: menu }).click();
        await expect(page.locator(".menu:popover-open")).toHaveCount(1);
        await expectNoViolations(page, String(menu));
        await page.keyboard.press("Escape");
      }
      await keygate.choose("Research", "Archive…");
      await page.getByRole("button", { name: "Archive workspace" }).click();
      await expectNoViolations(page, "archive");
      await page.keyboard.press("Escape");
      await keygate.open(`/${REGION}/workspaces/${id}`);
      await page.getByLabel("Workspace name").fill("Research lab");
      await expectNoViolations(page, "drawer");
      await page.keyboard.press("Escape");
      await expect(keygate.dialog("Discard changes")).toBeVisible();
      await expectNoViolations(page, "discard");
      await page.getByRole("button", { name: "Discard changes" }).click();
      await keygate.open(`/${REGION}/workspaces?q=none-such`);
      await expect(page.getByText("No workspace found")).toBeVisible();
      await expectNoViolations(page, "no results");
      await keygate.open("/nowhere");
      await expect(page.getByText("Nothing is here")).toBeVisible();
      await expect(page.getByRole("link", { name: "Models", exact: true })).toBeVisible();
      await expectNoViolations(page, "not found");
    });

    test("endpoints", async ({ keygate, page, server }) => {
      await page.route("**/console/v1/regions", async (route) => {
        const response = await route.fetch();
        const json = await response.json();
        const [{ endpoints }] = json.items;
        endpoints.push({ protocol: "openai", kind: "private", base_url: `http://127.0.0.1:${server.port + 1}/v1`, operations: [] });
        await route.fulfill({ response, json });
      });
      await keygate.open(`/${REGION}/endpoints`);
      await expect(page.getByText("Not checked").first()).toBeVisible();
      await expectNoViolations(page, "before the check");
      await page.getByRole("button", { name: "Check endpoints" }).click();
      await expect(page.getByText("Answers, but as US (Virginia)")).toBeVisible();
      await page.getByRole("tab", { name: "Anthropic" }).click();
      await page.getByRole("tab", { name: "Python" }).click();
      await expectNoViolations(page, "after it");
    });

    test("model permission", async ({ keygate, page }) => {
      const { id } = await keygate.createWorkspace("Research");
      const grants = ["qwen-plus", "qwen-max"].map((model) => ({ model, rpm: 5, tpm: 50 }));
      await keygate.api("PATCH", `/regions/${REGION}/workspaces/${id}`, { grants });
      const { secret } = await keygate.createKey(id, "Nightly");
      await keygate.callModel(id, secret, "qwen-plus");
      await keygate.open(`/${REGION}/workspaces/${id}`);
      await page.getByRole("button", { name: "Add models" }).click();
      const selector = keygate.dialog("Add models");
      await selector.locator("tbody").getByRole("checkbox").nth(1).check();
      await expectNoViolations(page, "selector");
      await selector.getByRole("button", { name: /^Type/ }).click();
      await expect(page.locator(".menu:popover-open")).toHaveCount(1);
      await expectNoViolations(page, "filter");
      await page.keyboard.press("Escape");
      await selector.getByRole("button", { name: "Show selected" }).click();
      await expectNoViolations(page, "selected");
      await selector.getByRole("button", { name: /^Select \(1\)/ }).click();
      await page.getByLabel("Times per minute, qwen-max").fill("x");
      await page.getByRole("button", { name: "Remove qwen-plus" }).click();
      await page.getByRole("button", { name: "Save changes" }).click();
      await expect(page.getByLabel("Times per minute, qwen-max")).toBeFocused();
      await expectNoViolations(page, "drawer");
      await page.getByLabel("Times per minute, qwen-max").fill("3");
      await page.getByRole("button", { name: "Save changes" }).click();
      await expect(keygate.dialog("Remove models and save")).toBeVisible();
      await expectNoViolations(page, "confirm");
      await page.keyboard.press("Control+Enter");
      await expect(page.getByRole("dialog")).toHaveCount(0);
      await keygate.open(`/${REGION}/w/${id}/models`);
      await expect(keygate.row("qwen-max")).toBeVisible();
      await expectNoViolations(page, "models");
      await page.getByRole("link", { name: "qwen-max", exact: true }).click();
      await expect(page.getByRole("table", { name: "Prices" })).toBeVisible();
      await expectNoViolations(page, "model");
    });

    test("API keys", async ({ keygate, page }) => {
      const { id } = await keygate.defaultWorkspace();
      await keygate.openKeys(id);
      await expect(page.getByText("No API keys yet")).toBeVisible();
      await expectNoViolations(page, "empty");
      await page.getByRole("button", { name: /^Add API key \d/ }).click();
      await page.getByLabel("Description", { exact: true }).fill("Production");
      await expectNoViolations(page, "add");
      await page.keyboard.press("Enter");
      const created = keygate.dialog("Save your API key");
      await expect(created).toBeVisible();
      await created.getByRole("button", { name: "Done" }).press("Enter");
      await expectNoViolations(page, "secret");
      await created.getByLabel("I have saved this key").check();
      await created.getByRole("button", { name: "Done" }).click();
      await expect(keygate.row("Production")).toBeVisible();
      await expectNoViolations(page, "list");
      await keygate.choose("Production", "Copy ID");
      await expect(page.getByText("API key ID copied")).toBeVisible();
      await expectNoViolations(page, "toast");
      await keygate.choose("Production", "Edit");
      const edit = keygate.dialog("Edit API key");
      await edit.getByRole("radio", { name: "Custom" }).check();
      await edit.getByLabel("Restrict models").check();
      await edit.getByRole("radio", { name: "Date and time" }).check();
      await edit.getByRole("button", { name: "Save changes" }).click();
      await expect(edit.getByText("Choose at least one model")).toBeVisible();
      await edit.getByLabel("Restrict addresses").check();
      await edit.getByLabel("Address or CIDR block").fill("0.0.0.0/0, 10.0.0.1/8, nope,");
      await expect(edit.getByRole("list", { name: "Addresses" }).getByRole("listitem")).toHaveCount(2);
      await expectNoViolations(page, "edit");
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "Discard changes" }).click();
      await keygate.choose("Production", "Temporary key…");
      await page.getByLabel("Works for, in seconds").fill("0");
      await page.keyboard.press("Enter");
      await expectNoViolations(page, "temporary key");
      await page.getByLabel("Works for, in seconds").fill("600");
      await page.keyboard.press("Enter");
      await expect(page.locator(".ring")).toBeVisible();
      await expectNoViolations(page, "temporary key, counting");
      await page.keyboard.press("Escape");
      await keygate.choose("Production", "Reset…");
      await page.getByRole("radio", { name: "Works for some minutes" }).check();
      await expectNoViolations(page, "reset");
      await page.getByRole("radio", { name: "Works for 1 hour" }).check();
      await page.keyboard.press("Control+Enter");
      await created.getByLabel("I have saved this key").check();
      await created.getByRole("button", { name: "Done" }).click();
      await expect(page.getByText("Old secret works until")).toBeVisible();
      await keygate.choose("Production", "End overlap…");
      await expectNoViolations(page, "end overlap");
      await page.keyboard.press("Escape");
      await keygate.choose("Production", "Disable…");
      await expectNoViolations(page, "disable");
      await page.keyboard.press("Control+Enter");
      await expect(keygate.row("Production").getByText("disabled", { exact: true })).toBeVisible();
      await page.getByRole("button", { name: "Actions for Production" }).click();
      await expectNoViolations(page, "disabled, with its menu");
      await page.keyboard.press("Escape");
      await keygate.choose("Production", "Delete…");
      await page.getByRole("button", { name: "Delete API key" }).click();
      await expectNoViolations(page, "delete");
    });
  });
}
