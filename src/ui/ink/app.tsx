// The root of the live view: redraws on a timer and on resize, and hands size and time down. Everything below is a pure function.
import { useEffect, useState } from 'react'
import type { RunState } from '../run-state.ts'
import { Dashboard } from './dashboard.tsx'

const REDRAW_MS = 250

export interface AppProps {
  state: RunState
  terminal: NodeJS.WriteStream
}

export function App({ state, terminal }: AppProps) {
  const [, redraw] = useState(0)
  useEffect(() => {
    const draw = () => redraw((count) => count + 1)
    const timer = setInterval(draw, REDRAW_MS)
    terminal.on('resize', draw)
    return () => {
      clearInterval(timer)
      terminal.off('resize', draw)
    }
  }, [terminal])
  return (
    <Dashboard state={state} nowMs={performance.now()} columns={terminal.columns || 80} rows={terminal.rows || 24} />
  )
}
