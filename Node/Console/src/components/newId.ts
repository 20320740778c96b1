/** A key of its own for a write, so that it is done once however often it is sent. */
export function newId(): string {
  // randomUUID would be simpler, but is there on secure pages alone.
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => byte.toString(16).padStart(2, '0')).join('')
}
