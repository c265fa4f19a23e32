// Durations (`90s`, `20m`, `2h`) and sizes (`512MB`, `8GB`) as people write them.
import { UsageError } from './errors.ts'

const DURATION_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const SIZE_BYTES: Record<string, number> = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9, KIB: 2 ** 10, MIB: 2 ** 20, GIB: 2 ** 30 }

/** `"1.5h"` -> 5400000. A bare number is seconds. */
export function parseDurationMs(text: string, option = 'duration'): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text.trim())
  const ms = match ? Number(match[1]) * DURATION_MS[match[2] ?? 's'] : Number.NaN
  if (!(ms > 0))
    throw new UsageError(`${option}: received "${text}"; must be a positive duration such as 90s, 20m or 2h`)
  return ms
}

/** `"8GB"` -> 8000000000. A bare number is bytes. */
export function parseSizeBytes(text: string, option = 'size'): number {
  const match = /^(\d+(?:\.\d+)?)\s*([KMG]I?B|B)?$/i.exec(text.trim())
  const bytes = match ? Number(match[1]) * SIZE_BYTES[(match[2] ?? 'B').toUpperCase()] : Number.NaN
  if (!(bytes > 0)) throw new UsageError(`${option}: received "${text}"; must be a positive size such as 512MB or 8GB`)
  return bytes
}

/** 95 -> `95ms`, 1500 -> `1.5s`, 125000 -> `2m05s`, 7260000 -> `2h01m` */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}ms`
  if (ms < 59_950) return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)}s`
  const seconds = Math.round(ms / 1000)
  const pad = (n: number) => String(n).padStart(2, '0')
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${pad(seconds % 60)}s`
  return `${Math.floor(seconds / 3600)}h${pad(Math.floor(seconds / 60) % 60)}m`
}

/** 1234567 -> `1.2 MB` */
export function formatSize(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}
