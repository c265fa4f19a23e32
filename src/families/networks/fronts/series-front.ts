// Series as networks take them: [channels, steps] of a fixed length, float32, each example stretched from its own length.
import type { Extent, TaskProfile } from '../../../dataset/profile.ts'
import type { FrontEnd } from '../../family.ts'
import { seriesChannels, seriesView, timeAxis } from '../../fronts/series-view.ts'
import { stretch } from '../../fronts/stretch.ts'

/** Shape [channels, steps]. Null when more than the time axis varies. */
export function seriesFront(profile: TaskProfile, maxSteps: number, matrix = 0): FrontEnd | null {
  const about = profile.matrices[matrix]
  const axis = timeAxis(about)
  for (const other of ['steps', 'rows', 'cols'] as const) {
    if (other !== axis && about[other].min !== about[other].max) return null
  }
  const channels = seriesChannels(about)
  const steps = stepsFor(about[axis], maxSteps)
  return {
    key: `series:${matrix}:${axis}:${channels}x${steps}`,
    base: null,
    shape: [channels, steps],
    store: 'float32',
    build: (g, _x, inputs) => stretch(g, seriesView(g, profile, inputs[matrix], matrix), steps),
  }
}

/** Native length when it does not vary and is short enough; else close to the median. */
function stepsFor({ min, median, max }: Extent, maxSteps: number): number {
  const steps = min === max ? max : Math.max(16, Math.round(median))
  return Math.max(2, Math.min(maxSteps, steps))
}
