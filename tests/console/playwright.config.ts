import { defineConfig } from '@playwright/test'

export default defineConfig({
  testDir: 'specs',
  // One cluster, which the tests change; and two cores.
  workers: 1,
  timeout: 60_000,
  // A browser on a machine that is busy with something else may come late; what fails twice is broken.
  retries: 1,
  expect: { timeout: 15_000 },
  forbidOnly: true,
  reporter: [['list']],
  outputDir: 'out',
  use: {
    viewport: { width: 1280, height: 800 },
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    },
  },
})
