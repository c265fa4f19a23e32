// The learning curve: validation NAUC of the published models over log time.
import { Box, Text } from 'ink'
import { formatDuration } from '../../support/units.ts'
import { plotCurve } from '../curve-plot.ts'
import type { RunState } from '../run-state.ts'

export interface CurvePanelProps {
  state: RunState
  nowMs: number
  width: number
  plotRows: number
}

/** `-0.95 ┤` */
const AXIS_WIDTH = 7

export function CurvePanel({ state, nowMs, width, plotRows }: CurvePanelProps) {
  const points = state.milestones.flatMap(({ t, nauc }) => (nauc === null ? [] : [{ t, y: nauc }]))
  const columns = Math.max(4, width - AXIS_WIDTH)
  const plot = plotCurve(points, columns, plotRows, Math.max(state.start?.budgetMs ?? 0, nowMs, 1000), nowMs)
  return (
    <Box flexDirection="column">
      <Text dimColor wrap="truncate-end">
        validation NAUC over log time
      </Text>
      {plot.rows.map((row, i) => (
        <Text key={i} wrap="truncate-end">
          <Text dimColor>{axisLabel(i, plotRows, plot.yMin, plot.yMax)}</Text>
          <Text color="green">{row}</Text>
        </Text>
      ))}
      <Text dimColor wrap="truncate-end">
        {' '.repeat(AXIS_WIDTH)}
        {timeAxis(plot.tMin, plot.tMax, columns)}
      </Text>
    </Box>
  )
}

function axisLabel(row: number, rows: number, yMin: number, yMax: number): string {
  const value = row === 0 ? yMax : row === rows - 1 ? yMin : null
  return value === null ? '      │' : `${value.toFixed(2).padStart(5)} ┤`
}

/** Labels at both ends and at the powers of ten between them that have room. */
function timeAxis(tMin: number, tMax: number, columns: number): string {
  const cells = new Array<string>(columns).fill(' ')
  const put = (text: string, at: number) => {
    const from = Math.max(0, Math.min(columns - text.length, at))
    if (cells.slice(Math.max(0, from - 1), from + text.length + 1).some((cell) => cell !== ' ')) return
    for (let i = 0; i < text.length; i++) cells[from + i] = text[i]
  }
  put(formatDuration(tMin), 0)
  put(formatDuration(tMax), columns)
  for (let t = 1000; t < tMax; t *= 10) {
    if (t > tMin) put(formatDuration(t), Math.round((Math.log(t / tMin) / Math.log(tMax / tMin)) * (columns - 1)))
  }
  return cells.join('')
}
