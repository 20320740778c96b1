import type { Page } from '@playwright/test'
import { expect, open, test } from '../fixtures.ts'

async function choose(page: Page, label: string, option: string | RegExp) {
  await page.getByRole('combobox', { name: label }).click()
  await page.getByRole('option', { name: option }).click()
}

test('every operation of the original form, from CREATE_DB to DROP_DB', async ({ page, cluster }) => {
  await open(page, cluster.url(0), 'operations')
  const answer = page.getByRole('region', { name: 'The answer' })
  const request = page.getByRole('region', { name: 'The request' })
  const send = async () => {
    const done = page.waitForResponse(r => r.url().endsWith('/query'))
    await page.getByRole('button', { name: 'Send' }).click()
    expect((await done).status()).toBe(200)
    await expect(answer).toBeVisible()
  }

  await choose(page, 'Operation', 'CREATE_DB')
  await page.getByRole('textbox', { name: 'Database' }).fill('opsdb')
  await expect(request).toContainText('"command": "CREATE_DB"')
  await expect(request).toContainText('"database": "opsdb"')
  await send()

  await choose(page, 'Operation', 'CREATE_TABLE')
  await page.getByRole('textbox', { name: 'Table' }).fill('pets')
  await page.getByRole('textbox', { name: 'Columns' }).fill('{"id": "int primary key", "name": "string not null"}')
  await send()

  await choose(page, 'Operation', 'INSERT')
  await page.getByRole('textbox', { name: 'Data' }).fill('[{"name": "Rex"}, {"name": "Mia"}]')
  await send()
  await expect(answer).toContainText('"rows_affected": 2')

  await choose(page, 'Operation', 'UPDATE')
  await page.getByRole('textbox', { name: 'Data' }).fill('{"name": "Max"}')
  await page.getByRole('textbox', { name: 'Condition' }).fill('{"id": 1}')
  await send()
  await expect(answer).toContainText('"rows_affected": 1')

  await choose(page, 'Operation', 'SEARCH')
  await page.getByRole('textbox', { name: 'Columns' }).fill('["name"]')
  await send()
  await expect(answer).toContainText('"Max"')

  await choose(page, 'Operation', 'DELETE')
  await send()
  await expect(answer).toContainText('"rows_affected": 1')

  await choose(page, 'Operation', 'DROP_TABLE')
  await page.getByRole('button', { name: 'Send' }).click()
  await expect(page.getByRole('button', { name: 'Drop', exact: true })).toBeDisabled()
  await page.getByLabel(/^Type pets to confirm/).fill('pets')
  await page.getByRole('button', { name: 'Drop', exact: true }).click()
  await expect(answer).toBeVisible()

  await choose(page, 'Operation', 'DROP_DB')
  await page.getByRole('button', { name: 'Send' }).click()
  await page.getByLabel(/^Type opsdb to confirm/).fill('opsdb')
  await page.getByRole('button', { name: 'Drop', exact: true }).click()
  await expect(page.getByRole('dialog')).toHaveCount(0)
  await expect(answer).toBeVisible()
})

test('says what a field is for, what is wrong with it, and where the schema is changed', async ({ page, cluster }) => {
  await open(page, cluster.url(1), 'operations')
  await page.getByLabel('Condition').focus()
  await expect(page.getByRole('tooltip')).toContainText('All of them must hold')
  await page.getByRole('textbox', { name: 'Condition' }).fill('{"id": ')
  await expect(page.getByText(/^Not JSON/)).toBeVisible()
  await expect(page.getByRole('button', { name: 'Send' })).toBeDisabled()
  await choose(page, 'Operation', 'CREATE_DB')
  await page.getByRole('button', { name: 'Send it to node 0' }).click()
  await expect(page.getByRole('region', { name: 'The request' })).toContainText(`POST ${cluster.url(0)}/query`)
})

test('shows what a node refuses, and why', async ({ page, cluster }) => {
  await open(page, cluster.url(0), 'operations')
  await page.getByRole('combobox', { name: 'Table' }).fill('no such table')
  await page.getByRole('button', { name: 'Send' }).click()
  await expect(page.getByRole('alert')).toContainText('no such table')
  await expect(page.getByRole('alert')).toContainText('sql_error')
})
