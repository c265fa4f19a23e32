// `--ui ink`: the live view. Ink and React take longer to load than a first model takes to learn, so they are loaded only after
// the first milestone (or after some seconds without one); until then the run is silent but for warnings.
import type { WriteStream } from 'node:tty'
import type { RunView } from './ink/mount.ts'
import type { Reporter } from './reporter.ts'
import { applyEvent, emptyRunState } from './run-state.ts'
import { summaryLines } from './summary-lines.ts'

/** Loading anyway: someone waits in front of an empty terminal. */
const LOAD_AT_LATEST_MS = 4000
/** The view takes the place of the line that was there before it. */
const ERASE_LINE_ABOVE = '\x1b[1A\x1b[2K'
/** After the first milestone, its publication first gets out of the way. */
const LOAD_DELAY_MS = 50

export function inkReporter(terminal: WriteStream | NodeJS.WriteStream): Reporter {
  const state = emptyRunState()
  let view: Promise<RunView | null> | null = null
  let closed = false
  let elapsedMs = 0
  const load = () => {
    if (!closed)
      view ??= import('./ink/mount.ts').then(({ mount }) => {
        if (closed) return null
        if (state.start !== null) terminal.write(ERASE_LINE_ABOVE)
        return mount(state, terminal)
      })
  }
  const latest = setTimeout(load, LOAD_AT_LATEST_MS)
  latest.unref()
  return {
    onEvent(event) {
      applyEvent(state, event)
      elapsedMs = event.t
      if (event.type === 'milestone' && view === null) setTimeout(load, LOAD_DELAY_MS).unref()
      if (event.type === 'start') terminal.write(`${event.dataset}: learning for the first model\n`)
    },
    async close() {
      if (closed) return
      closed = true
      clearTimeout(latest)
      const mounted = await view
      mounted?.unmount()
      if (state.start !== null) terminal.write(`${summaryLines(state, elapsedMs).join('\n')}\n`)
    },
  }
}
