// Folded windows give the power spectra of the definition, frame by frame.
import { afterAll, expect, test } from 'vitest'
import { createOnnxEngine } from '../../../src/engine/onnx/engine.ts'
import { foldedSpectrum } from '../../../src/families/fronts/folded-spectrum.ts'
import { fourierFilters } from '../../../src/families/fronts/mel-bank.ts'
import { Rng } from '../../../src/support/rng.ts'
import { runGraph } from './run-graph.ts'

const engine = createOnnxEngine({ threads: 1 })
afterAll(() => engine.close())

const WINDOW = 16

/** |sum_t wave[8 f + t] hann[t] exp(-2 pi i k t / 16)|^2, zeros beyond the end. */
function power(wave: Float32Array, frame: number, k: number): number {
  const filters = fourierFilters(WINDOW)
  const bins = WINDOW / 2 + 1
  let real = 0
  let imaginary = 0
  for (let t = 0; t < WINDOW; t++) {
    const x = wave[(frame * WINDOW) / 2 + t] ?? 0
    real += x * filters[k * WINDOW + t]
    imaginary += x * filters[(bins + k) * WINDOW + t]
  }
  return real * real + imaginary * imaginary
}

test.each([1, 7, 8, 9, 16, 40, 45])('two clips of %i samples', async (samples) => {
  const rng = Rng.fromSeed(samples)
  const data = Float32Array.from({ length: 2 * samples }, () => rng.normal())
  const frames = Math.ceil(samples / 8)
  const x = { shape: [2, 1, samples], declared: ['n', 1, 't'], data }
  const out = await runGraph(engine, { x }, (g, values) => foldedSpectrum(g, values.x, WINDOW))
  expect(out.shape).toEqual([2, frames, 9])
  for (let clip = 0; clip < 2; clip++) {
    const wave = data.subarray(clip * samples, (clip + 1) * samples)
    for (let f = 0; f < frames; f++) {
      for (let k = 0; k < 9; k++) expect(out.data[(clip * frames + f) * 9 + k]).toBeCloseTo(power(wave, f, k), 5)
    }
  }
})
