import { deflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { DenseBatch } from '../../src/dataset/batch.ts'
import { openDataset } from '../../src/dataset/dataset.ts'
import type { ExampleToWrite } from '../../src/dataset/encode-example.ts'
import { readPictureHeader } from '../../src/dataset/picture-header.ts'
import {
  decodePicture,
  decodePicturePooled,
  inspectPicture,
  loadGifDecoder,
  writePixels,
} from '../../src/dataset/pictures.ts'
import { allRows, dataError, datasetSpec, gif, grayPng, makeDataset, matrixSpec, picture, range } from './helpers.ts'

const color = (x: number, y: number) => [x * 20, y * 30, 7, 255] as const
const rgb = (width: number, height: number) =>
  range(width * height).flatMap((i) => [...color(i % width, Math.floor(i / width)).slice(0, 3)])

async function decode(bytes: Buffer, channels: number): Promise<{ width: number; height: number; values: number[] }> {
  await loadGifDecoder()
  const header = inspectPicture(bytes)
  const out = new Uint8Array(header.width * header.height * channels)
  writePixels(decodePicture(bytes, header), channels, out, 0)
  return { width: header.width, height: header.height, values: [...out] }
}

describe('lossless formats decode exactly', () => {
  it.each([
    ['PNG with alpha', () => picture(5, 3, color).pngSync()],
    ['BMP', () => picture(5, 3, color).bmpSync()],
  ])('%s', async (_title, make) => {
    expect(await decode(make(), 3)).toEqual({ width: 5, height: 3, values: rgb(5, 3) })
  })

  it('gray PNG', async () => {
    expect(
      await decode(
        grayPng(4, 2, (x, y) => x * 10 + y),
        1,
      ),
    ).toEqual({
      width: 4,
      height: 2,
      values: [0, 10, 20, 30, 1, 11, 21, 31],
    })
  })

  it('16-bit gray PNG keeps its high bytes', async () => {
    const bytes = png(2, 1, 16, 0, Buffer.from([0, 0x12, 0x34, 0xff, 0xff]))
    expect((await decode(bytes, 1)).values).toEqual([0x12, 0xff])
  })

  it('1-bit and palette PNGs', async () => {
    expect((await decode(png(8, 1, 1, 0, Buffer.from([0, 0b10110000])), 1)).values).toEqual([
      255, 0, 255, 255, 0, 0, 0, 0,
    ])
    const palette = Buffer.from([10, 20, 30, 40, 50, 60])
    expect((await decode(png(2, 1, 8, 3, Buffer.from([0, 1, 0]), palette), 3)).values).toEqual([40, 50, 60, 10, 20, 30])
  })

  it('the first frame of a GIF', async () => {
    const { width, height, values } = await decode(gif(2, 3), 3)
    expect([width, height]).toEqual([2, 3])
    expect(values).toEqual([0, 0, 0, 255, 0, 0, 255, 0, 0, 0, 255, 0, 0, 255, 0, 255, 255, 255])
  })
})

describe('a GIF whose first frame is larger than its screen', () => {
  it('is unreadable, and no memory is asked for', async () => {
    const bytes = Buffer.from(gif(2, 3))
    const descriptor = bytes.indexOf(Buffer.from([0x2c, 0, 0, 0, 0, 2, 0, 3, 0]))
    bytes.writeUInt16LE(65535, descriptor + 5)
    bytes.writeUInt16LE(65535, descriptor + 7)
    await expect(decode(bytes, 3)).rejects.toThrow('first frame of 65535x65535 at 0,0 is not within 2x3')
  })
})

describe('JPEG', () => {
  it('decodes color within its loss', async () => {
    const bytes = picture(16, 8, () => [200, 40, 90, 255]).jpegSync(95)
    const { width, height, values } = await decode(bytes, 3)
    expect([width, height]).toEqual([16, 8])
    values.forEach((value, i) => {
      expect(Math.abs(value - [200, 40, 90][i % 3])).toBeLessThan(4)
    })
  })

  it('in the thread pool gives the same pixels', async () => {
    const bytes = picture(120, 90, color).jpegSync(80)
    const header = inspectPicture(bytes)
    expect(await decodePicturePooled(bytes, header)).toEqual(decodePicture(bytes, header))
  })
})

describe('channels', () => {
  it.each([
    [1, [76, 150, 29, 255]],
    [2, [76, 255, 150, 255, 29, 255, 255, 255]],
    [3, [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255]],
    [4, [255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255, 255, 255, 255, 255]],
  ])('RGB to %i', (channels, expected) => {
    const pixels = { data: Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255), channels: 3 as const }
    const out = new Uint8Array(4 * channels)
    writePixels(pixels, channels, out, 0)
    expect([...out]).toEqual(expected)
  })

  it.each([0, 1])('RGB to gray is the rounded luma of every pixel, %i bytes off a word', (offset) => {
    const count = 4 * 997 + 3
    const data = Uint8Array.from({ length: offset + 3 * count }, (_, i) => (i * i * 31 + i * 7) >>> 3).subarray(offset)
    const out = new Uint8Array(count + 5)
    writePixels({ data, channels: 3 }, 1, out, 5)
    const luma = (i: number) => Math.floor((299 * data[i] + 587 * data[i + 1] + 114 * data[i + 2] + 500) / 1000)
    expect(out.subarray(5)).toEqual(Uint8Array.from({ length: count }, (_, i) => luma(3 * i)))
  })

  it('gray to three', () => {
    const out = new Uint8Array(6)
    writePixels({ data: Uint8Array.of(9, 200), channels: 1 }, 3, out, 0)
    expect([...out]).toEqual([9, 9, 9, 200, 200, 200])
  })
})

