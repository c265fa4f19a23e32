import { describe, expect, test } from 'vitest'
import type { Pictures } from '../../../src/families/common/pictures.ts'
import { findSymmetry } from '../../../src/families/common/symmetry.ts'
import { PLAIN_POLICY } from '../../../src/families/networks/augment/picture-policy.ts'
import { assemblePictures, mixup } from '../../../src/families/networks/augment/pictures.ts'
import { assembleSignals, PLAIN_SIGNAL_POLICY } from '../../../src/families/networks/augment/signals.ts'
import { Rng } from '../../../src/support/rng.ts'

const picture: Pictures = { data: Uint8Array.from({ length: 24 }, (_, i) => 10 * i), channels: 2, height: 3, width: 4 }
const blank = Uint8Array.of(1, 2)

function assemble(policy: Partial<typeof PLAIN_POLICY>, seed = 1): Uint8Array {
  const out = new Uint8Array(24)
  assemblePictures(picture, Int32Array.of(0), { ...PLAIN_POLICY, ...policy }, blank, Rng.fromSeed(seed), out)
  return out
}

test('the plain policy copies pictures', () => {
  expect(assemble({})).toEqual(picture.data)
})

test('a mirrored picture has its rows reversed, in about half of the draws', () => {
  const mirrored = picture.data.map((_, i) => picture.data[i - (i % 4) + 3 - (i % 4)])
  let turned = 0
  for (let seed = 0; seed < 100; seed++) {
    const out = assemble({ flipX: true }, seed)
    const isTurned = out.every((v, i) => v === mirrored[i])
    expect(isTurned || out.every((v, i) => v === picture.data[i])).toBe(true)
    if (isTurned) turned++
  }
  expect(turned).toBeGreaterThan(30)
  expect(turned).toBeLessThan(70)
})

test('shifts move whole pixels and reflect at the borders', () => {
  const seen = new Set<string>()
  for (let seed = 0; seed < 60; seed++) seen.add(assemble({ shift: 0.25 }, seed).subarray(0, 4).join())
  // Row 0, or row 1 by a shift of one (from above by reflection, or from below), moved by -1, 0 or 1 columns.
  const rows = [
    [0, 10, 20, 30],
    [40, 50, 60, 70],
  ]
  const expected = rows.flatMap(([a, b, c, d]) => [`${a},${b},${c},${d}`, `${b},${a},${b},${c}`, `${b},${c},${d},${c}`])
  expect([...seen].sort()).toEqual(expected.sort())
})

test('rotation and zoom of an even picture leave it even, borders included', () => {
  const out = new Uint8Array(24)
  const flat: Pictures = { ...picture, data: new Uint8Array(24).fill(100) }
  assemblePictures(
    flat,
    Int32Array.of(0),
    { ...PLAIN_POLICY, rotateDegrees: 180, zoom: 0.3 },
    blank,
    Rng.fromSeed(3),
    out,
  )
  expect(out.every((v) => v === 100)).toBe(true)
})

test('cutout blanks with each channel own value and nothing else changes', () => {
  const out = assemble({ cutout: 0.6 }, 5)
  const changed = [...out.keys()].filter((i) => out[i] !== picture.data[i])
  expect(changed.length).toBeGreaterThan(0)
  for (const i of changed) expect(out[i]).toBe(i < 12 ? 1 : 2)
})

test('mixup keeps the sum of each pair of inputs and of targets', () => {
  const x = Float32Array.of(0, 0, 10, 20, 1, 1)
  const targets = Float32Array.of(1, 0, 0.5, 0.5, 0, 1)
  mixup(x, targets, 3, 0.4, Rng.fromSeed(2))
  expect(x[0] + x[4]).toBeCloseTo(1, 6)
  expect(x[2]).toBe(10)
  expect(targets[0] + targets[1]).toBeCloseTo(1, 6)
  expect(targets[0]).toBeLessThan(1)
  expect(targets[0] + targets[4]).toBeCloseTo(1, 6)
  expect(targets[0]).toBeGreaterThanOrEqual(0.5)
})

test('signals move in time with their edge values, and masks take the band means', () => {
  const signals = { data: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8), bands: 2, steps: 4 }
  const out = new Float32Array(8)
  const blanks = Float32Array.of(-1, -2)
  const seen = new Set<string>()
  for (let seed = 0; seed < 40; seed++) {
    assembleSignals(signals, Int32Array.of(0), { ...PLAIN_SIGNAL_POLICY, shift: 0.25 }, blanks, Rng.fromSeed(seed), out)
    seen.add(out.join())
  }
  expect([...seen].sort()).toEqual(['1,1,2,3,5,5,6,7', '1,2,3,4,5,6,7,8', '2,3,4,4,6,7,8,8'])
  const masked = { ...PLAIN_SIGNAL_POLICY, bandMasks: 1, bandMaskShare: 0.5 }
  for (let seed = 0; seed < 20; seed++) {
    assembleSignals(signals, Int32Array.of(0), masked, blanks, Rng.fromSeed(seed), out)
    for (const band of [0, 1]) {
      const row = [...out.subarray(4 * band, 4 * band + 4)]
      expect([signals.data.subarray(4 * band, 4 * band + 4).join(), new Array(4).fill(blanks[band]).join()]).toContain(
        row.join(),
      )
    }
  }
})

