import { ApiError, FileError, UnreachableError } from './errors'
import { parseJson, toJson } from './json'
import { readEvents } from './stream'
import type { ClusterStatus, Problem } from './types'

/** How long a node may take to accept a stream, and to say something on it; it does so twice a second. */
const connectMs = 2000
const silenceMs = 3000

/** Longer than any node's usual time limit, after which it has answered itself. */
const requestMs = 60_000

/** Between two rounds through all nodes, none of which answers. */
const pauseMs = 1000

export type Phase =
  /** Not heard of any node yet. */
  | 'connecting'
  /** A node tells how the cluster is. */
  | 'live'
  /** No node answers; tried again and again. */
  | 'lost'
  /** The cluster asks for a token. */
  | 'signed_out'

/** An immutable picture of what the page knows. */
export interface ConnectionState {
  readonly phase: Phase
  /** The node that this page speaks with: its origin, or null until one has answered. */
  readonly base: string | null
  /** The same by its id. */
  readonly node: number | null
  readonly cluster: ClusterStatus | null
  /** When that was heard, as of performance.now(). */
  readonly heardAt: number
  /** The last move to another node that nobody asked for. */
  readonly moved: { readonly from: number; readonly to: number } | null
}

export interface RequestOptions {
  method?: 'GET' | 'POST' | 'DELETE'
  body?: unknown
  /** The origin of the node that is to answer; without it, the one that the page speaks with, or another if that has died. */
  base?: string
  signal?: AbortSignal
  /** Takes the answer, if it is no error, where that is not to be read and parsed whole. */
  read?: (response: Response) => Promise<unknown>
  /** The answer may take as long as it takes: it ends when the node that this page listens to falls silent, and by the signal. */
  isLong?: boolean
}

/**
 * The page's way to the cluster: one stream of events that says how all nodes are, and requests. When the node at the other end dies, it goes to another one
 * by itself, and takes requests along that may be repeated: reads, and writes that carry an `id`.
 */
export class Connection {
  #state: ConnectionState = { phase: 'connecting', base: null, node: null, cluster: null, heardAt: 0, moved: null }
  #token: string | null
  #listeners = new Set<() => void>()
  /** Ends the stream that is under way. */
  #stream: AbortController | null = null
  /** End the requests that are under way at each node. */
  #requests = new Map<string, AbortController>()
  /** The node to listen to next, where it was asked for. */
  #wanted: string | null = null
  #woken = Promise.withResolvers<void>()

  constructor(
    private readonly home: string,
    token: string | null,
  ) {
    this.#token = token
  }

  get state(): ConnectionState {
    return this.#state
  }

