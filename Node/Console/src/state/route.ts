import { useSyncExternalStore } from 'react'

// The address behind the # names the page, so that every page can be linked to and the node has one page to serve.

/** The parts of the current address: `#/data/main/users` is `['data', 'main', 'users']`. */
export function useRoute(): string[] {
  const hash = useSyncExternalStore(subscribe, () => window.location.hash)
  return hash.replace(/^#\/?/, '').split('/').filter(part => part !== '').map(decode)
}

/** The address of a page, for links. */
export function hrefOf(...parts: string[]): string {
  return `#/${parts.map(encodeURIComponent).join('/')}`
}

/** Goes to a page. */
export function navigate(...parts: string[]): void {
  window.location.hash = hrefOf(...parts)
}

function subscribe(listener: () => void): () => void {
  window.addEventListener('hashchange', listener)
  return () => window.removeEventListener('hashchange', listener)
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