describe('levels, factors, noise and masks of a signal go by its own bands', () => {
  const steps = 200
  const levels = [1013, -2, 1013]
  const deviations = [10, 0.1, 10]
  const rng = Rng.fromSeed(9)
  const data = Float32Array.from({ length: 3 * steps }, (_, j) => {
    const band = Math.floor(j / steps)
    return levels[band] + deviations[band] * rng.normal()
  })
  const signals = { data, bands: 3, steps }

  function assembled(policy: Partial<typeof PLAIN_SIGNAL_POLICY>, seed: number): Float32Array[] {
    const out = new Float32Array(data.length)
    const whole = { ...PLAIN_SIGNAL_POLICY, ...policy }
    assembleSignals(signals, Int32Array.of(0), whole, 'own', Rng.fromSeed(seed), out)
    return [0, 1, 2].map((band) => out.subarray(band * steps, (band + 1) * steps))
  }
  const plain = assembled({}, 0)
  const mean = (x: Float32Array) => x.reduce((a, b) => a + b, 0) / x.length
  const deviation = (x: Float32Array) => Math.sqrt(mean(x.map((value) => (value - mean(x)) ** 2)))

  test('a factor leaves means where they are', () => {
    for (let seed = 0; seed < 10; seed++) {
      const out = assembled({ scale: 0.3 }, seed)
      const factor = deviation(out[0]) / deviation(plain[0])
      expect(Math.abs(factor - 1)).toBeGreaterThan(1e-3)
      for (const band of [0, 1, 2]) {
        expect(Math.abs(mean(out[band]) - mean(plain[band]))).toBeLessThan(1e-3 * deviations[band])
        expect(deviation(out[band]) / deviation(plain[band])).toBeCloseTo(factor, 2)
      }
    }
  })

  test('a level and noise are counted in deviations', () => {
    const [moved, noisy] = [assembled({ level: 1 }, 3), assembled({ noise: 0.5 }, 3)]
    const moves = moved.map((x, band) => (mean(x) - mean(plain[band])) / deviation(plain[band]))
    expect(Math.abs(moves[0])).toBeGreaterThan(0.05)
    for (const move of moves) expect(move).toBeCloseTo(moves[0], 2)
    for (const [band, x] of noisy.entries()) {
      const added = deviation(x.map((value, t) => value - plain[band][t]))
      expect(Math.abs(added / deviation(plain[band]) - 0.5)).toBeLessThan(0.1)
    }
  })

  test('masks take the mean of the band in the example', () => {
    let blanked = 0
    for (let seed = 0; seed < 10; seed++) {
      for (const [band, x] of assembled({ timeMasks: 1, timeMaskShare: 0.3 }, seed).entries()) {
        const changed = x.filter((value, t) => value !== plain[band][t])
        for (const value of changed) expect(value).toBe(Math.fround(mean(plain[band])))
        blanked += changed.length
      }
    }
    expect(blanked).toBeGreaterThan(100)
  })

  test('bytes keep their values and take what they are given for blanks', () => {
    const bytes = { data: Uint8Array.from({ length: 40 }, (_, j) => 100 + j), bands: 2, steps: 20 }
    const out = new Uint8Array(40)
    const policy = { ...PLAIN_SIGNAL_POLICY, level: 1, scale: 1, noise: 1, timeMasks: 1, timeMaskShare: 0.5 }
    assembleSignals(bytes, Int32Array.of(0), policy, Float32Array.of(7, 8), Rng.fromSeed(2), out)
    const changed = [...out.keys()].filter((j) => out[j] !== bytes.data[j])
    expect(changed.length).toBeGreaterThan(0)
    for (const j of changed) expect(out[j]).toBe(j < 20 ? 7 : 8)
  })
})

test('a mirror is safe for pictures without a side and unsafe for pictures that differ by side', () => {
  const rng = Rng.fromSeed(4)
  const make = (sided: boolean) => {
    const data = new Uint8Array(80 * 64)
    const labels = new Float32Array(80 * 2)
    for (let i = 0; i < 80; i++) {
      const k = i % 2
      labels[i * 2 + k] = 1
      // A bar: bright left for class 0 and right for class 1, or on a random side with brightness telling the class.
      const right = sided ? k === 1 : rng.uniform() < 0.5
      for (let p = 0; p < 64; p++) {
        const here = p % 8 >= 4 === right
        data[i * 64 + p] = (here ? (sided ? 200 : 120 + 80 * k) : 20) + rng.below(20)
      }
    }
    return findSymmetry({ data, channels: 1, height: 8, width: 8 }, labels, 2)
  }
  expect(make(true)).toEqual({ x: false, y: true })
  expect(make(false)).toEqual({ x: true, y: true })
})

test('a mirror stays safe when some of a hundred small classes look by chance as if they minded', () => {
  const [classCount, members] = [100, 10]
  for (let seed = 0; seed < 3; seed++) {
    const rng = Rng.fromSeed(seed)
    const data = Uint8Array.from({ length: classCount * members * 64 }, () => rng.below(256))
    const labels = new Float32Array(classCount * members * classCount)
    for (let i = 0; i < classCount * members; i++) labels[i * classCount + (i % classCount)] = 1
    const pictures = { data, channels: 1, height: 8, width: 8 }
    expect(findSymmetry(pictures, labels, classCount)).toEqual({ x: true, y: true })
  }
})

test.each([24, 60])('one class of ten with a side, of %i pictures each, forbids the mirror for all', (members) => {
  const rng = Rng.fromSeed(5)
  const classCount = 10
  const data = new Uint8Array(classCount * members * 64)
  const labels = new Float32Array(classCount * members * classCount)
  for (let i = 0; i < classCount * members; i++) {
    const k = i % classCount
    labels[i * classCount + k] = 1
    for (let p = 0; p < 64; p++) data[i * 64 + p] = (k === 3 && p % 8 >= 4 ? 150 : 20) + rng.below(60)
  }
  expect(findSymmetry({ data, channels: 1, height: 8, width: 8 }, labels, classCount)).toEqual({ x: false, y: true })
})
