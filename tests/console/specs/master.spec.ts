import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect, open, test, type Page } from '../fixtures.ts'

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

test('downloads a backup from any node, which is a SQLite file with all of its bytes', async ({ page, cluster }) => {
  await cluster.exec('CREATE TABLE IF NOT EXISTS kept (id INTEGER PRIMARY KEY, content BLOB)')
  await cluster.exec('INSERT INTO kept (content) VALUES (randomblob(300000))')
  await page.addInitScript(() => delete (window as { showSaveFilePicker?: unknown }).showSaveFilePicker)
  await open(page, cluster.url(1), 'master/databases')
  const answered = page.waitForResponse(r => r.url().endsWith('/backup/main'))
  const saved = page.waitForEvent('download')
  await page.getByRole('button', { name: 'Download main' }).click()
  const download = await saved
  expect(download.suggestedFilename()).toMatch(/^main-\d{8}T\d{6}Z-\d+\.db$/)
  const content = readFileSync(await download.path())
  expect(content.subarray(0, 15).toString()).toBe('SQLite format 3')
  expect(content.length).toBeGreaterThan(300_000)
  const answer = await answered
  expect(answer.headers()['repr-digest']).toBe(`sha-256=:${createHash('sha256').update(content).digest('base64')}:`)
  await expect(page.getByText('Backup of main: done')).toBeVisible()

  // One that changes on the way is not kept.
  await page.getByRole('button', { name: 'Dismiss' }).click()
  await page.route('**/backup/main', async route => {
    const response = await route.fetch()
    const body = await response.body()
    body[body.length - 1]! ^= 1
    await route.fulfill({ response, body })
  })
  await page.getByRole('button', { name: 'Download main' }).click()
  await expect(page.getByRole('alert', { name: 'Backup of main: The backup came damaged' })).toContainText('Nothing was kept')
  await page.unroute('**/backup/main')

  const archived = page.waitForEvent('download')
  await page.getByRole('button', { name: 'Download all' }).click()
  const archive = await archived
  expect(archive.suggestedFilename()).toMatch(/^distdb-\d{8}T\d{6}Z-\d+\.tar$/)
  expect(readFileSync(await archive.path()).toString('latin1')).toContain('main.db')
})

test('takes a backup that breaks off anew from another node, and says so', async ({ page, cluster }) => {
  await cluster.exec('CREATE TABLE IF NOT EXISTS kept (id INTEGER PRIMARY KEY, content BLOB)')
  await page.addInitScript(() => {
    delete (window as { showSaveFilePicker?: unknown }).showSaveFilePicker
    const real = window.fetch
    let isFirst = true
    window.fetch = async (input, init) => {
      const response = await real(input, init)
      if (!String(input).endsWith('/backup/main') || !isFirst) {
        return response
      }

      isFirst = false
      const reader = response.body!.getReader()
      let pieces = 0
      return new Response(
        new ReadableStream({
          pull: async controller => (pieces++ === 0 ? controller.enqueue((await reader.read()).value!) : controller.error(new TypeError('network error'))),
        }),
        { headers: response.headers },
      )
    }
  })
  await open(page, cluster.url(1), 'master/databases')
  const other = page.waitForResponse(r => r.url().endsWith('/backup/main') && !r.url().startsWith(cluster.url(1)) && r.request().method() === 'GET')
  const saved = page.waitForEvent('download')
  await page.getByRole('button', { name: 'Download main' }).click()
  const download = await saved
  // What names the file, and says which bytes it must have, is another origin's by now, which the browser tells the page by the node's leave alone.
  const headers = (await other).headers()
  expect(headers['content-disposition']).toContain(download.suggestedFilename())
  const content = readFileSync(await download.path())
  expect(headers['repr-digest']).toBe(`sha-256=:${createHash('sha256').update(content).digest('base64')}:`)
  await expect(page.getByText(`It broke off at first, and then came anew from node ${headers['x-distdb-node']}.`)).toBeVisible()
})

test('writes a backup to disk as it comes, goes on with it at another page, and keeps nothing when it is cancelled', async ({ page, cluster }) => {
  await saveInPrivateFiles(page)
  await open(page, cluster.url(0), 'master/databases')
  await page.getByRole('button', { name: 'Download main' }).click()
  await expect(page.getByText('Backup of main: done')).toBeVisible()
  const sizes = await privateFiles(page)
  expect(Object.keys(sizes)).toEqual([expect.stringMatching(/^main-\d{8}T\d{6}Z\.db$/)])
  expect(Object.values(sizes)[0]).toBeGreaterThan(4000)

  // A node that takes its time.
  let release = () => {}
  const held = new Promise<void>(done => (release = done))
  await page.route('**/backup', async route => {
    await held
    await route.abort()
  })
  await page.getByRole('button', { name: 'Download all' }).click()
  await expect(page.getByText('The node makes a copy.')).toBeVisible()
  await expect(page.getByRole('button', { name: 'Download main' })).toBeDisabled()
  await page.getByRole('link', { name: 'Operations' }).click()
  await page.getByRole('button', { name: 'Cancel' }).click()
  await expect(page.getByText('Backup of all databases: cancelled. Nothing was kept.')).toBeVisible()
  release()
  expect(await privateFiles(page)).toEqual(sizes)
})

test('changes a member’s address, and refuses what is none or another node’s', async ({ page, cluster }) => {
  await open(page, cluster.url(0), 'master/nodes')
  const row = page.getByRole('region', { name: 'Nodes of the cluster' }).getByRole('row', { name: /^2 / })
  const change = async (address: string) => {
    await row.getByRole('button', { name: 'Change address' }).click()
    await page.getByLabel('Address', { exact: true }).fill(address)
  }
  const dialog = page.getByRole('dialog')
  const confirm = dialog.getByRole('button', { name: 'Change address' })
  await change('nowhere')
  await expect(dialog).toContainText('This is not the address of a node')
  await expect(confirm).toBeDisabled()
  await page.getByLabel('Address', { exact: true }).fill(cluster.url(1))
  await expect(dialog).toContainText('This is the address of node 1.')
  await expect(confirm).toBeDisabled()
  await page.getByLabel('Address', { exact: true }).fill(cluster.url(2))
  await expect(confirm).toBeDisabled()

  const moved = cluster.url(2).replace('127.0.0.1', 'localhost')
  await page.getByLabel('Address', { exact: true }).fill(`${moved}/`)
  await confirm.click()
  await expect(page.getByText(`Node 2 is on record at ${moved} now.`)).toBeVisible()
  await expect(dialog).toHaveCount(0)
  await expect(row).toContainText('localhost')
  await change(cluster.url(2))
  await confirm.click()
  await expect(row).toContainText('127.0.0.1')
  await expect(row).toContainText('up')
})

/** Has the browser's private files stand for the folder that a user would choose. */
async function saveInPrivateFiles(page: Page): Promise<void> {
  await page.addInitScript(() =>
    Object.assign(window, {
      showSaveFilePicker: async ({ suggestedName }: { suggestedName: string }) => (await navigator.storage.getDirectory()).getFileHandle(suggestedName, { create: true }),
    }),
  )
}

/** Their names, with their sizes. */
function privateFiles(page: Page): Promise<Record<string, number>> {
  return page.evaluate(async () => {
    const sizes: Record<string, number> = {}
    for await (const [name, handle] of (await navigator.storage.getDirectory()).entries()) {
      sizes[name] = (await (handle as FileSystemFileHandle).getFile()).size
    }

    return sizes
  })
}
