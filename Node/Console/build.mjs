// Builds the console into the folder that is given: node build.mjs <folder>. Installs the packages first where package-lock.json has changed.
// Called by the build of DistDb.csproj; builds that run at once take turns.
import { createHash } from 'node:crypto'
import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join, resolve } from 'node:path'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.log(`The web console is left out: it is built with Node.js 20.19 or newer, and this is ${process.versions.node}.`)
  process.exit(3)
}

const here = import.meta.dirname
const outDir = resolve(process.argv[2] ?? join(here, '../../obj/console/dist'))
const lock = join(here, '.build-lock')
const modules = join(here, 'node_modules')
const stamp = join(modules, '.installed-from')

await takeLock()
try {
  install()
  run('openapi-typescript', '../Api/openapi.json', '--output', 'src/api/openapi.d.ts', '--default-non-nullable', 'false')
  run('tsc', '--noEmit')
  run('vite', 'build', '--outDir', outDir, '--emptyOutDir', '--logLevel', 'warn')
} finally {
  rmSync(lock, { force: true })
}

function install() {
  const wanted = createHash('sha256').update(readFileSync(join(here, 'package-lock.json'))).digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) {
    return
  }

  exec('npm', ['ci', '--no-fund', '--no-audit', '--loglevel=error'])
  writeFileSync(stamp, wanted)
}

function run(tool, ...args) {
  mkdirSync(modules, { recursive: true })
  exec(join(modules, '.bin', tool), args)
}

function exec(command, args) {
  const { status, error, stdout, stderr } = spawnSync(command, args, { cwd: here, encoding: 'utf8' })
  if (error || status !== 0) {
    console.error(`${stdout ?? ''}${stderr ?? ''}`.trim())
    throw error ?? new Error(`${command} ended with exit code ${status}`)
  }
}

/** The lock is a file with its owner's process id; one whose owner is gone counts for nothing. */
async function takeLock() {
  for (;;) {
    try {
      const file = openSync(lock, 'wx')
      writeSync(file, String(process.pid))
      closeSync(file)
      return
    } catch (error) {
      if (error.code !== 'EEXIST') {
        throw error
      }
    }

    const owner = existsSync(lock) ? Number(readFileSync(lock, 'utf8')) : NaN
    if (owner && !isRunning(owner)) {
      rmSync(lock, { force: true })
    } else {
      await new Promise(done => setTimeout(done, 200))
    }
  }
}

function isRunning(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}
