import { use, type Context } from 'react'

/** What a provider above gives; its name is for whoever forgot it. */
export function useRequired<T>(context: Context<T | null>, provider: string): T {
  const value = use(context)
  if (value === null) {
    throw new Error(`There is no ${provider} above.`)
  }

  return value
}
