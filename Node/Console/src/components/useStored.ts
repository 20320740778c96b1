import { useEffect, useState, type Dispatch, type SetStateAction } from 'react'

/**
 * State that this browser keeps for this address.
 * @param key What it is kept under.
 * @param initial What it is at first, and where what is kept is not of its kind.
 * @param isValid Whether what is kept is: an older version of the page may have written it.
 */
export function useStored<T>(key: string, initial: () => T, isValid: (value: unknown) => value is T): [T, Dispatch<SetStateAction<T>>] {
  const [value, setValue] = useState(() => read(key, isValid) ?? initial())
  useEffect(() => {
    try {
      localStorage.setItem(key, JSON.stringify(value))
    } catch {
      // Full or switched off: it lasts as long as the page then.
    }
  }, [key, value])
  return [value, setValue]
}

function read<T>(key: string, isValid: (value: unknown) => value is T): T | null {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(key) ?? 'null')
    return isValid(value) ? value : null
  } catch {
    return null
  }
}

/** Whether a value is an array of objects that have these fields with these types. */
export function isArrayOf<T>(fields: { [K in keyof T]-?: ('string' | 'number' | 'boolean' | 'object')[] }): (value: unknown) => value is T[] {
  const isItem = (item: unknown) =>
    typeof item === 'object' &&
    item !== null &&
    Object.entries<string[]>(fields).every(([name, types]) => types.includes(typeof (item as Record<string, unknown>)[name]))
  return (value): value is T[] => Array.isArray(value) && value.every(isItem)
}
