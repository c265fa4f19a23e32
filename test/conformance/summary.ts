// What an executor achieved, as text.

export interface Tally {
  passed: number
  failed: number
  /** How many, by reason. */
  skipped: Map<string, number>
  /** Largest relative error by operator. */
  worst: Map<string, number>
}

export function summaryOf(name: string, tally: Tally, whole: boolean): string {
  const skipped = [...tally.skipped].map(([reason, count]) => `${count} skipped (${reason})`)
  const counts = [`${tally.passed} passed`, ...(tally.failed > 0 ? [`${tally.failed} failed`] : []), ...skipped]
  const ranked = [...tally.worst].sort(([, a], [, b]) => b - a)
  const head = `${name}: ${counts.join(', ')}`
  if (ranked.length === 0) return head
  if (!whole)
    return `${head}; worst: ${ranked
      .slice(0, 5)
      .map(([op, error]) => `${op} ${error.toExponential(1)}`)
      .join(', ')}`
  const width = Math.max(...ranked.map(([op]) => op.length))
  return [head, ...ranked.map(([op, error]) => `  ${op.padEnd(width)} ${error.toExponential(1)}`)].join('\n')
}
