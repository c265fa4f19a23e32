// An inspection in words and columns.
import type { Extent, MatrixProfile } from '../../dataset/profile.ts'
import { formatSize } from '../../support/units.ts'
import { textTable } from '../text-table.ts'
import type { Inspection, SplitInspection } from './inspect-dataset.ts'

/** Classes that are listed one by one. */
const LISTED_CLASSES = 20

export function describeInspection(inspection: Inspection): string {
  const { kind, reason, classCount, multiLabel, train, test, vocabulary, trainBytes, warnings, portfolio, device } =
    inspection
  const sections = [
    [
      `${inspection.name}: ${kind}`,
      `  because ${reason}`,
      `  train     ${describeSplit(train)}, ${formatSize(trainBytes)} decoded`,
      `  test      ${test === null ? 'none' : describeSplit(test)}`,
      ...inspection.matrices.map((matrix, i) => `  matrix ${i}  ${describeMatrix(matrix, inspection.sequenceSize)}`),
      ...(vocabulary === null
        ? []
        : [`  tokens    ${vocabulary.size} known, ${vocabulary.meanTokenLength.toFixed(1)} characters in the mean`]),
      `  labels    ${classCount} ${multiLabel ? 'labels, several may hold at once' : 'classes, one holds'}`,
    ].join('\n'),
    describeClasses(inspection),
    warnings.length === 0
      ? 'No fault was found in the data.'
      : ['What is odd:', ...warnings.map((text) => `  ${text}`)].join('\n'),
    describePortfolio(portfolio),
    `Networks train on ${device.engine} ${device.device}: ${device.why}.`,
  ]
  return sections.join('\n\n')
}

function describeSplit({ count, files }: SplitInspection): string {
  return `${count} examples in ${files} ${files === 1 ? 'file' : 'files'}`
}

function describeMatrix(matrix: MatrixProfile, sequenceSize: number): string {
  const { spec, values } = matrix
  const number = (x: number) => String(Number(x.toPrecision(4)))
  const parts = [
    `${extent(matrix.steps)} steps${sequenceSize < 0 ? ' (varies)' : ''} of ${extent(matrix.rows)} x ${extent(matrix.cols)} x ${matrix.channels}`,
    spec.format.toLowerCase(),
    `${matrix.integral ? 'whole numbers' : 'values'} ${number(values.min)} to ${number(values.max)}, mean ${number(values.mean)}`,
  ]
  if (matrix.density < 0.999) parts.push(`${(100 * matrix.density).toPrecision(3)} % not zero`)
  if (matrix.missing > 0) parts.push(`${(100 * matrix.missing).toPrecision(3)} % missing`)
  return parts.join(', ')
}

function extent({ min, median, max }: Extent): string {
  return min === max ? String(min) : `${min}..${median}..${max}`
}

function describeClasses({ classCounts, labelNames, train }: Inspection): string {
  const order = classCounts.map((_, k) => k).sort((a, b) => classCounts[b] - classCounts[a])
  const rows = order
    .slice(0, LISTED_CLASSES)
    .map((k) => [
      String(k),
      labelNames[k] === '' ? '-' : labelNames[k],
      String(classCounts[k]),
      `${((100 * classCounts[k]) / Math.max(1, train.count)).toFixed(1)}%`,
    ])
  const more = order.length > rows.length ? `\n… and ${order.length - rows.length} more` : ''
  return textTable(['class', 'name', 'examples', 'share'], rows) + more
}

function describePortfolio(portfolio: Inspection['portfolio']): string {
  if (portfolio.length === 0) return 'No family can learn from such data.'
  const [first] = portfolio
  const lines = portfolio.map(({ family, params }, i) => {
    const words = Object.entries(params).map(([name, value]) => `${name}=${value}`)
    return `  ${String(i + 1).padStart(2)}  ${family}${words.length === 0 ? '' : `  ${words.join(' ')}`}`
  })
  return [`First of all ${first.family}: ${first.summary}`, 'In this order:', ...lines].join('\n')
}
