import { AxeBuilder } from '@axe-core/playwright'
import { test as base, expect, type Page } from '@playwright/test'
import { Cluster } from './cluster.ts'

export { expect, type Page }

interface TestFixtures {
  /** What the browser's console said that it should not: errors, warnings, and breaches of the content security policy. */
  complaints: string[]
}

interface WorkerFixtures {
  /** One cluster of three for all tests, each of which leaves its nodes running. */
  cluster: Cluster
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  cluster: [
    async ({}, use) => {
      const cluster = await Cluster.start()
      await use(cluster)
      await cluster.stop()
    },
    { scope: 'worker', timeout: 120_000 },
  ],
  complaints: [
    async ({ page }, use) => {
      const complaints: string[] = []
      page.on('console', message => {
        if (['error', 'warning'].includes(message.type()) && !isAboutRefusal(message.text())) {
          complaints.push(message.text())
        }
      })
      page.on('pageerror', error => complaints.push(error.message))
      await use(complaints)
      expect(complaints).toEqual([])
    },
    { auto: true },
  ],
})

/** Opens a page of the console, such as `master/table`. */
export async function open(page: Page, url: string, path: string): Promise<void> {
  await page.goto(`${url}/#/${path}`)
  await expect(page.getByText(/of \d+ nodes up/)).toBeVisible()
}

/** Nothing serious stands between the page and somebody who cannot see or point. By some of axe's rules alone, or by all that WCAG AA has. */
export async function expectAccessible(page: Page, ...rules: string[]): Promise<void> {
  const axe = new AxeBuilder({ page })
  const { violations } = await (rules.length > 0 ? axe.withRules(rules) : axe.withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'])).analyze()
  const serious = violations.filter(v => v.impact === 'serious' || v.impact === 'critical')
  expect(serious.map(v => `${v.id}: ${v.nodes.map(n => `${n.target.join(' ')} ${n.failureSummary ?? ''}`).join('; ')}`)).toEqual([])
}

/** The page is no wider than its window. */
export async function expectToFit(page: Page): Promise<void> {
  expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0)
}

/** The browser says by itself that a node did not answer, or answered with an error: the page says it better. */
function isAboutRefusal(text: string): boolean {
  return text.startsWith('Failed to load resource')
}
