import { type Console, expect, type Page, REGION, test } from "../fixtures.ts";
import { pretend } from "../usage.ts";

async function open(keygate: Console, path: string) {
  const { id } = await keygate.defaultWorkspace();
  await keygate.open(`/${REGION}/w/${id}/${path}`);
  await expect(keygate.page.locator(".chart path.grid").first()).toBeVisible({ timeout: 15_000 });
}

const chart = (page: Page, name: string) => page.getByRole("region", { name, exact: true });
/** The words beside the upright axis. */
const values = (page: Page, name: string) => chart(page, name).locator("svg text[text-anchor=end]:not(.limit)").allTextContents();

test("the pages of a table keep the focus when they turn and when newer figures come", async ({ keygate, page }) => {
  await page.clock.install();
  const { asked } = await pretend(page);
  await open(keygate, "monitoring?range=24h");
  const calls = chart(page, "Calls per minute");
  await calls.getByRole("button", { name: "Table" }).click();
  const next = calls.getByRole("button", { name: "Next" });
  await next.click();
  await expect(calls.getByText("Page 2 of 24")).toBeVisible();
  await expect(next).toBeFocused();
  const first = calls.getByRole("rowheader").first();
  const before = await first.textContent();
  const { length } = asked;
  await page.clock.fastForward(61_000);
  await expect.poll(() => asked.slice(length).filter((query) => query !== "live").length).toBeGreaterThan(0);
  await expect(first).not.toHaveText(before!);
  await expect(next).toBeFocused();
  await expect(calls.getByText("Page 2 of 24")).toBeVisible();
});

test("a link in Analytics keeps the focus while its row stays", async ({ keygate, page }) => {
  await pretend(page);
  await open(keygate, "analytics?what=calls");
  const link = page.getByRole("link", { name: "qwen-max" });
  await link.focus();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/model=qwen-max$/);
  await expect(page.getByRole("link", { name: "qwen-plus" })).toHaveCount(0);
  await expect(link).toBeFocused();
});

test("what is switched off is told from what is not there", async ({ keygate, page }) => {
  const traffic = await pretend(page, { calls: () => 5 });
  await open(keygate, "monitoring");
  const calls = chart(page, "Calls per minute");
  for (const name of ["ok", "throttled", "server error"]) await calls.getByRole("button", { name, exact: true }).click();
  await expect(calls.locator(".none")).toHaveText("Nothing in the series that are switched on");
  await calls.getByRole("button", { name: "client error", exact: true }).click();
  await expect(calls.locator(".none")).toHaveText("Every series is switched off");
  await calls.getByRole("button", { name: "ok", exact: true }).click();
  await expect(calls.locator(".none")).toHaveCount(0);
  Object.assign(traffic, { calls: () => 0, models: [] });
  await open(keygate, "analytics");
  await expect(chart(page, "Tokens by model").locator(".none")).toHaveText("Nothing was used then.");
});

test("words beside the axis tell small values apart", async ({ keygate, page }) => {
  await pretend(page, { calls: (i) => (i === 700 ? 1 : 0), models: ["qwen-plus"] });
  await open(keygate, "monitoring?range=30d");
  expect(await values(page, "Calls against the limit")).toEqual(["0", "0.005", "0.01", "0.015", "0.02"]);
});

test("words beside the axis tell small amounts of money apart", async ({ keygate, page }) => {
  await pretend(page, { calls: (i) => (i === 20 ? 1 : 0), models: ["qwen-plus"], cost: { CNY: 0.0000009 } });
  await open(keygate, "analytics?what=cost");
  await expect(chart(page, "Cost in CNY by model")).toContainText("CN¥0.0000009, last 30 days");
  const words = await values(page, "Cost in CNY by model");
  expect(words).toContain("CN¥0.0000005");
  expect(new Set(words).size).toBe(words.length);
});

