// Mounts the live view on a terminal and redraws it at a calm pace: the view must not take time from learning.
import { render } from 'ink'
import { createElement } from 'react'
import type { RunState } from '../run-state.ts'
import { App } from './app.tsx'

export interface RunView {
  /** Takes the view off the screen. */
  unmount(): void
}

/** @param state read anew at each drawing */
export function mount(state: RunState, terminal: NodeJS.WriteStream): RunView {
  const instance = render(createElement(App, { state, terminal }), {
    stdout: terminal as NodeJS.WriteStream,
    stderr: terminal as NodeJS.WriteStream,
    exitOnCtrlC: false,
    patchConsole: false,
    maxFps: 10,
  })
  return {
    unmount() {
      instance.clear()
      instance.unmount()
    },
  }
}
