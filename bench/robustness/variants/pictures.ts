// Variants of pictures and videos.
import { ResizeFilterType, ResizeFit, Transformer } from '@napi-rs/image'
import { type Editable, rgba, type Value } from '../editable.ts'
import { eachValue, thinned, type Variant } from '../variant.ts'

const pictures = ({ train }: Editable) => train[0].matrices.some(({ layout }) => layout === 'pictures')
/** Bytes of decoded pictures in a split at most; more examples are left out evenly. */
const MAX_BYTES = 4e8

export const pictureVariants: Variant[] = [
  resized('resized to 300x400', 300, 400, 0.25),
  resized('resized to 12x12', 12, 12, 0.6),
  {
    name: 'inverted contrast',
    applies: pictures,
    expect: { kind: 'near', drop: 0.05 },
    make: (data) => eachValue(data, (value) => pixelwise(value, (bytes) => bytes.map((byte) => 255 - byte))),
  },
  {
    name: 'gray to colour',
    applies: (data) => pictures(data) && data.spec.matrices.some(({ channels }) => channels === 1),
    expect: { kind: 'near', drop: 0.05 },
    make(data) {
      const matrices = data.spec.matrices.map((matrix) => ({ ...matrix, channels: 3 }))
      const coloured = eachValue(data, (value) => (value.layout === 'pictures' ? tinted(value) : value))
      return { ...coloured, spec: { ...data.spec, matrices } }
    },
  },
]

function resized(name: string, height: number, width: number, drop: number): Variant {
  return {
    name,
    applies: pictures,
    expect: { kind: 'near', drop },
    make(data) {
      const [steps, , , channels] =
        data.train[0].matrices[0].layout === 'pictures' ? data.train[0].matrices[0].shape : [1, 0, 0, 1]
      const most = Math.max(10, Math.floor(MAX_BYTES / (steps * height * width * channels)))
      const fewer = { ...data, train: thinned(data.train, most), test: thinned(data.test, most) }
      const changed = eachValue(fewer, (value) => (value.layout === 'pictures' ? scaled(value, height, width) : value))
      const matrices = data.spec.matrices.map((matrix) => ({ ...matrix, rows: height, cols: width }))
      return { ...changed, spec: { ...data.spec, matrices } }
    },
  }
}

type Pictures = Extract<Value, { layout: 'pictures' }>

function scaled({ shape, values }: Pictures, height: number, width: number): Pictures {
  const [count, rows, cols, channels] = shape
  const out = new Uint8Array(count * height * width * channels)
  const size = rows * cols * channels
  for (let t = 0; t < count; t++) {
    const raw = Transformer.fromRgbaPixels(rgba(values.subarray(t * size, (t + 1) * size), channels), cols, rows)
      .resize({ width, height, filter: ResizeFilterType.Triangle, fit: ResizeFit.Fill })
      .rawPixelsSync()
    for (let i = 0; i < height * width; i++) {
      for (let c = 0; c < channels; c++) out[(t * height * width + i) * channels + c] = raw[4 * i + c]
    }
  }
  return { layout: 'pictures', shape: [count, height, width, channels], values: out }
}

/** Three channels from one, each with its own gain. */
function tinted(value: Pictures): Pictures {
  const [count, rows, cols, channels] = value.shape
  if (channels !== 1) return value
  const values = new Uint8Array(value.values.length * 3)
  for (let i = 0; i < value.values.length; i++) {
    const gray = value.values[i]
    values.set([gray, (gray * 200) >> 8, 40 + ((gray * 120) >> 8)], 3 * i)
  }
  return { layout: 'pictures', shape: [count, rows, cols, 3], values }
}

function pixelwise(value: Value, change: (bytes: Uint8Array) => Uint8Array): Value {
  return value.layout === 'pictures' ? { ...value, values: change(value.values) } : value
}
