import { expect, open, test } from '../fixtures.ts'

test('creates a database and a table in it, and drops both', async ({ page, cluster }) => {
  await open(page, cluster.url(0), 'master')
  await page.getByLabel('Name of the new database').fill('shop')
  await page.getByRole('button', { name: 'Create database' }).click()
  await expect(page.locator('tr[data-database="shop"]')).toBeVisible()

  await page.getByRole('tab', { name: 'New table' }).click()
  await page.getByRole('combobox', { name: 'Database' }).click()
  await page.getByRole('option', { name: 'shop' }).click()
  await page.getByRole('textbox', { name: 'Table' }).fill('items')
  await page.getByRole('button', { name: 'Add column' }).click()
  await page.getByLabel('Name of column 2').fill('label')
  await page.getByLabel('Column 2 is not null').check()
  await page.getByLabel('Default of column 2').fill("it's new")
  const sql = page.getByRole('region', { name: 'The statement' })
  await expect(sql).toContainText("label TEXT NOT NULL DEFAULT 'it''s new'")
  await page.getByRole('button', { name: 'Create table' }).click()
  await expect(page.getByText('The table items is there')).toBeVisible()

  await page.getByRole('tab', { name: 'Databases' }).click()
  await page.getByRole('button', { name: 'Drop the table items' }).click()
  await page.getByLabel(/^Type items to confirm/).fill('items')
  await page.getByRole('button', { name: 'Drop', exact: true }).last().click()
  await expect(page.getByRole('dialog')).toHaveCount(0)
  await page.locator('tr[data-database="shop"]').getByRole('button', { name: 'Drop', exact: true }).click()
  const drop = page.getByRole('dialog').getByRole('button', { name: 'Drop', exact: true })
  await page.getByLabel(/^Type shop to confirm/).fill('sho')
  await expect(drop).toBeDisabled()
  await page.getByLabel(/^Type shop to confirm/).fill('shop')
  await drop.click()
  await expect(page.locator('tr[data-database="shop"]')).toHaveCount(0)
})

test('says at other nodes whose this is, and goes there', async ({ page, cluster }) => {
  await open(page, cluster.url(1), 'master')
  await expect(page.getByText('Databases and tables are made and dropped at node 0')).toBeVisible()
  await expect(page.getByRole('link', { name: 'its own console' })).toHaveAttribute('href', `${cluster.url(0)}/#/master`)
  await page.getByRole('button', { name: 'Speak with node 0' }).click()
  await expect(page.getByRole('button', { name: 'Create database' })).toBeVisible()
})

test('promotes another node, and verifies that all are equal', async ({ page, cluster }) => {
  await open(page, cluster.url(0), 'master/nodes')
  const nodes = page.getByRole('region', { name: 'Nodes of the cluster' })
  const promote = async (id: number) => {
    await nodes.getByRole('row', { name: new RegExp(`^${id} `) }).getByRole('button', { name: 'Promote' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Promote' }).click()
    await expect(page.getByText(`Node ${id} at`)).toBeVisible()
  }
  await promote(2)
  await promote(0)
  await page.getByRole('tab', { name: 'Verification' }).click()
  await page.getByRole('button', { name: 'Verify now' }).click()
  await expect(page.getByText('all nodes have the same content')).toBeVisible()
  await expect(page.getByText('Node 2: healthy')).toBeVisible()
})
