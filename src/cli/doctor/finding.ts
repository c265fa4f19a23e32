// One line of `automl doctor`: something looked at, whether it works, and why not.
export interface Finding {
  area: 'platform' | 'engine' | 'package'
  name: string
  /**
   * `works`: tried and fine; `absent`: not there, and nothing needs it; `faulty`: there and does not work, but nothing needs it;
   * `broken`: does not work, and nothing works without it.
   */
  status: 'works' | 'absent' | 'faulty' | 'broken'
  detail: string
  /** Milliseconds of the timed training step; null where it took longer than was waited for. */
  stepMs?: number | null
  /** The command that adds or mends it. */
  hint?: string
}
