import { createContext, use, useState, type ReactNode } from 'react'
import { useConnection } from './cluster'

/** What somebody may do, each role all that those before it may. */
export const roles = ['read', 'write', 'schema', 'admin'] as const
export type Role = (typeof roles)[number]

/** Who uses the page. */
export interface Session {
  /** Whether this one may do what takes that role. */
  can(role: Role): boolean
  /** Whether there is a token to forget. */
  readonly isSignedIn: boolean
  signIn(token: string): void
  signOut(): void
}

// Of this tab alone, and gone with it.
const tokenKey = 'distdb.token'

/** The token that this tab was given before it was loaded anew; null for none. */
export function storedToken(): string | null {
  return sessionStorage.getItem(tokenKey)
}

const Context = createContext<Session | null>(null)

/** Gives the pages below it the session: see useSession. */
export function SessionProvider({ children }: { children: ReactNode }) {
  const connection = useConnection()
  const [token, setToken] = useState(storedToken)
  const change = (next: string | null) => {
    if (next === null) {
      sessionStorage.removeItem(tokenKey)
    } else {
      sessionStorage.setItem(tokenKey, next)
    }

    setToken(next)
    connection.setToken(next)
  }
  const session: Session = {
    can: () => true,
    isSignedIn: token !== null,
    signIn: change,
    signOut: () => change(null),
  }
  return <Context value={session}>{children}</Context>
}

/** Who uses the page, and what they may do. */
export function useSession(): Session {
  const session = use(Context)
  if (!session) {
    throw new Error('There is no SessionProvider above.')
  }

  return session
}
