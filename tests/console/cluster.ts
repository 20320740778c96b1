import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const program = join(import.meta.dirname, '../../bin/Release/net10.0/distdb.dll')

/** A cluster of real processes on free ports, with a folder of its own. */
export class Cluster {
  #nodes: (ChildProcess | undefined)[] = []

  private constructor(
    private readonly basePort: number,
    private readonly size: number,
    private readonly folder: string,
    private readonly environment: Record<string, string>,
  ) {}

  /**
   * Starts all nodes, and waits until they are ready.
   * @param size How many nodes there are with the master.
   * @param environment What the nodes get beside ours.
   */
  static async start(size = 3, environment: Record<string, string> = {}): Promise<Cluster> {
    const cluster = new Cluster(await freePorts(size), size, mkdtempSync(join(tmpdir(), 'distdb-console-')), environment)
    for (let id = 0; id < size; id++) {
      cluster.startNode(id)
    }

    for (let id = 0; id < size; id++) {
      await cluster.whenReady(id)
    }

    return cluster
  }

  /** A node's address. */
  url(id: number): string {
    return `http://127.0.0.1:${this.basePort + id}`
  }

  startNode(id: number): void {
    const log = openSync(this.#log(id), 'a')
    const role = id === 0 ? ['master'] : ['node', String(id)]
    this.#nodes[id] = spawn('dotnet', [program, ...role, String(this.size - 1), '--base-port', String(this.basePort), '--data', join(this.folder, 'data')], {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...this.environment },
    })
  }

  /** Ends a node as a power failure would. */
  async kill(id: number): Promise<void> {
    const node = this.#nodes[id]
    if (node && node.exitCode === null && node.signalCode === null) {
      const exit = once(node, 'exit')
      node.kill('SIGKILL')
      await exit
    }
  }

  /** Stops a node in its tracks, with its connections open, as a hypervisor does. */
  freeze(id: number): void {
    this.#nodes[id]?.kill('SIGSTOP')
  }

  /** Lets a frozen node go on. */
  thaw(id: number): void {
    this.#nodes[id]?.kill('SIGCONT')
  }

  async whenReady(id: number): Promise<void> {
    await until(`node ${id} is ready`, async () => (await fetch(`${this.url(id)}/health/ready`)).ok, () => readFileSync(this.#log(id), 'utf8').slice(-2000))
  }

  /** Sends a command to a node, the master if none is named, and gives its answer, which must be good. */
  async send(command: Record<string, unknown>, id = 0): Promise<{ rows?: unknown[][] }> {
    const response = await fetch(`${this.url(id)}/query`, { method: 'POST', body: JSON.stringify(command) })
    const text = await response.text()
    if (!response.ok) {
      throw new Error(`${JSON.stringify(command)}: ${text}`)
    }

    return JSON.parse(text) as { rows?: unknown[][] }
  }

  exec(query: string, params: unknown[] = []): Promise<{ rows?: unknown[][] }> {
    return this.send({ command: 'exec', query, params })
  }

  async stop(): Promise<void> {
    await Promise.all(this.#nodes.map((_, id) => this.kill(id)))
    rmSync(this.folder, { recursive: true, force: true })
  }

  #log(id: number): string {
    return join(this.folder, `node-${id}.log`)
  }
}

/** Waits until something holds; a failure to find out counts as not yet. */
async function until(what: string, holds: () => Promise<boolean>, explain: () => string): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!(await holds().catch(() => false))) {
    if (Date.now() > deadline) {
      throw new Error(`Waited in vain until ${what}.\n${explain()}`)
    }

    await new Promise(done => setTimeout(done, 100))
  }
}

/** The first of some ports in a row that nobody listens on, below those that the system gives out by itself. */
async function freePorts(count: number): Promise<number> {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * 12_000)
    const free = await Promise.all(Array.from({ length: count }, (_, i) => isFree(first + i)))
    if (free.every(Boolean)) {
      return first
    }
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise(done => {
    const server = createServer()
    server.once('error', () => done(false))
    server.listen(port, '127.0.0.1', () => server.close(() => done(true)))
  })
}