describe('headers', () => {
  it.each([
    ['jpeg', () => picture(31, 17, color).jpegSync(70)],
    ['png', () => picture(31, 17, color).pngSync()],
    ['bmp', () => picture(31, 17, color).bmpSync()],
    ['gif', () => gif(31, 17)],
  ])('%s: width and height without decoding', (format, make) => {
    expect(readPictureHeader(make())).toMatchObject({ format, width: 31, height: 17 })
  })

  it.each([
    ['text', Buffer.from('this is no picture at all, just some words')],
    ['nothing', Buffer.alloc(0)],
    ['a JPEG that breaks off in its header', picture(8, 8, color).jpegSync(70).subarray(0, 28)],
  ])('%s is no picture', (_title, bytes) => {
    expect(readPictureHeader(bytes)).toBeNull()
  })
})

const image = (over = {}) =>
  datasetSpec({ matrices: [matrixSpec({ rows: -1, cols: -1, channels: 3, format: 'COMPRESSED', ...over })] })
const shown = (pictures: readonly Buffer[]): ExampleToWrite => ({ labels: [0], matrices: [pictures] })

describe('a dataset of pictures', () => {
  it('reads sizes from the pictures, in the order of the request, small and large', async () => {
    const sizes = [
      [3, 2],
      [150, 110],
      [2, 5],
      [6, 6],
    ]
    const train = sizes.map(([width, height]) =>
      shown([picture(width, height, (x, y) => [x, y, width, 255]).pngSync()]),
    )
    // Row and column counts are stated the wrong way round, as some public files do.
    const dataset = openDataset(makeDataset({ spec: image({ rows: 3, cols: 2 }), train, test: [] }))
    const batch = (await dataset.train.read(Int32Array.of(1, 3, 0, 2, 1))) as DenseBatch
    expect(batch.data).toBeInstanceOf(Uint8Array)
    expect([...batch.shapes]).toEqual([1, 110, 150, 3, 1, 6, 6, 3, 1, 2, 3, 3, 1, 5, 2, 3, 1, 110, 150, 3])
    const pixel = (i: number, x: number, y: number) => {
      const at = batch.offsets[i] + (y * batch.shapes[i * 4 + 2] + x) * 3
      return [...batch.data.subarray(at, at + 3)]
    }
    expect(pixel(0, 149, 109)).toEqual([149, 109, 150])
    expect(pixel(2, 2, 1)).toEqual([2, 1, 3])
    expect(pixel(3, 1, 4)).toEqual([1, 4, 2])
    dataset.close()
  })

  it('mixes formats', async () => {
    const train = [gif(4, 4), picture(4, 4, color).pngSync(), picture(4, 4, color).bmpSync(), grayPng(4, 4, () => 5)]
    const dataset = openDataset(makeDataset({ spec: image(), train: train.map((bytes) => shown([bytes])), test: [] }))
    const batch = (await dataset.train.read(allRows(4))) as DenseBatch
    expect([...batch.data.subarray(48, 96)]).toEqual(rgb(4, 4))
    expect([...batch.data.subarray(96, 144)]).toEqual(rgb(4, 4))
    expect(new Set(batch.data.subarray(144))).toEqual(new Set([5]))
    dataset.close()
  })

  it('reads videos: frames are padded to the largest, missing frames are black', async () => {
    const frame = (width: number, height: number, level: number) => grayPng(width, height, () => level)
    const spec = { ...image({ channels: 1 }), sequenceSize: 3 }
    const dataset = openDataset(makeDataset({ spec, train: [shown([frame(2, 1, 9), frame(1, 2, 8)])], test: [] }))
    const batch = (await dataset.train.read(allRows(1))) as DenseBatch
    expect([...batch.shapes]).toEqual([3, 2, 2, 1])
    expect([...batch.data]).toEqual([9, 9, 0, 0, 8, 0, 8, 0, 0, 0, 0, 0])
    dataset.close()
  })

  it.each([
    ['of varying length', -1],
    ['of fixed length', 4],
  ])('knows the sizes of videos %s as it reads them, from the headers alone', async (_title, sequenceSize) => {
    const frame = (width: number, height: number) => grayPng(width, height, () => 9)
    const videos = [[frame(2, 1), frame(1, 2)], [frame(5, 3)], [frame(4, 4), frame(4, 4), frame(4, 4)]]
    const spec = { ...image({ channels: 1 }), sequenceSize }
    const dataset = openDataset(makeDataset({ spec, train: videos.map(shown), test: [] }))
    const rows = Int32Array.of(2, 0, 1, 2)
    const whole = (await dataset.train.read(rows)) as DenseBatch
    expect([...(await dataset.train.pictureShapes(rows, 0))]).toEqual([...whole.shapes])
    dataset.close()
    const headers = videos.map((frames) => shown(frames.map((bytes) => bytes.subarray(0, 40))))
    const undecodable = openDataset(makeDataset({ spec, train: headers, test: [] }))
    expect([...(await undecodable.train.pictureShapes(rows, 0))]).toEqual([...whole.shapes])
    expect(undecodable.train.unreadable.size).toBe(0)
    undecodable.close()
  })

  it('takes an example without a readable header to be the black one that stands for it', async () => {
    const train = [shown([grayPng(5, 3, () => 9)]), shown([Buffer.from('this is no picture at all, just some words')])]
    const dataset = openDataset(makeDataset({ spec: image({ rows: 7, cols: 6 }), train, test: [] }))
    const rows = allRows(2)
    expect([...(await dataset.train.pictureShapes(rows, 0))]).toEqual([1, 3, 5, 3, 1, 7, 6, 3])
    expect([...((await dataset.train.read(rows)) as DenseBatch).shapes]).toEqual([1, 3, 5, 3, 1, 7, 6, 3])
    dataset.close()
  })
})

