// Summaries of one budget as a Markdown table.
import type { ReferenceFigures } from './reference.ts'
import type { Spread, Summary } from './summary.ts'

/** A final model may be this much worse than the best before it. */
const ALLOWED_DROP = 0.005

export function budgetTable(
  summaries: readonly Summary[],
  reference: ReadonlyMap<string, ReferenceFigures> | null,
): string {
  const heads = [
    'dataset',
    'kind',
    'first s',
    'ALC',
    'final NAUC',
    'accuracy',
    'final − best before',
    ...(reference === null ? [] : ['script: first s', 'ALC', 'best NAUC', 'best accuracy']),
    'led by (from second)',
  ]
  const lines = summaries.map((summary) => {
    const script = reference?.get(summary.name)
    const drop = summary.finalMinusBest.reduce((a, b) => a + b, 0) / Math.max(1, summary.finalMinusBest.length)
    return [
      summary.name,
      summary.kind,
      plusMinus(summary.firstS, 2),
      `**${summary.alc.mean.toFixed(4)}** ± ${summary.alc.std.toFixed(4)}`,
      plusMinus(summary.nauc, 4),
      plusMinus(summary.accuracy, 3),
      drop < -ALLOWED_DROP ? `**${drop.toFixed(4)}**` : drop.toFixed(4),
      ...(reference === null
        ? []
        : [
            script?.firstS.toFixed(2) ?? '-',
            script?.alc.toFixed(3) ?? '-',
            script?.bestNauc.toFixed(4) ?? '-',
            script?.bestAccuracy?.toFixed(3) ?? '-',
          ]),
      summary.leaders
        .map(
          ({ family, fromS, runs }) =>
            `${family} ${fromS.toFixed(1)}${runs < summary.runs ? ` (${runs}/${summary.runs})` : ''}`,
        )
        .join(', '),
    ]
  })
  const notes = summaries.flatMap(({ name, faults, agrees }) => [
    ...[...new Set(faults)].map((fault) => `${name}: ${fault}`),
    ...(agrees === false ? [`${name}: the independent scorer disagrees`] : []),
  ])
  const asked = summaries.some(({ agrees }) => agrees !== null)
  if (asked && summaries.every(({ agrees }) => agrees === true)) {
    notes.push('The independent scorer agrees to four decimals on every run.')
  }
  return [row(heads), row(heads.map(() => '---')), ...lines.map(row), ...(notes.length > 0 ? ['', ...notes] : [])].join(
    '\n',
  )
}

function plusMinus({ mean, std }: Spread, digits: number): string {
  return `${mean.toFixed(digits)} ± ${std.toFixed(digits)}`
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}
