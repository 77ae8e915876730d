// Whether a page can be used by everyone, as far as axe can tell.

import AxeBuilder from "@axe-core/playwright";
import { expect, type Page } from "./fixtures.ts";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Lets axe look at the page once what moves has come to rest: a fade half-way through has no contrast of its own. */
export async function expectNoViolations(page: Page, where: string) {
  await page.evaluate(() => Promise.all(document.getAnimations().map((a) => (a.effect?.getTiming().iterations === Infinity ? undefined : a.finished.catch(() => {})))));
  const { violations } = await new AxeBuilder({ page }).withTags(RULES).analyze();
  expect(violations.map((v) => `${where}: ${v.id}: ${v.nodes.map((n) => `${n.target} ${n.failureSummary}`).join(" | ")}`)).toEqual([]);
}