describe('unreadable pictures', () => {
  const good = grayPng(4, 4, () => 200)
  const bad = Buffer.from('this is no picture at all, just some words')
  const brokenPng = Buffer.concat([good.subarray(0, 40), Buffer.alloc(30, 7)])
  const many = (faulty: Buffer[], count: number) =>
    makeDataset({
      spec: image(),
      train: range(count).map((i) => shown([faulty[i - 50] ?? good])),
      test: [],
    })

  it('up to 1 % are skipped: black, counted, named', async () => {
    const dataset = openDataset(many([bad, brokenPng], 200))
    const batch = (await dataset.train.read(allRows(200))) as DenseBatch
    expect([...dataset.train.unreadable.keys()]).toEqual([50, 51])
    expect([...batch.data.subarray(batch.offsets[50], batch.offsets[52])].every((value) => value === 0)).toBe(true)
    expect(batch.data[batch.offsets[52]]).toBe(200)
    expect(dataset.train.unreadable.get(50)!.message).toContain(
      'record 50: field 0_compressed: must be a JPEG, PNG, BMP or GIF picture',
    )
    dataset.close()
  })

  it('more are an error', async () => {
    const dataset = openDataset(many([bad, bad, brokenPng], 200))
    const { code, fault, exitCode } = await dataError(() => dataset.train.read(allRows(200)))
    expect([code, exitCode, fault.record, fault.field]).toEqual(['DATA_PICTURE', 3, 52, '0_compressed'])
    expect(fault.rule).toContain('3 of 200 examples have unreadable pictures; at most 1 % may')
    dataset.close()
  })

  it('one may be among few others, but not two, nor the only one', async () => {
    const few = (...pictures: Buffer[]) =>
      openDataset(makeDataset({ spec: image(), train: pictures.map((bytes) => shown([bytes])), test: [] }))
    const one = few(good, bad, good)
    await one.train.read(allRows(3))
    expect([...one.train.unreadable.keys()]).toEqual([1])
    const two = few(good, bad, brokenPng)
    const { fault } = await dataError(() => two.train.read(allRows(3)))
    expect(fault.rule).toContain('2 of 3 examples have unreadable pictures; at most one may')
    const only = few(bad)
    expect((await dataError(() => only.train.read(allRows(1)))).code).toBe('DATA_PICTURE')
    for (const dataset of [one, two, only]) dataset.close()
  })

  it.each([
    ['a PNG of 30000x30000', png(30_000, 30_000, 8, 2, Buffer.alloc(10))],
    ['a zip bomb: gigabytes of zeros in a small PNG', png(16_000, 16_000, 8, 2, Buffer.alloc(50_000_000))],
    ['a JPEG header of 65000x65000', jpegHeader(65_000, 65_000)],
    [
      'a GIF of 60000x60000',
      Buffer.concat([Buffer.from('GIF89a'), Buffer.from([0x60, 0xea, 0x60, 0xea]), Buffer.alloc(40)]),
    ],
  ])('%s is refused by its size, without decoding', async (_title, bytes) => {
    const before = process.memoryUsage().rss
    const dataset = openDataset(makeDataset({ spec: image(), train: [shown([bytes])], test: [] }))
    const { fault } = await dataError(() => dataset.train.read(allRows(1)))
    expect(fault.rule).toMatch(/\d+x\d+ pixels: must be at most 50 million/)
    expect(process.memoryUsage().rss - before).toBeLessThan(300e6)
    dataset.close()
  })

  it('a picture without pixels is refused', async () => {
    const dataset = openDataset(
      makeDataset({ spec: image(), train: [shown([png(0, 5, 8, 0, Buffer.alloc(5))])], test: [] }),
    )
    expect((await dataError(() => dataset.train.read(allRows(1)))).fault.rule).toContain('has no pixels')
    dataset.close()
  })

  it('an example without pictures is unreadable', async () => {
    const dataset = openDataset(makeDataset({ spec: image(), train: [shown([])], test: [] }))
    expect((await dataError(() => dataset.train.read(allRows(1)))).fault.rule).toContain('holds no picture')
    dataset.close()
  })
})

/** A PNG from its parts (https://www.w3.org/TR/png/); `raw` are filtered scanlines. */
function png(width: number, height: number, depth: number, type: number, raw: Buffer, palette?: Buffer): Buffer {
  const chunk = (name: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(name), data])
    const framed = Buffer.alloc(body.length + 8)
    framed.writeUInt32BE(data.length, 0)
    body.copy(framed, 4)
    framed.writeUInt32BE(crc32(body), body.length + 4)
    return framed
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header[8] = depth
  header[9] = type
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', header),
    ...(palette === undefined ? [] : [chunk('PLTE', palette)]),
    chunk('IDAT', deflateSync(raw)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function crc32(bytes: Buffer): number {
  let c = -1
  for (const byte of bytes) {
    c ^= byte
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1
  }
  return ~c >>> 0
}

function jpegHeader(width: number, height: number): Buffer {
  const bytes = Buffer.from('ffd8ffe000104a46494600010100000100010000ffc00011080000000003012200021101031101', 'hex')
  bytes.writeUInt16BE(height, 25)
  bytes.writeUInt16BE(width, 27)
  return bytes
}
