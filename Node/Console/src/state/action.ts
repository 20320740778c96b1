import { useState } from 'react'

interface Action {
  /** Whether it is under way. */
  readonly isBusy: boolean
  /** Why it failed the last time; null where it did not. */
  readonly error: unknown
  /** Does it. What it throws becomes the error. */
  run(action: () => Promise<unknown>): Promise<void>
}

/** Something that is done when the user asks for it. */
export function useAction(): Action {
  const [isBusy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const run = async (action: () => Promise<unknown>) => {
    setBusy(true)
    setError(null)
    try {
      await action()
    } catch (e) {
      setError(e)
    } finally {
      setBusy(false)
    }
  }
  return { isBusy, error, run }
}
