import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
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
    /** The options and the CA for TLS; null for plain HTTP. */
    private readonly tls: Tls | null,
  ) {}

  /**
   * Starts all nodes, and waits until they are ready.
   * @param size How many nodes there are with the master.
   * @param environment What the nodes get beside ours.
   * @param hasTls Whether they speak TLS, with a CA that nobody trusts by himself.
   */
  static async start(size = 3, environment: Record<string, string> = {}, hasTls = false): Promise<Cluster> {
    const folder = mkdtempSync(join(tmpdir(), 'distdb-console-'))
    const cluster = new Cluster(await freePorts(size), size, folder, environment, hasTls ? makeTls(folder) : null)
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
    return `${this.tls ? 'https' : 'http'}://127.0.0.1:${this.basePort + id}`
  }

  startNode(id: number): void {
    const log = openSync(this.#log(id), 'a')
    const role = id === 0 ? ['master'] : ['node', String(id)]
    const place = ['--base-port', String(this.basePort), '--data', join(this.folder, 'data')]
    this.#nodes[id] = spawn('dotnet', [program, ...role, String(this.size - 1), ...place, ...(this.tls?.options ?? [])], {
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
    await until(`node ${id} is ready`, async () => (await this.get(id, '/health/ready')).isOk, () => readFileSync(this.#log(id), 'utf8').slice(-2000))
  }

  /** Sends a command to a node, the master if none is named, and gives its answer, which must be good. */
  async send(command: Record<string, unknown>, id = 0): Promise<{ rows?: unknown[][] }> {
    const { isOk, text } = await this.#request(id, '/query', 'POST', JSON.stringify(command))
    if (!isOk) {
      throw new Error(`${JSON.stringify(command)}: ${text}`)
    }

    return JSON.parse(text) as { rows?: unknown[][] }
  }

  exec(query: string, params: unknown[] = []): Promise<{ rows?: unknown[][] }> {
    return this.send({ command: 'exec', query, params })
  }

  /** Gets what is at a path of a node. */
  get(id: number, path: string): Promise<Answer> {
    return this.#request(id, path, 'GET')
  }

  async stop(): Promise<void> {
    await Promise.all(this.#nodes.map((_, id) => this.kill(id)))
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** With what the operating system trusts fetch is content, and with no other CA. */
  #request(id: number, path: string, method: string, body?: string): Promise<Answer> {
    return new Promise((done, fail) => {
      const url = this.url(id) + path
      const options = { method, agent: false as const }
      const request = this.tls ? httpsRequest(url, { ...options, ca: this.tls.ca }) : httpRequest(url, options)
      request.once('error', fail)
      request.once('response', response => {
        const { statusCode = 0 } = response
        response.toArray().then(pieces => done({ isOk: statusCode >= 200 && statusCode < 300, text: Buffer.concat(pieces as Buffer[]).toString() }), fail)
      })
      request.end(body)
    })
  }

  #log(id: number): string {
    return join(this.folder, `node-${id}.log`)
  }
}

/** What a node answered. */
interface Answer {
  isOk: boolean
  text: string
}

interface Tls {
  options: string[]
  ca: string
}

/** A CA and what it has signed, for this machine. */
function makeTls(folder: string): Tls {
  const at = (name: string) => join(folder, name)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  writeFileSync(at('extensions'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n')
  openssl('req', '-x509', ...key, '-keyout', at('ca.key'), '-out', at('ca.pem'), '-days', '2', '-subj', '/CN=DistDb test CA')
  openssl('req', ...key, '-keyout', at('node.key'), '-out', at('request'), '-subj', '/CN=localhost')
  openssl('x509', '-req', '-in', at('request'), '-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '2', '-extfile', at('extensions'), '-out', at('node.pem'))
  return { options: ['--cert', at('node.pem'), '--key', at('node.key'), '--ca', at('ca.pem')], ca: readFileSync(at('ca.pem'), 'utf8') }
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
