import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { DenseBatch } from '../../src/dataset/batch.ts'
import { openArrayCache } from '../../src/dataset/cache.ts'
import { temporaryFolder } from './helpers.ts'

/** Rows of different sizes: row r has shape [1, 1, r + 1, 1] and holds r, r, ... */
function ragged(rows: number[], type: 'uint8' | 'float32' = 'float32'): DenseBatch {
  const offsets = new Float64Array(rows.length + 1)
  rows.forEach((row, i) => {
    offsets[i + 1] = offsets[i] + row + 1
  })
  const values = rows.flatMap((row) => new Array<number>(row + 1).fill(row))
  return {
    layout: 'dense',
    data: type === 'uint8' ? Uint8Array.from(values) : Float32Array.from(values),
    offsets,
    shapes: Int32Array.from(rows.flatMap((row) => [1, 1, row + 1, 1])),
  }
}

const rows = (...values: number[]) => Int32Array.from(values)

describe.each(['uint8', 'float32'] as const)('an array of %s', (type) => {
  it('gives back rows of any size in any order', () => {
    const cache = openArrayCache(temporaryFolder())
    const array = cache.array('pictures', 100, type)
    expect(array.get(rows(3))).toBeNull()
    expect(array.put(rows(3, 4, 50), ragged([3, 4, 50], type))).toBe(true)
    expect(array.put(rows(5, 99), ragged([5, 99], type))).toBe(true)
    expect([...array.missing(rows(2, 3, 4, 5, 6))]).toEqual([2, 6])
    expect(array.get(rows(50, 3, 99, 4, 5, 3))).toEqual(ragged([50, 3, 99, 4, 5, 3], type))
    expect(array.get(rows(50, 7))).toBeNull()
    expect(array.get(rows())).toEqual(ragged([], type))
    cache.close()
  })
})

describe('several users', () => {
  it('see each other’s rows at once, and a later process sees all', () => {
    const folder = temporaryFolder()
    const [one, two] = [openArrayCache(folder), openArrayCache(folder)]
    const [a, b] = [one, two].map((cache) => cache.array('x', 10, 'float32'))
    a.put(rows(1, 2), ragged([1, 2]))
    b.put(rows(3), ragged([3]))
    expect(b.get(rows(2, 3, 1))).toEqual(ragged([2, 3, 1]))
    expect(a.get(rows(3))).toEqual(ragged([3]))
    one.close()
    two.close()
    const later = openArrayCache(folder)
    expect(later.array('x', 10, 'float32').get(rows(3, 1))).toEqual(ragged([3, 1]))
    later.close()
  })

  it('keep arrays of other keys, types and counts apart', () => {
    const cache = openArrayCache(temporaryFolder())
    cache.array('x', 10, 'float32').put(rows(1), ragged([1]))
    expect(cache.array('y', 10, 'float32').get(rows(1))).toBeNull()
    expect(cache.array('x', 11, 'float32').get(rows(1))).toBeNull()
    expect(cache.array('x', 10, 'uint8').get(rows(1))).toBeNull()
    cache.close()
  })
})

describe('damage counts as absence', () => {
  const stored = () => {
    const folder = temporaryFolder()
    const cache = openArrayCache(folder)
    cache.array('x', 10, 'float32').put(rows(1, 2, 3), ragged([1, 2, 3]))
    cache.close()
    const place = join(folder, readdirSync(folder)[0])
    return { folder, data: join(place, '0.data'), index: join(place, 'index') }
  }
  const flip = (file: string, at: number) => {
    const bytes = readFileSync(file)
    bytes[at] ^= 1
    writeFileSync(file, bytes)
  }
  const reopened = (folder: string) => openArrayCache(folder).array('x', 10, 'float32')

  it.each([
    ['a flipped byte in the data', ({ data }: { data: string }) => flip(data, 9), [2]],
    ['a flipped byte in a slot', ({ index }: { index: string }) => flip(index, 2 * 40 + 17), [2]],
    ['data that break off', ({ data }: { data: string }) => truncateSync(data, statSync(data).size - 1), [3]],
    ['an index that breaks off', ({ index }: { index: string }) => truncateSync(index, 3 * 40 - 1), [2, 3]],
  ])('%s', (_title, damage, lost) => {
    const files = stored()
    damage(files)
    const array = reopened(files.folder)
    for (const row of [1, 2, 3]) {
      if (lost.includes(row)) expect(array.get(rows(row))).toBeNull()
      else expect(array.get(rows(row))).toEqual(ragged([row]))
    }
    expect([...array.missing(rows(1, 2, 3))]).toEqual(lost)
    array.put(rows(...lost), ragged(lost))
    expect(array.get(rows(1, 2, 3))).toEqual(ragged([1, 2, 3]))
  })
})

describe('a bound', () => {
  it('makes put decline, over all arrays and earlier runs', () => {
    const folder = temporaryFolder()
    const cache = openArrayCache(folder, { maxBytes: 30 })
    expect(cache.array('x', 10, 'float32').put(rows(4), ragged([4]))).toBe(true)
    expect(cache.array('y', 10, 'float32').put(rows(4), ragged([4]))).toBe(false)
    expect(cache.array('y', 10, 'float32').get(rows(4))).toBeNull()
    expect(cache.usedBytes()).toBe(20)
    cache.close()
    const later = openArrayCache(folder, { maxBytes: 30 })
    expect(later.array('z', 10, 'float32').put(rows(4), ragged([4]))).toBe(false)
    expect(later.array('z', 10, 'float32').put(rows(1), ragged([1]))).toBe(true)
    later.close()
  })

  it('is not exceeded by several that write at the same time and know of each other', () => {
    const folder = temporaryFolder()
    const caches = [0, 1].map(() => openArrayCache(folder, { maxBytes: 100, sharers: 2 }))
    for (const [i, cache] of caches.entries()) {
      const array = cache.array('x', 100, 'float32')
      expect(array.put(rows(9 + i), ragged([9 + i]))).toBe(true)
      expect(array.put(rows(4 + i), ragged([4 + i]))).toBe(false)
    }
    expect(caches[0].usedBytes()).toBeLessThanOrEqual(100)
    for (const cache of caches) cache.close()
  })
})
