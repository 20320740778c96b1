/**
 * Reads server-sent events with fetch, since an EventSource cannot send a token.
 * @param body The answer's body.
 * @param onData Called with the data of each event.
 * @param silenceMs A stream that is silent for longer counts as broken.
 * @returns When the stream has ended.
 */
export async function readEvents(body: ReadableStream<Uint8Array>, onData: (data: string) => void, silenceMs: number): Promise<void> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader()
  let text = ''
  try {
    for (;;) {
      const { value, done } = await within(silenceMs, reader.read())
      if (done) {
        return
      }

      text += value
      let end
      while ((end = text.indexOf('\n\n')) >= 0) {
        const event = text.slice(0, end)
        text = text.slice(end + 2)
        const data = event.split('\n').filter(line => line.startsWith('data: ')).map(line => line.slice('data: '.length))
        if (data.length > 0) {
          onData(data.join('\n'))
        }
      }
    }
  } finally {
    // Of a stream that is broken already this fails, which says nothing new.
    reader.cancel().catch(() => undefined)
  }
}

/** Waits for something, but no longer than that. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const patience = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('The stream is silent.')), ms)
  })
  try {
    return await Promise.race([promise, patience])
  } finally {
    clearTimeout(timer)
  }
}
