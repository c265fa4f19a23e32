// One line of `automl doctor`: something looked at, whether it works, and why not.
export interface Finding {
  area: 'platform' | 'engine' | 'package'
  name: string
  /** `works`: tried and fine; `absent`: not there, and nothing needs it; `broken`: should work and does not. */
  status: 'works' | 'absent' | 'broken'
  detail: string
  /** The command that mends it. */
  hint?: string
}
