// A chart of the last quarter of an hour, drawn by uPlot on a canvas: lines, or bars on top of each other whose stripes tell them apart
// without colours. Those who do not see it have its label, and the table beside it.
import { html } from '../dom.js'
import { useEffect, useRef } from '../vendor/hooks.js'
import uPlot from '../vendor/uplot.js'

/**
 * @typedef {object} Series
 * @property {string} name
 * @property {string} colour name of a property of the style sheet
 * @property {'line' | 'bars'} kind
 * @property {readonly number[]} [dash]
 * @property {number} [stripes] 0 has none
 *
 * @typedef {object} ChartProps
 * @property {string} label
 * @property {(number | null)[][]} columns moments in seconds, then one column a series
 * @property {readonly Series[]} series
 * @property {(value: number) => string} format of the values
 * @property {string} scheme
 */

const HEIGHT = 190
const SPAN_SECONDS = 15 * 60
/** The newest step is drawn where it begins: it needs some room. */
const STEP_SECONDS = 10

/** @param {ChartProps} props */
export function Chart({ label, columns, series, format, scheme }) {
  const place = /** @type {{ current: HTMLDivElement | null }} */ (useRef(null))
  const chart = /** @type {{ current: uPlot | undefined }} */ (useRef(undefined))
  const dark = matchMedia('(prefers-color-scheme: dark)').matches
  useEffect(() => {
    const element = place.current
    if (element === null) return undefined
    const made = new uPlot(optionsOf(element, series, format), asData(columns), element)
    chart.current = made
    const resizing = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }))
    resizing.observe(element)
    return () => {
      resizing.disconnect()
      made.destroy()
    }
    // Colours are read when it is made.
  }, [scheme, dark])
  useEffect(() => chart.current?.setData(asData(columns)), [columns])
  return html`<div class="chart" role="img" aria-label=${label} ref=${place}></div>`
}

/** @param {(number | null)[][]} columns */
const asData = (columns) => /** @type {uPlot.AlignedData} */ (/** @type {unknown} */ (columns))

/**
 * @param {HTMLElement} element
 * @param {readonly Series[]} series
 * @param {(value: number) => string} format
 * @returns {uPlot.Options}
 */
function optionsOf(element, series, format) {
  const style = getComputedStyle(element)
  const colour = (/** @type {string} */ name) => style.getPropertyValue(name).trim()
  const axis = {
    stroke: colour('--soft'),
    font: `12px ${style.fontFamily}`,
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
  }
  return {
    width: element.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 20, 0, 0],
    scales: {
      x: { time: true, range: (_chart, _min, max) => [max - SPAN_SECONDS, max + STEP_SECONDS] },
      y: { range: (_chart, _min, max) => [0, (max || 1) * 1.1] },
    },
    axes: [
      { ...axis, values: (_chart, moments) => moments.map(formatClock), space: 70, size: 30 },
      {
        ...axis,
        values: (_chart, values) => values.map(format),
        size: 64,
        incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 100_000, 1_000_000],
      },
    ],
    series: [
      {},
      ...series.map((one) => ({
        label: one.name,
        stroke: colour(one.colour),
        width: one.kind === 'line' ? 2 : 1,
        ...(one.dash && { dash: [...one.dash] }),
        spanGaps: false,
        points: one.kind === 'line' ? { show: true, size: 4, fill: colour(one.colour) } : { show: false },
        ...(one.kind === 'bars' && {
          paths: barsOf(),
          fill: () => fillOf(colour(one.colour), one.stripes ?? 0, colour('--panel')),
        }),
      })),
    ],
  }
}

const barsOf = () => /** @type {uPlot.Series.PathBuilder} */ (uPlot.paths.bars?.({ size: [0.8, 40], align: 1 }))

/** Plain, or with stripes of the background: one way, the other, both. @param {string} colour @param {number} stripes @param {string} background */
function fillOf(colour, stripes, background) {
  if (stripes === 0) return colour
  const canvas = document.createElement('canvas')
  canvas.width = 8
  canvas.height = 8
  const pen = canvas.getContext('2d')
  if (pen === null) return colour
  pen.fillStyle = colour
  pen.fillRect(0, 0, 8, 8)
  pen.strokeStyle = background
  pen.lineWidth = 1.5
  pen.beginPath()
  /** @param {number} from @param {number} to */
  const line = (from, to) => {
    pen.moveTo(0, from)
    pen.lineTo(8, to)
  }
  if (stripes !== 2) line(8, 0)
  if (stripes >= 2) line(0, 8)
  pen.stroke()
  return pen.createPattern(canvas, 'repeat') ?? colour
}

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })

/** @param {number} seconds */
const formatClock = (seconds) => CLOCK.format(new Date(seconds * 1_000))
