import { expect, expectAccessible, expectToFit, open, test } from '../fixtures.ts'

const pages = ['cluster', 'sql', 'data', 'operations', 'master', 'master/table', 'master/nodes', 'master/verification', 'master/tokens', 'history']

test('every page is accessible, in light on a desk, and in the dark on a phone, which it fits', async ({ page, cluster }) => {
  // The rules are many, and the pages too.
  test.setTimeout(300_000)
  await page.emulateMedia({ reducedMotion: 'reduce' })
  for (const path of pages) {
    await page.setViewportSize({ width: 1280, height: 800 })
    await page.emulateMedia({ colorScheme: 'light' })
    await open(page, cluster.url(0), path)
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
    await expectAccessible(page)
    await page.setViewportSize({ width: 400, height: 800 })
    await page.emulateMedia({ colorScheme: 'dark' })
    await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', 'dark')
    await expectToFit(page)
    // What the dark and a phone may spoil; the others are about what the page says, which is the same.
    await expectAccessible(page, 'color-contrast', 'scrollable-region-focusable', 'aria-hidden-focus')
  }
})

test('has a menu on a phone', async ({ page, cluster }) => {
  await page.setViewportSize({ width: 400, height: 800 })
  await page.goto(cluster.url(0))
  await page.getByRole('button', { name: 'Open the menu' }).click()
  await page.getByRole('link', { name: 'Operations' }).click()
  await expect(page.getByRole('heading', { name: 'Operations', level: 1 })).toBeVisible()
})

test('is reached by the keyboard alone, from the skip link on', async ({ page, cluster }) => {
  await open(page, cluster.url(0), 'cluster')
  await page.keyboard.press('Tab')
  await expect(page.getByRole('link', { name: 'Skip to the page' })).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(page.locator('#main')).toBeFocused()
  const dark = page.getByRole('button', { name: 'Dark colours' })
  await dark.focus()
  await page.keyboard.press('Enter')
  await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', 'dark')
})

test('holds a strict content security policy, and is small', async ({ page, cluster }) => {
  const bodies: Promise<number>[] = []
  page.on('response', response => bodies.push(response.request().sizes().then(s => s.responseBodySize, () => 0)))
  const response = await page.goto(cluster.url(0), { waitUntil: 'domcontentloaded' })
  const policy = response?.headers()['content-security-policy'] ?? ''
  expect(policy).toContain("default-src 'none'")
  expect(policy).toContain("script-src 'self';")
  expect(policy).toContain("frame-ancestors 'none'")
  expect(policy).not.toContain('unsafe')
  await expect(page.getByRole('region', { name: 'All nodes' })).toBeVisible()
  const finished = await Promise.all(bodies.slice(0, 3))
  expect(finished.reduce((a, b) => a + b, 0)).toBeLessThan(500_000)
})