  /** For useSyncExternalStore. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Uses this token from now on; null for none. */
  setToken(token: string | null): void {
    this.#token = token
    this.#set({ phase: 'connecting' })
    this.moveTo(this.#state.base ?? this.home)
  }

  /** Goes to a node that was chosen. */
  moveTo(base: string): void {
    this.#wanted = base
    this.#stream?.abort()
    this.#woken.resolve()
    this.#woken = Promise.withResolvers<void>()
  }

  /** The user has read that the page has moved. */
  forgetMove(): void {
    this.#set({ moved: null })
  }

  /** Keeps the stream going for as long as the page lives. */
  async run(): Promise<never> {
    const failed = new Set<string>()
    for (;;) {
      if (this.#state.phase === 'signed_out') {
        await this.#woken.promise
        failed.clear()
      }

      const base = this.#candidates().find(b => !failed.has(b) || b === this.#wanted)
      if (base === undefined) {
        this.#set({ phase: 'lost' })
        await Promise.race([this.#woken.promise, new Promise(done => setTimeout(done, pauseMs))])
        failed.clear()
        continue
      }

      const isChosen = this.#wanted === base
      this.#wanted = null
      if (await this.#listen(base, isChosen)) {
        failed.clear()
        this.#set({ phase: this.#state.phase === 'live' ? 'connecting' : this.#state.phase })
      }

      failed.add(base)
    }
  }

  /**
   * Sends a request and gives its parsed answer.
   * @throws ApiError The node refused it.
   * @throws UnreachableError No node answered, or not the one that was named.
   */
  async request<T>(path: string, options: RequestOptions = {}): Promise<T> {
    if (options.base !== undefined || !mayBeSentAgain(options)) {
      return this.#send<T>(options.base ?? this.#state.base ?? this.home, path, options)
    }

    let failure: unknown
    for (const base of this.#candidates()) {
      try {
        return await this.#send<T>(base, path, options)
      } catch (error) {
        if (options.signal?.aborted || !isAboutTheNode(error)) {
          throw error
        }

        failure ??= error
      }
    }

    throw failure
  }

  /** Where the page may go: the node that was asked for, the one it uses, those that are said to be there, all others. */
  #candidates(): string[] {
    const members = this.#state.cluster?.nodes ?? []
    const others = [...members].sort((a, b) => Number(b.reachable) - Number(a.reachable)).map(m => originOf(m.address))
    return [...new Set([this.#wanted, this.#state.base, ...others, this.home].filter(base => base !== null))]
  }

  /** Whether anything was heard. */
  async #listen(base: string, isChosen: boolean): Promise<boolean> {
    const stream = new AbortController()
    this.#stream = stream
    const patience = setTimeout(() => stream.abort(), connectMs)
    let isLive = false
    try {
      const response = await fetch(`${base}/events`, { headers: this.#headers(), signal: stream.signal, cache: 'no-store' })
      clearTimeout(patience)
      if (response.status === 401) {
        this.#set({ phase: 'signed_out' })
      } else if (response.ok && response.body) {
        const onData = (data: string) => {
          isLive = true
          this.#heard(base, JSON.parse(data) as ClusterStatus, isChosen)
        }
        await readEvents(response.body, onData, silenceMs)
      }
    } catch {
      // Refused, broken off, silent or no longer wanted: all the same, the next node is tried.
    } finally {
      clearTimeout(patience)
      stream.abort()
      this.#stream = null
    }

    if (this.#wanted === null) {
      // What waits for the same node would wait for long, if it is frozen.
      this.#requests.get(base)?.abort()
      this.#requests.delete(base)
    }

    return isLive
  }

  #heard(base: string, cluster: ClusterStatus, isChosen: boolean): void {
    const { node } = this.#state
    const hasMoved = node !== null && node !== cluster.node && !isChosen
    this.#set({
      phase: 'live',
      base,
      node: cluster.node,
      cluster,
      heardAt: performance.now(),
      ...(hasMoved && { moved: { from: node, to: cluster.node } }),
    })
  }

  async #send<T>(base: string, path: string, options: RequestOptions): Promise<T> {
    const requests = this.#requests.get(base) ?? new AbortController()
    this.#requests.set(base, requests)
    const signals = [requests.signal, ...(options.isLong ? [] : [AbortSignal.timeout(requestMs)]), ...(options.signal ? [options.signal] : [])]
    let response: Response
    let text: string
    try {
      response = await fetch(base + path, {
        method: options.method ?? 'GET',
        headers: { ...this.#headers(), ...(options.body === undefined ? {} : { 'Content-Type': 'application/json' }) },
        body: options.body === undefined ? null : toJson(options.body),
        signal: AbortSignal.any(signals),
        cache: 'no-store',
      })
      if (response.ok && options.read) {
        return (await options.read(response)) as T
      }

      text = await response.text()
    } catch (error) {
      if (options.signal?.aborted || error instanceof FileError) {
        throw error
      }

      throw new UnreachableError(base)
    }

    if (response.ok) {
      return (text === '' ? undefined : parseJson(text)) as T
    }

    const error = new ApiError(response.status, problemOf(response, text))
    if (error.status === 401 && this.#state.phase === 'live') {
      this.#set({ phase: 'signed_out' })
      this.#stream?.abort()
    }

    throw error
  }

  #headers(): Record<string, string> {
    return this.#token === null ? {} : { Authorization: `Bearer ${this.#token}` }
  }

  #set(change: Partial<ConnectionState>): void {
    this.#state = { ...this.#state, ...change }
    for (const listener of this.#listeners) {
      listener()
    }
  }
}

/** A member's address as an origin. */
export function originOf(address: string): string {
  return address.replace(/\/+$/, '')
}

function mayBeSentAgain({ method = 'GET', body }: RequestOptions): boolean {
  if (method === 'GET') {
    return true
  }

  const command = body as { id?: unknown; command?: unknown } | undefined
  return command?.id !== undefined || command?.command === 'search'
}

/** Another node may well do what this one could not. */
function isAboutTheNode(error: unknown): boolean {
  return error instanceof UnreachableError || (error instanceof ApiError && (error.code === 'not_ready' || error.code === 'repairing'))
}

function problemOf(response: Response, text: string): Problem {
  try {
    const problem = JSON.parse(text) as Problem
    if (typeof problem.code === 'string' && typeof problem.detail === 'string') {
      return problem
    }
  } catch {
    // Not a node's words, but a proxy's: told below.
  }

  return {
    type: 'about:blank',
    title: 'An answer that no node gives',
    status: response.status,
    detail: `Whoever answers at ${new URL(response.url).origin} said HTTP ${response.status} ${response.statusText} and no more. Look at the proxy between this page and the node.`,
    code: 'internal',
  }
}
