// The protobuf wire format, writing only (https://protobuf.dev/programming-guides/encoding). Small fields are written into one growing
// buffer per message; large arrays are referred to and copied once, at the end, so that they are not copied for every level of nesting.

/** From this many bytes on an array is referred to. */
const LARGE = 1024

export class Message {
  /** Finished chunks; `#buffer` goes on after them. */
  readonly #chunks: Uint8Array[] = []
  #chunkBytes = 0
  #buffer = new Uint8Array(64)
  #at = 0

  get size(): number {
    return this.#chunkBytes + this.#at
  }

  int(field: number, value: number | bigint): this {
    return this.#varint((field << 3) | 0).#varint(value)
  }

  float(field: number, value: number): this {
    return this.#varint((field << 3) | 5).#append(new Uint8Array(Float32Array.of(value).buffer))
  }

  text(field: number, value: string): this {
    for (let i = 0; i < value.length; i++) {
      if (value.charCodeAt(i) > 127) return this.bytes(field, Buffer.from(value, 'utf8'))
    }
    this.#varint((field << 3) | 2).#varint(value.length)
    this.#reserve(value.length)
    for (let i = 0; i < value.length; i++) this.#buffer[this.#at++] = value.charCodeAt(i)
    return this
  }

  /** Length-delimited bytes; large ones are not copied until `finish`. */
  bytes(field: number, value: Uint8Array): this {
    return this.#varint((field << 3) | 2)
      .#varint(value.length)
      .#append(value)
  }

  /** `value` must be complete. */
  message(field: number, value: Message): this {
    this.#varint((field << 3) | 2).#varint(value.size)
    for (const chunk of value.#chunks) this.#append(chunk)
    return this.#append(value.#buffer.subarray(0, value.#at))
  }

  packedInts(field: number, values: ArrayLike<number>): this {
    const packed = new Message()
    for (let i = 0; i < values.length; i++) packed.#varint(values[i])
    return this.message(field, packed)
  }

  packedFloats(field: number, values: ArrayLike<number>): this {
    return this.bytes(field, new Uint8Array(Float32Array.from(values).buffer))
  }

  /** A repeated string field. Tree ensembles name the mode of a million nodes with a handful of words, so words are encoded once. */
  texts(field: number, values: readonly string[]): this {
    const encoded = new Map<string, Uint8Array>()
    for (const text of values) {
      let bytes = encoded.get(text)
      if (bytes === undefined) encoded.set(text, (bytes = new Message().text(field, text).finish()))
      this.#append(bytes)
    }
    return this
  }

  finish(): Uint8Array {
    const out = new Uint8Array(this.size)
    let at = 0
    for (const chunk of this.#chunks) {
      out.set(chunk, at)
      at += chunk.length
    }
    out.set(this.#buffer.subarray(0, this.#at), at)
    return out
  }

  #append(bytes: Uint8Array): this {
    if (bytes.length >= LARGE) {
      this.#close()
      this.#chunks.push(bytes)
      this.#chunkBytes += bytes.length
      return this
    }
    this.#reserve(bytes.length)
    this.#buffer.set(bytes, this.#at)
    this.#at += bytes.length
    return this
  }

  /** Makes what is written so far a chunk. */
  #close(): void {
    if (this.#at === 0) return
    this.#chunks.push(this.#buffer.subarray(0, this.#at))
    this.#chunkBytes += this.#at
    this.#buffer = new Uint8Array(64)
    this.#at = 0
  }

  #reserve(bytes: number): void {
    const needed = this.#at + bytes
    if (needed <= this.#buffer.length) return
    const wider = new Uint8Array(Math.max(needed, 2 * this.#buffer.length))
    wider.set(this.#buffer.subarray(0, this.#at))
    this.#buffer = wider
  }

  /** Base-128, least significant group first; negative numbers as 64-bit two's complement. */
  #varint(value: number | bigint): this {
    this.#reserve(10)
    if (typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER) {
      let rest = value
      while (rest > 127) {
        this.#buffer[this.#at++] = (rest % 128) | 128
        rest = Math.floor(rest / 128)
      }
      this.#buffer[this.#at++] = rest
      return this
    }
    let rest = BigInt.asUintN(64, BigInt(value))
    while (rest > 127n) {
      this.#buffer[this.#at++] = Number(rest & 127n) | 128
      rest >>= 7n
    }
    this.#buffer[this.#at++] = Number(rest)
    return this
  }
}
