import { expect, expectAccessible, expectToFit, open, test, type Page } from '../fixtures.ts'

const runKey = 'Control+Enter'

/** Puts a text into the editor, with the cursor at its beginning. */
async function write(page: Page, sql: string): Promise<void> {
  await page.getByRole('textbox', { name: 'SQL' }).click()
  await page.keyboard.press('Control+a')
  await page.keyboard.insertText(sql)
  await page.keyboard.press('Control+Home')
}

function cell(page: Page, row: number, column: number) {
  return page.locator(`.grid-cell[data-row="${row}"][data-column="${column}"]`)
}

test.beforeAll(async ({ cluster }) => {
  await cluster.exec('CREATE TABLE IF NOT EXISTS sql_items (id INTEGER PRIMARY KEY, name TEXT NOT NULL)')
})

test('runs the statement at the cursor, shows values of all types exactly, and scrolls 100,000 rows', async ({ page, cluster }) => {
  await open(page, cluster.url(1), 'sql')
  await write(
    page,
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
SELECT i, 9007199254740993 AS big, 2.0 AS r, NULL AS none, x'00ff' AS bytes, 'text' AS t FROM n;
SELECT 'not this one';`,
  )
  await page.keyboard.press(runKey)
  const status = page.getByRole('region', { name: 'Results' }).getByRole('status')
  await expect(status).toContainText(/^100,000 rows · .* ms|s · log index \d+ · node \d$/)
  await expect(cell(page, 0, 1)).toHaveText('9007199254740993')
  await expect(cell(page, 0, 2)).toHaveText('2.0')
  await expect(cell(page, 0, 3)).toHaveText('NULL')
  await expect(cell(page, 0, 4)).toHaveText("2 B x'00ff'")
  await cell(page, 0, 0).click()
  await page.keyboard.press('Control+End')
  await expect(cell(page, 99_999, 0)).toHaveText('100000')
  expect(await page.locator('.grid-cell').count()).toBeLessThan(1000)
})

test('exports CSV and JSON without damage', async ({ page, cluster }) => {
  await open(page, cluster.url(0), 'sql')
  await write(page, `SELECT 9007199254740993 AS big, 'a "b", c' AS t, NULL AS none, '' AS empty`)
  await page.keyboard.press(runKey)
  await expect(cell(page, 0, 0)).toBeVisible()
  const exported = async (kind: string) => {
    const download = page.waitForEvent('download')
    await page.getByRole('button', { name: kind, exact: true }).click()
    const chunks = await (await (await download).createReadStream()).toArray()
    return Buffer.concat(chunks as Buffer[]).toString()
  }
  expect(await exported('CSV')).toBe('big,t,none,empty\r\n9007199254740993,"a ""b"", c",,""\r\n')
  expect(await exported('JSON')).toContain('"big":9007199254740993,"t":"a \\"b\\", c","none":null,"empty":""')
})

test('an error is shown at its token, and several statements stop there', async ({ page, cluster }) => {
  await open(page, cluster.url(0), 'sql')
  await write(page, "INSERT INTO sql_items(name) VALUES ('kept');\nSELECT * FORM sql_items;\nINSERT INTO sql_items(name) VALUES ('never')")
  await page.keyboard.press('Control+Shift+Enter')
  await expect(page.getByText('near "FORM": syntax error')).toBeVisible()
  await expect(page.locator('.cm-sql-error')).toHaveText('FORM')
  await expect(page.getByText('The statement before it is done, and stored.')).toBeVisible()
  const items = page.getByRole('list', { name: 'Statements' }).getByRole('button')
  await expect(items.nth(2)).toContainText('not run')
  await expectAccessible(page)
})

test('asks for the values of parameters, by name and by position, and sends them as what they are', async ({ page, cluster }) => {
  await open(page, cluster.url(0), 'sql')
  await write(page, "SELECT :n + 1 AS n, @text AS t, $none AS none, ':not' AS s; -- ?")
  const parameters = page.getByRole('group', { name: 'Parameters' })
  await expect(parameters.getByRole('textbox')).toHaveCount(3)
  await parameters.getByRole('textbox', { name: ':n' }).fill('9007199254740993')
  await parameters.getByRole('textbox', { name: '@text' }).fill("it's 007")
  await page.getByRole('button', { name: 'Run', exact: true }).click()
  await expect(cell(page, 0, 0)).toHaveText('9007199254740994')
  await expect(cell(page, 0, 1)).toHaveText("it's 007")
  await expect(cell(page, 0, 2)).toHaveText('NULL')
  await expectAccessible(page)

  await write(page, 'SELECT typeof(?), ?2, typeof(?1)')
  await parameters.getByRole('textbox', { name: '?1' }).fill('7')
  await parameters.getByRole('textbox', { name: '?2' }).fill('x')
  await page.getByRole('textbox', { name: 'SQL' }).click()
  await page.keyboard.press(runKey)
  await expect(cell(page, 0, 0)).toHaveText('integer')
  await expect(cell(page, 0, 1)).toHaveText('x')
  await write(page, 'SELECT 1')
  await expect(parameters).toHaveCount(0)
})

test('columns are made wider by the mouse and by keys, and fit by a double click', async ({ page, cluster }) => {
  await open(page, cluster.url(0), 'sql')
  await write(page, `SELECT 1 AS a, printf('%.500c', 'x') AS long, 2 AS b, printf('%.200c', 'y') AS other`)
  await page.keyboard.press(runKey)
  const head = page.getByRole('columnheader', { name: /^long/ })
  const width = async () => Math.round((await head.boundingBox())!.width)
  const first = await width()
  const { x, y } = (await head.boundingBox())!
  await page.mouse.move(x + first - 3, y + 10)
  await page.mouse.down()
  await page.mouse.move(x + first - 103, y + 10, { steps: 3 })
  await page.mouse.up()
  expect(first - (await width())).toBeCloseTo(100, -1)
  await cell(page, 0, 1).click()
  const narrow = await width()
  await page.keyboard.press('+')
  expect(await width()).toBe(narrow + 24)
  await head.locator('.grid-resize').dblclick()
  expect(await width()).toBeGreaterThan(first)
})

test('between BEGIN and COMMIT all is done or nothing', async ({ page, cluster }) => {
  await open(page, cluster.url(2), 'sql')
  await write(page, "BEGIN;\nINSERT INTO sql_items(name) VALUES ('undone');\nINSERT INTO sql_items(name) VALUES (NULL);\nCOMMIT;")
  await page.keyboard.press('Control+Shift+Enter')
  await expect(page.getByText(/NOT NULL constraint failed/)).toBeVisible()
  await expect(page.getByRole('list', { name: 'Statements' }).getByRole('button').first()).toContainText('undone')
  expect((await cluster.send({ command: 'query', query: "SELECT 1 FROM sql_items WHERE name = 'undone'" })).rows).toEqual([])
})

test('a change of the schema at another node is offered to the master, and then completed in the editor', async ({ page, cluster }) => {
  await open(page, cluster.url(1), 'sql')
  await page.getByRole('combobox', { name: 'Node', exact: true }).click()
  await page.getByRole('option', { name: 'Node 1' }).click()
  await write(page, 'CREATE TABLE sql_made_here (wonderful TEXT)')
  await page.keyboard.press(runKey)
  await page.getByRole('button', { name: /Send to the master/ }).click()
  await expect(page.getByText('Done; no row was changed')).toBeVisible()
  await write(page, '')
  await page.keyboard.type('SELECT * FROM sql_mad')
  await page.getByRole('option', { name: 'sql_made_here' }).click()
  await expect(page.getByRole('textbox', { name: 'SQL' })).toContainText('SELECT * FROM sql_made_here')
})

test('tabs and saved queries outlast the page', async ({ page, cluster }) => {
  await open(page, cluster.url(0), 'sql')
  await write(page, 'SELECT 1 AS first')
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByRole('textbox', { name: 'Name' }).fill('The first one')
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
  await page.getByRole('button', { name: 'New tab' }).click()
  await write(page, 'SELECT 2 AS second')
  await page.reload()
  await expect(page.getByRole('tab')).toHaveCount(2)
  await expect(page.getByRole('textbox', { name: 'SQL' })).toContainText('second')
  await page.getByRole('tab', { selected: true }).focus()
  await page.keyboard.press('Delete')
  await expect(page.getByRole('tab', { name: 'The first one' })).toHaveAttribute('aria-selected', 'true')
  await page.getByRole('button', { name: 'History', exact: true }).click()
  await page.getByRole('tab', { name: 'Saved' }).click()
  await page.getByRole('button', { name: /SELECT 1 AS first/ }).click()
  await expect(page.getByRole('textbox', { name: 'SQL' })).toContainText('first')
})

test('fits a phone, in the dark', async ({ page, cluster }) => {
  await page.emulateMedia({ colorScheme: 'dark' })
  await page.setViewportSize({ width: 400, height: 800 })
  await page.goto(`${cluster.url(0)}/#/sql`)
  await write(page, 'SELECT * FROM sql_items')
  await page.keyboard.press(runKey)
  await expect(page.getByRole('grid')).toBeVisible()
  await expectToFit(page)
  await expectAccessible(page)
})
