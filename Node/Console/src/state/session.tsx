import { createContext, useEffect, useMemo, useState, type ReactNode } from 'react'
import type { Access, NewToken, Role } from '../api/types'
import { useConnection, useConnectionState } from './cluster'
import { useRequired } from './required'

/** What somebody may do, each role all that those before it may. */
export const roles: readonly Role[] = ['read', 'write', 'schema', 'admin']

/** Who uses the page. */
export interface Session {
  /** What the cluster says of the one who asks; null until it has. */
  readonly access: Access | null
  /** Whether this one may do what takes that role. */
  can(role: Role): boolean
  /** Whether this tab has a token. */
  readonly hasToken: boolean
  signIn(token: string): void
  signOut(): void
  /** A token that was just made, to be shown until its maker has it: nobody can show it again. */
  readonly newToken: NewToken | null
  showNewToken(token: NewToken | null): void
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
  const phase = useConnectionState('phase')
  const node = useConnectionState('node')
  const [token, setToken] = useState(storedToken)
  const [access, setAccess] = useState<Access | null>(null)
  const [newToken, showNewToken] = useState<NewToken | null>(null)
  useEffect(() => {
    if (phase !== 'live') {
      return
    }

    const abort = new AbortController()
    connection.request<Access>('/access', { signal: abort.signal }).then(setAccess, () => {
      // A node that says 401 ends the session by the connection; one that dies is asked again when there is another.
    })
    return () => abort.abort()
  }, [connection, phase, node, token])

  const session = useMemo<Session>(() => {
    const change = (next: string | null) => {
      if (next === null) {
        sessionStorage.removeItem(tokenKey)
      } else {
        sessionStorage.setItem(tokenKey, next)
      }

      setToken(next)
      connection.setToken(next)
    }
    return {
      access,
      can: role => access !== null && roles.indexOf(access.role) >= roles.indexOf(role),
      hasToken: token !== null,
      signIn: change,
      signOut: () => {
        showNewToken(null)
        change(null)
      },
      newToken,
      showNewToken,
    }
  }, [connection, access, token, newToken])
  return <Context value={session}>{children}</Context>
}

/** Who uses the page, and what they may do. */
export function useSession(): Session {
  return useRequired(Context, 'SessionProvider')
}
