import { useComputedColorScheme } from '@mantine/core'
import { useElementSize } from '@mantine/hooks'
import { useEffect, useMemo, useRef } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'

export interface Line {
  label: string
  /** From 1 to 8: the same thing has the same colour everywhere. */
  color: number
  /** One for each time; null leaves a gap. */
  values: (number | null)[]
}

interface TimeChartProps {
  /** What it shows, for those who cannot see it. */
  label: string
  /** Seconds since 1970, ascending. */
  times: number[]
  lines: Line[]
  /** How many seconds it shows, up to the newest. */
  windowS: number
  format: (value: number) => string
  height?: number
}

/** Lines over time, with a legend that has the newest values. */
export function TimeChart({ label, times, lines, windowS, format, height = 140 }: TimeChartProps) {
  const { ref: size, width } = useElementSize()
  const place = useRef<HTMLDivElement>(null)
  const chart = useRef<uPlot | null>(null)
  const scheme = useComputedColorScheme('light')
  const shape = JSON.stringify([lines.map(l => [l.label, l.color]), scheme, windowS, height])
  const data = useMemo<uPlot.AlignedData>(() => [times, ...lines.map(l => l.values)], [times, lines])
  const newest = useRef({ format, data })
  newest.current = { format, data }

  useEffect(() => {
    if (!place.current || width === 0) {
      return
    }

    const made = new uPlot(options(place.current, width), newest.current.data, place.current)
    chart.current = made
    return () => {
      made.destroy()
      chart.current = null
    }

    function options(element: HTMLElement, width: number): uPlot.Options {
      const style = getComputedStyle(element)
      const color = (name: string) => style.getPropertyValue(name).trim()
      const axis = { stroke: color('--mantine-color-dimmed'), grid: { stroke: color('--app-border'), width: 1 }, ticks: { show: false }, font: '11px system-ui, sans-serif' }
      return {
        width,
        height,
        legend: { show: false },
        cursor: { drag: { x: false, y: false }, points: { size: 6 } },
        padding: [8, 8, 0, 0],
        scales: {
          x: { time: true, range: (_u, _min, max) => [max - windowS, max] },
          y: { range: (_u, _min, max) => [0, max > 0 ? max * 1.1 : 1] },
        },
        axes: [
          { ...axis, space: 70, size: 24, incrs: minutes, values: (_u, ticks) => ticks.map(clock) },
          { ...axis, size: 52, space: 30, values: (_u, ticks) => ticks.map(t => newest.current.format(t)) },
        ],
        series: [
          {},
          ...lines.map(l => ({ label: l.label, stroke: color(`--app-line-${l.color}`), width: 1.6, points: { show: false }, spanGaps: false })),
        ],
      }
    }
    // The lines' values come in by setData below; what they are called and look like is in `shape`.
  }, [shape, width, scheme])

  useEffect(() => {
    chart.current?.setData(data)
  }, [data])

  return (
    <div>
      <div ref={size} style={{ height }}>
        <div ref={place} role="img" aria-label={label} />
      </div>
      <ul className="legend">
        {lines.map(l => {
          const value = l.values.at(-1) ?? null
          return (
            <li key={l.label}>
              <span className="legend-line" style={{ background: `var(--app-line-${l.color})` }} />
              {l.label} <span className="tabular">{value === null ? '–' : format(value)}</span>
            </li>
          )
        })}
      </ul>
    </div>
  )
}

/** How far the times below may stand apart, in seconds. */
const minutes = [1, 2, 5, 10, 30].map(m => 60 * m)

const clockFormat = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hour12: false })

function clock(seconds: number): string {
  return clockFormat.format(seconds * 1000)
}
