import { sha256 } from '@noble/hashes/sha2.js'
import type { Connection } from './connection'
import { FileError } from './errors'
import { within } from './stream'
import type { Target } from './target'

/** A node that sends nothing for so long in the midst of a file counts as gone. */
const silenceMs = 60_000

export interface Progress {
  readonly bytes: number
  /** Of how many, if the node says so. */
  readonly total: number | null
  /** The node that it comes from, by its id. */
  readonly node: number
  /** Whether it broke off before, at whichever node. */
  readonly isAnew: boolean
}

/**
 * Takes a backup from the node that the page speaks with, or, where it breaks off, anew from another one.
 * @param database One database; null for an archive of all.
 * @param onProgress Called at the beginning, which there may be several of, and with each piece.
 * @returns The name of the file, which is whole.
 * @throws ApiError A node refused it. Nothing was kept, as with all that follow.
 * @throws UnreachableError No node gave it.
 * @throws FileError It cannot be written, or came damaged.
 */
export async function takeBackup(
  connection: Connection,
  database: string | null,
  target: Target,
  signal: AbortSignal,
  onProgress: (progress: Progress) => void,
): Promise<string> {
  const path = database === null ? '/backup' : `/backup/${encodeURIComponent(database)}`
  let begun = 0
  try {
    await connection.request(path, {
      signal,
      isLong: true,
      read: response => {
        const source = { node: Number(response.headers.get('X-DistDb-Node')), isAnew: begun++ > 0 }
        return receive(response, target, (bytes, total) => onProgress({ bytes, total, ...source }))
      },
    })
    return await target.finish()
  } catch (error) {
    await target.discard()
    throw error
  }
}

async function receive(response: Response, target: Target, onProgress: (bytes: number, total: number | null) => void): Promise<void> {
  await target.begin(nameOf(response), response.headers.get('Content-Type') ?? '')
  const length = response.headers.get('Content-Length')
  const total = length === null ? null : Number(length)
  const hash = sha256.create()
  const reader = response.body!.getReader()
  let bytes = 0
  onProgress(bytes, total)
  for (;;) {
    const { value, done } = await within(silenceMs, reader.read())
    if (done) {
      break
    }

    hash.update(value)
    await target.write(value)
    bytes += value.length
    onProgress(bytes, total)
  }

  const wanted = digestOf(response)
  if (wanted !== null && wanted !== btoa(String.fromCharCode(...hash.digest()))) {
    throw new FileError('The backup came damaged', `What came from ${new URL(response.url).origin} is not what it sent: its digest differs. Download it again, or from another node.`)
  }
}

/** SHA-256 of the body in base64, as RFC 9530 has it; null where the node does not say, as for an archive, which has a list of digests in it. */
function digestOf(response: Response): string | null {
  return /(?:^|,\s*)sha-256=:([^:]*):/.exec(response.headers.get('Repr-Digest') ?? '')?.[1] ?? null
}

/** What the node calls the file. */
function nameOf(response: Response): string | null {
  return /filename="?([\w.-]+)"?/.exec(response.headers.get('Content-Disposition') ?? '')?.[1] ?? null
}
