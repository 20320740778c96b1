// Numbers and times as people read them.

const integer = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 })
const compact = new Intl.NumberFormat('en-GB', { notation: 'compact', maximumFractionDigits: 1 })

/** 12,345 */
export function formatInteger(value: number): string {
  return integer.format(value)
}

/** 12, 1.2K, 3.4M: for axes and tiles. */
export function formatCompact(value: number): string {
  return value !== 0 && Math.abs(value) < 10 ? String(Math.round(value * 10) / 10) : compact.format(value)
}

/** 0.4 ms, 12 ms, 1.2 s */
export function formatMs(ms: number): string {
  return ms >= 1000 ? `${round(ms / 1000)} s` : `${round(ms)} ms`
}

/** 512 B, 12.3 KB, 4.5 MB */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }

  return `${unit === 0 ? value : round(value)} ${units[unit]}`
}

/** 45 s, 12 min, 3 h, 5 d */
export function formatDuration(seconds: number): string {
  if (seconds < 60) {
    return `${Math.floor(seconds)} s`
  }

  if (seconds < 3600) {
    return `${Math.floor(seconds / 60)} min`
  }

  return seconds < 86400 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86400)} d`
}

/** A moment in the reader's own time zone. */
export function formatTime(iso: string): string {
  return new Date(iso).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'medium' })
}

function round(value: number): number {
  return value < 10 ? Math.round(value * 10) / 10 : Math.round(value)
}
