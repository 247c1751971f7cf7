import type { Observation } from '../claim.ts'

const WIDTH = 640
const HEIGHT = 150
const LEFT = 44
const RIGHT = 8
const BOTTOM = 22
const TOP = 16

/** Requests over time: a dot each, as high as its answer took long (logarithmic), red where it failed; the fault marked. */
export function plotRun({ samples, marks }: NonNullable<Observation['run']>): string {
  if (samples.length === 0) return ''
  const end = Math.max(...samples.map((sample) => sample.atMs), ...marks.map((mark) => mark.atMs), 1)
  const slowest = Math.max(...samples.map((sample) => sample.ms), 10)
  const x = (ms: number): string => (LEFT + (ms / end) * (WIDTH - LEFT - RIGHT)).toFixed(1)
  const y = (ms: number): number =>
    HEIGHT - BOTTOM - (Math.log10(Math.max(ms, 1)) / Math.log10(slowest)) * (HEIGHT - BOTTOM - TOP)
  const failed = samples.filter((sample) => !sample.ok).length
  const label = `${samples.length} requests over ${(end / 1_000).toFixed(1)} seconds, ${failed} failed`
  return `<svg class="plot" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}">
${[1, 10, 100, 1_000, 10_000]
  .filter((tick) => tick <= slowest)
  .map((tick) => gridLine(y(tick), tick < 1_000 ? `${tick} ms` : `${tick / 1_000} s`))
  .join('')}
${marks.map((mark) => markLine(x(mark.atMs), mark.label)).join('')}
${thin(samples)
  .map(
    ({ atMs, ms, ok }) => `<circle class="${ok ? 'good' : 'bad'}" cx="${x(atMs)}" cy="${y(ms).toFixed(1)}" r="1.8"/>`,
  )
  .join('')}
<text x="${LEFT}" y="${HEIGHT - 6}">0 s</text><text x="${WIDTH - RIGHT}" y="${HEIGHT - 6}" text-anchor="end">${(end / 1_000).toFixed(1)} s</text></svg>`
}

const gridLine = (y: number, label: string): string =>
  `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}"/><text x="${LEFT - 6}" y="${y + 3}" text-anchor="end">${label}</text>`

const markLine = (x: string, label: string): string =>
  `<line class="mark" x1="${x}" x2="${x}" y1="${TOP - 4}" y2="${HEIGHT - BOTTOM}"/><text class="label" x="${Number(x) + 4}" y="${TOP + 2}">${escapeHtml(label)}</text>`

const DOTS_MAX = 1_500

/** All that failed, and of the rest as many as can be told apart. */
function thin<T extends { readonly ok: boolean }>(samples: readonly T[]): readonly T[] {
  const step = Math.ceil(samples.length / DOTS_MAX)
  return samples.filter((sample, i) => !sample.ok || i % step === 0)
}

export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
