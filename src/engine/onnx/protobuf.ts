// The protobuf wire format, writing only (https://protobuf.dev/programming-guides/encoding). A message is a list of chunks that is
// copied once, at the end, so that large arrays are not copied for every level of nesting.

export class Message {
  readonly #chunks: Uint8Array[] = []
  #size = 0

  get size(): number {
    return this.#size
  }

  int(field: number, value: number | bigint): this {
    return this.#push(varint((field << 3) | 0)).#push(varint(value))
  }

  float(field: number, value: number): this {
    return this.#push(varint((field << 3) | 5)).#push(new Uint8Array(Float32Array.of(value).buffer))
  }

  text(field: number, value: string): this {
    return this.bytes(field, Buffer.from(value, 'utf8'))
  }

  /** Length-delimited bytes; not copied until `finish`. */
  bytes(field: number, value: Uint8Array): this {
    return this.#push(varint((field << 3) | 2))
      .#push(varint(value.length))
      .#push(value)
  }

  message(field: number, value: Message): this {
    this.#push(varint((field << 3) | 2)).#push(varint(value.#size))
    for (const chunk of value.#chunks) this.#push(chunk)
    return this
  }

  packedInts(field: number, values: ArrayLike<number>): this {
    let size = 0
    for (let i = 0; i < values.length; i++) size += varintSize(values[i])
    const bytes = new Uint8Array(size)
    for (let i = 0, at = 0; i < values.length; i++) at = writeVarint(bytes, at, values[i])
    return this.bytes(field, bytes)
  }

  packedFloats(field: number, values: ArrayLike<number>): this {
    return this.bytes(field, new Uint8Array(Float32Array.from(values).buffer))
  }

  /** A repeated string field. Tree ensembles name the mode of a million nodes with a handful of words, so words are encoded once. */
  texts(field: number, values: readonly string[]): this {
    const encoded = new Map<string, Uint8Array>()
    let size = 0
    for (const text of values) {
      let bytes = encoded.get(text)
      if (bytes === undefined) encoded.set(text, (bytes = new Message().text(field, text).finish()))
      size += bytes.length
    }
    const chunk = new Uint8Array(size)
    let at = 0
    for (const text of values) {
      const bytes = encoded.get(text)!
      chunk.set(bytes, at)
      at += bytes.length
    }
    return this.#push(chunk)
  }

  finish(): Uint8Array {
    const out = new Uint8Array(this.#size)
    let at = 0
    for (const chunk of this.#chunks) {
      out.set(chunk, at)
      at += chunk.length
    }
    return out
  }

  #push(chunk: Uint8Array): this {
    this.#chunks.push(chunk)
    this.#size += chunk.length
    return this
  }
}

/** Base-128, least significant group first; negative numbers as 64-bit two's complement. */
function varint(value: number | bigint): Uint8Array {
  if (typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER) {
    const bytes = new Uint8Array(varintSize(value))
    writeVarint(bytes, 0, value)
    return bytes
  }
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128)
    rest >>= 7n
  }
  bytes.push(Number(rest))
  return Uint8Array.from(bytes)
}

function varintSize(value: number): number {
  if (value < 0) return 10
  let size = 1
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) size++
  return size
}

function writeVarint(bytes: Uint8Array, start: number, value: number): number {
  if (value < 0) {
    const encoded = varint(value)
    bytes.set(encoded, start)
    return start + encoded.length
  }
  let at = start
  let rest = value
  while (rest > 127) {
    bytes[at++] = (rest % 128) | 128
    rest = Math.floor(rest / 128)
  }
  bytes[at++] = rest
  return at
}