test("no word of a chart is cut off", async ({ keygate, page }) => {
  const time = new Date();
  // The range begins at twenty to, which is written below the very edge.
  time.setMinutes(39, 30, 0);
  await page.clock.install({ time });
  await pretend(page, { calls: () => 5, models: ["text-embedding-v4"] });
  await open(keygate, "monitoring");
  await expect(page.locator(".chart svg text", { hasText: /:40/ }).first()).toBeVisible();
  const cut = () => page.locator(".chart").evaluateAll((charts) => charts.flatMap((chart) => {
    const frame = chart.querySelector(".plot svg")!.getBoundingClientRect();
    const words = [...chart.querySelectorAll(".plot text")].filter((text) => {
      const { left, right } = text.getBoundingClientRect();
      return left < frame.left || right > frame.right;
    });
    const head = chart.querySelector("h2")!;
    return [...words, ...(head.scrollWidth > head.clientWidth ? [head] : [])].map((element) => element.textContent);
  }));
  expect(await cut()).toEqual([]);
  await page.getByRole("button", { name: "30 d" }).click();
  await expect(chart(page, "Calls against the limit")).toContainText("hourly average");
  expect(await cut()).toEqual([]);
});

for (const [path, words, button] of [["monitoring?range=7d", "Back to the last 7 days", "7 d"], ["analytics?range=90d", "Back to the last 90 days", "90 d"]] as const) {
  test(`from a piece of the range there is a way back: ${path}`, async ({ keygate, page }) => {
    await pretend(page);
    await open(keygate, path);
    const begin = page.url();
    await page.getByRole("application").first().focus();
    for (const key of ["Home", "ArrowRight", "Shift+ArrowRight", "Enter"]) await page.keyboard.press(key);
    await expect(page).toHaveURL(/range=(7d|90d)&from=[^&]+&to=[^&]+$/);
    const back = page.getByRole("link", { name: words });
    await back.focus();
    await page.keyboard.press("Enter");
    await expect(page).toHaveURL(begin);
    await expect(page.getByRole("button", { name: button, exact: true })).toBeFocused();
    await expect(back).toHaveCount(0);
    await page.goBack();
    await page.goBack();
    await expect(page, "a piece is a step in the history").toHaveURL(begin);
  });
}

test("of 2,000 models one is searched for", async ({ keygate, page }) => {
  test.setTimeout(60_000);
  await pretend(page, { calls: (i) => (i === 20 ? 5_000_000 : 0), models: Array.from({ length: 2_000 }, (_, i) => `model-${i}`) });
  await open(keygate, "analytics?what=calls");
  await expect(page.getByRole("table", { name: "Groups" }).getByRole("row")).toHaveCount(102);
  await page.getByRole("button", { name: "Next" }).click();
  await expect(page.getByText("Page 2 of 20")).toBeVisible();
  const filter = page.getByRole("button", { name: "Model: any" });
  await filter.focus();
  await page.keyboard.press("Enter");
  const field = page.getByRole("combobox", { name: "Search" });
  await expect(field).toBeFocused();
  await expect(page.getByRole("option")).toHaveCount(50);
  await expect(page.getByText("1,951 more. Type to find them.")).toBeVisible();
  await field.fill("MODEL-177");
  await expect(page.getByRole("option")).toHaveText(["model-177", ...Array.from({ length: 10 }, (_, i) => `model-177${i}`)]);
  for (const key of ["ArrowDown", "ArrowDown", "Enter"]) await page.keyboard.press(key);
  await expect(page).toHaveURL(/model=model-1771$/);
  await expect(page.getByRole("button", { name: "Model: model-1771" })).toBeFocused();
  await expect(field).toHaveCount(0);
});

test("of 2,000 models Monitoring shows a hundred at a time", async ({ keygate, page }) => {
  test.setTimeout(60_000);
  await pretend(page, { calls: (i) => (i === 20 ? 5_000_000 : 0), models: Array.from({ length: 2_000 }, (_, i) => `model-${i}`) });
  await open(keygate, "monitoring");
  const table = page.getByRole("table", { name: "Models" });
  await expect(table.getByRole("row")).toHaveCount(101);
  await expect(table.getByRole("link", { name: "model-0", exact: true })).toBeVisible();
  await page.getByRole("button", { name: "Next" }).click();
  await expect(page.getByText("Page 2 of 20")).toBeVisible();
  await expect(table.getByRole("link", { name: "model-0", exact: true })).toHaveCount(0);
  await expect(table.getByRole("link", { name: "model-100", exact: true })).toBeVisible();
});
