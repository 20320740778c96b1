import { Cluster } from '../cluster.ts'
import { expect, open, test as base } from '../fixtures.ts'

/** Two nodes that speak TLS: one serves the page, and the other one, though without a majority, goes on with it. */
const test = base.extend<object, { secured: Cluster }>({
  secured: [
    async ({}, use) => {
      const cluster = await Cluster.start(2, {}, true)
      await use(cluster)
      await cluster.stop()
    },
    { scope: 'worker', timeout: 120_000 },
  ],
})

test.use({ ignoreHTTPSErrors: true })

test('over TLS the page is live, sends, and goes on at another node when the one that served it dies', async ({ page, secured }) => {
  await open(page, secured.url(1), 'cluster')
  expect(await page.evaluate(() => window.isSecureContext && location.protocol)).toBe('https:')
  await expect(page.locator('tr[data-node="0"]')).toHaveAttribute('data-health', 'good')
  const index = page.locator('.tile', { hasText: 'Log index' }).locator('.tile-value')
  const before = await index.textContent()
  await page.getByRole('link', { name: 'SQL' }).click()
  await page.getByRole('textbox', { name: 'SQL' }).click()
  await page.keyboard.insertText('CREATE TABLE sealed (id INTEGER PRIMARY KEY)')
  // Another origin than the page's, which its policy must let it speak with.
  await page.getByRole('combobox', { name: 'Node', exact: true }).click()
  await page.getByRole('option', { name: 'Node 0 (master)' }).click()
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Run', exact: true }).click()
  await expect(page.getByText('Done; no row was changed')).toBeVisible()
  await page.getByRole('link', { name: 'Cluster' }).click()
  await expect(index).not.toHaveText(before ?? '')

  await secured.kill(1)
  await expect(page.getByText('This page now uses node 0')).toBeVisible()
  await expect(page.locator('tr[data-node="1"]')).toHaveAttribute('data-health', 'bad')
})
