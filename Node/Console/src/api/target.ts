// Where a file goes that may be too large to be held in memory.
import { FileError } from './errors'
import { download } from '../download'

/** A file that gets its content piece by piece, and is there only once that is whole. */
export interface Target {
  /** Begins, or begins anew with nothing. `name` is what the node calls the file, if it says so. */
  begin(name: string | null, type: string): Promise<void>
  write(piece: Uint8Array<ArrayBuffer>): Promise<void>
  /** Puts the file in its place, and gives its name. */
  finish(): Promise<string>
  /** Keeps nothing. */
  discard(): Promise<void>
}

// Not in TypeScript's library: not all browsers have it, and none on a page without TLS that is not on its own machine.
interface Picker {
  showSaveFilePicker?: (options: { suggestedName: string }) => Promise<FileHandle>
}

type FileHandle = FileSystemFileHandle & { remove?: () => Promise<void> }

const picker = window as Picker

/** Whether this browser writes a file while it comes; otherwise it holds it until it is whole. */
export const writesAtOnce = picker.showSaveFilePicker !== undefined

/** Asks where the file is to go, if the browser can ask. Call it while a click is handled. Null where the user thinks better of it. */
export async function chooseTarget(suggestedName: string): Promise<Target | null> {
  if (!picker.showSaveFilePicker) {
    return new HeldTarget(suggestedName)
  }

  try {
    return new DiskTarget(await picker.showSaveFilePicker({ suggestedName }))
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') {
      return null
    }

    throw notWritten(error)
  }
}

/** Written to disk as it comes, beside the file that it becomes. */
class DiskTarget implements Target {
  #stream: FileSystemWritableFileStream | null = null

  constructor(private readonly handle: FileHandle) {}

  async begin(): Promise<void> {
    await this.#abort()
    this.#stream = await this.handle.createWritable().catch(rethrow)
  }

  async write(piece: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#stream!.write(piece).catch(rethrow)
  }

  async finish(): Promise<string> {
    await this.#stream!.close().catch(rethrow)
    return this.handle.name
  }

  async discard(): Promise<void> {
    await this.#abort()
    // The browser has made an empty file when its name was chosen.
    if (this.handle.remove && (await this.handle.getFile()).size === 0) {
      await this.handle.remove()
    }
  }

  async #abort(): Promise<void> {
    // One that is broken already cannot be aborted, and keeps nothing either.
    await this.#stream?.abort().catch(() => undefined)
    this.#stream = null
  }
}

/** So much is made a Blob at a time, which browsers move to disk by themselves, unlike what the page itself holds. */
const blobBytes = 8 << 20

/** Held by the browser until it is whole, and saved then. */
class HeldTarget implements Target {
  #name: string
  #type = ''
  #blobs: Blob[] = []
  #pieces: Uint8Array<ArrayBuffer>[] = []
  #bytes = 0

  constructor(suggestedName: string) {
    this.#name = suggestedName
  }

  async begin(name: string | null, type: string): Promise<void> {
    this.#name = name ?? this.#name
    this.#type = type
    await this.discard()
  }

  write(piece: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#pieces.push(piece)
    this.#bytes += piece.length
    if (this.#bytes >= blobBytes) {
      this.#gather()
    }

    return Promise.resolve()
  }

  finish(): Promise<string> {
    this.#gather()
    download(this.#name, new Blob(this.#blobs, { type: this.#type }))
    return Promise.resolve(this.#name)
  }

  discard(): Promise<void> {
    this.#gather()
    this.#blobs = []
    return Promise.resolve()
  }

  #gather(): void {
    this.#blobs.push(new Blob(this.#pieces))
    this.#pieces = []
    this.#bytes = 0
  }
}

function rethrow(error: unknown): never {
  throw notWritten(error)
}

function notWritten(error: unknown): FileError {
  const why = error instanceof Error ? error.message : String(error)
  return new FileError('The file cannot be written', `The browser says: ${why} Choose another folder, or make room, and download it again.`)
}
