// The extension point for showing a run: a reporter reads the one event stream and owns what it shows.
import type { StampedEvent } from '../run/events.ts'

export interface Reporter {
  /** Called in order, never after `close`. Must not throw and not block. */
  onEvent(event: StampedEvent): void
  /** Leaves the terminal in order; may be called twice. */
  close(): Promise<void>
}
