import { Cluster } from '../cluster.ts'
import { expect, test as base } from '../fixtures.ts'

/** Locking a cluster cannot be taken back, so that these have one of their own: a single node will do. */
const test = base.extend<object, { guarded: Cluster }>({
  guarded: [
    async ({}, use) => {
      const cluster = await Cluster.start(1)
      await use(cluster)
      await cluster.stop()
    },
    { scope: 'worker' },
  ],
})

test('locks a cluster, makes a token for a reader, who sees no write controls', async ({ page, guarded, context }) => {
  await guarded.exec('CREATE TABLE guarded_rows (id INTEGER PRIMARY KEY)')
  await page.goto(`${guarded.url(0)}/#/master/tokens`)
  await page.getByRole('button', { name: 'Make the first token' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Make the token' }).click()
  await expect(page.getByText('The token admin is made')).toBeVisible()
  await page.getByLabel('Name', { exact: true }).fill('reader')
  await page.getByRole('button', { name: 'Make token' }).click()
  await expect(page.getByText('The token reader is made')).toBeVisible()
  const reader = (await page.getByRole('region', { name: 'The new token' }).textContent()) ?? ''

  const other = await context.newPage()
  await other.goto(`${guarded.url(0)}/#/operations`)
  await expect(other.getByRole('heading', { name: 'Sign in' })).toBeVisible()
  await other.getByLabel('Token', { exact: true }).fill('distdb_wrong')
  await other.getByRole('button', { name: 'Sign in' }).click()
  await expect(other.getByRole('alert')).toContainText('does not know this token')
  await other.getByLabel('Token', { exact: true }).fill(reader)
  await other.getByRole('button', { name: 'Sign in' }).click()
  await expect(other.getByRole('heading', { name: 'Operations', level: 1 })).toBeVisible()
  await other.getByRole('combobox', { name: 'Operation' }).click()
  await expect(other.getByRole('option', { name: 'SEARCH' })).toBeVisible()
  await expect(other.getByRole('option', { name: 'INSERT' })).toHaveCount(0)
  await other.keyboard.press('Escape')
  await other.getByRole('link', { name: 'Master' }).click()
  await expect(other.getByRole('region', { name: 'All databases' })).toBeVisible()
  await expect(other.getByRole('button', { name: /Create|Drop/ })).toHaveCount(0)
  await other.getByRole('link', { name: 'Data' }).click()
  await other.getByRole('link', { name: 'guarded_rows' }).click()
  await expect(other.getByText('guarded_rows has no rows')).toBeVisible()
  await expect(other.getByRole('button', { name: /Add a row|Delete/ })).toHaveCount(0)
  await other.getByRole('link', { name: 'Query log' }).click()
  await expect(other.getByRole('option', { name: /guarded_rows/ })).toBeVisible()
  await other.getByRole('link', { name: 'SQL' }).click()
  await expect(other.getByText('Your token may read.', { exact: false })).toBeVisible()
  await other.getByRole('link', { name: 'Master' }).click()

  // Loading it anew keeps the token; revoking it ends the session by itself.
  await other.reload()
  await expect(other.getByRole('region', { name: 'All databases' })).toBeVisible()
  await page.getByRole('row', { name: /^reader/ }).getByRole('button', { name: 'Revoke' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
  await expect(other.getByRole('heading', { name: 'Sign in' })).toBeVisible()

  // A tab of its own knows nothing of this one's token.
  await page.getByRole('button', { name: 'Sign out' }).click()
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
})
