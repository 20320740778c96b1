import { expect, open, test } from '../fixtures.ts'

test('shows every node, live, with charts and a picture of the replication', async ({ page, cluster }) => {
  await open(page, cluster.url(1), 'cluster')
  const nodes = page.getByRole('region', { name: 'All nodes' })
  for (const id of [0, 1, 2]) {
    await expect(nodes.locator(`tr[data-node="${id}"]`)).toHaveAttribute('data-health', 'good')
  }

  await expect(nodes.locator('tr[data-node="0"]').getByText('master')).toBeVisible()
  await expect(nodes.getByText('leader')).toHaveCount(1)
  await expect(page.getByRole('img', { name: /leads and replicates to nodes/ })).toBeVisible()
  for (const chart of ['Writes per second', 'Reads per second', 'Latency, p99', 'Lag in entries']) {
    await expect(page.getByRole('img', { name: new RegExp(`^${chart}`) }).locator('canvas')).toBeVisible()
  }

  const index = page.locator('.tile', { hasText: 'Log index' }).locator('.tile-value')
  const before = await index.textContent()
  await cluster.exec('CREATE TABLE IF NOT EXISTS seen (id INTEGER PRIMARY KEY)')
  await expect(index).not.toHaveText(before ?? '')
})

test('a node that dies turns red within two seconds, and green again when it is back', async ({ page, cluster }) => {
  await open(page, cluster.url(0), 'cluster')
  const node = page.locator('tr[data-node="2"]')
  await expect(node).toHaveAttribute('data-health', 'good')
  await cluster.kill(2)
  // The requirement is two seconds; the rest is for a machine that is busy with something else.
  await expect(node).toHaveAttribute('data-health', 'bad', { timeout: 5000 })
  await expect(page.getByText('2 of 3 nodes up')).toBeVisible()
  await expect(page.getByRole('img', { name: /does not reach node 2/ }).or(page.getByText('no leader'))).toBeVisible()
  cluster.startNode(2)
  await expect(node).toHaveAttribute('data-health', 'good', { timeout: 30_000 })
  await cluster.whenReady(2)
})

test('goes on at another node when the one that served it dies, and says so', async ({ page, cluster }) => {
  await open(page, cluster.url(1), 'cluster')
  await expect(page.getByText('As node 1 sees it')).toBeVisible()
  // All pages are got ahead, shortly after the first is shown; on a busy machine that takes its time.
  await page.waitForFunction(() =>
    ['Sql', 'Data', 'Operations', 'Master', 'History'].every(name =>
      (performance.getEntriesByType('resource') as PerformanceResourceTiming[]).some(r => r.name.includes(`/${name}Page`) && r.name.endsWith('.js') && r.responseEnd > 0),
    ),
  )
  await cluster.kill(1)
  await expect(page.getByText(/^This page now uses node [02]$/)).toBeVisible()
  await expect(page.locator('tr[data-node="1"]')).toHaveAttribute('data-health', 'bad')

  // Pages that were not looked at before come from the node that is gone; and requests go to the new one.
  await page.getByRole('link', { name: 'Operations' }).click()
  await expect(page.getByRole('heading', { name: 'Operations', level: 1 })).toBeVisible()
  await page.getByRole('link', { name: 'Master' }).click()
  await page.getByRole('tab', { name: 'Nodes' }).click()
  await expect(page.getByRole('region', { name: 'Nodes of the cluster' }).getByText('down')).toBeVisible()

  cluster.startNode(1)
  await cluster.whenReady(1)
  await expect(page.getByText('3 of 3 nodes up')).toBeVisible()
})

test('a frozen node turns red, the page that it served goes on at another one, and takes a write along that is done once', async ({ page, cluster }) => {
  await cluster.exec('CREATE TABLE IF NOT EXISTS moved (id INTEGER PRIMARY KEY)')
  await open(page, cluster.url(2), 'sql')
  await page.getByRole('textbox', { name: 'SQL' }).click()
  await page.keyboard.insertText('INSERT INTO moved DEFAULT VALUES')
  cluster.freeze(2)
  try {
    const sent = page.waitForRequest(r => r.url() === `${cluster.url(2)}/query`)
    const sentAgain = page.waitForRequest(r => r.url().endsWith('/query') && !r.url().startsWith(cluster.url(2)) && r.method() === 'POST')
    await page.keyboard.press('Control+Enter')
    expect((await sentAgain).postData()).toBe((await sent).postData())
    await expect(page.getByRole('region', { name: 'Results' }).getByRole('status')).toContainText(/1 row changed.*node [01]/)
    await expect(page.getByText(/^This page now uses node [01]$/)).toBeVisible()
    await page.getByRole('link', { name: 'Cluster' }).click()
    await expect(page.locator('tr[data-node="2"]')).toHaveAttribute('data-health', 'bad')
  } finally {
    cluster.thaw(2)
  }

  await expect(page.locator('tr[data-node="2"]')).toHaveAttribute('data-health', 'good')
  await cluster.whenReady(2)
  // What the frozen node had got, it has handed on by now, if it did at all.
  expect((await cluster.send({ command: 'query', query: 'SELECT count(*) FROM moved', consistency: 'strong' }, 2)).rows).toEqual([[1]])
})

test('goes to the node that is chosen', async ({ page, cluster }) => {
  await open(page, cluster.url(0), 'cluster')
  await page.getByRole('combobox', { name: 'The node that this page speaks with' }).click()
  await page.getByRole('option', { name: 'Node 2' }).click()
  await expect(page.getByText('As node 2 sees it')).toBeVisible()
  await expect(page.getByText(/^This page now uses/)).toHaveCount(0)
})
