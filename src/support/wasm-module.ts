// A small assembler for WebAssembly modules with 128-bit vectors, for hot loops that JavaScript would do one number at a time:
// functions without results over one imported memory. Written after the binary format of the WebAssembly core specification,
// release 2.0, section 5. Left out: everything that the loops here do not need.

/** `declare`d here: the standard library that the project compiles against knows no WebAssembly. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object
  Instance: new (module: object, imports: object) => { exports: Record<string, (...args: number[]) => void> }
  Memory: new (options: { initial: number }) => WasmMemory
}

export interface WasmMemory {
  readonly buffer: ArrayBuffer
}

export interface WasmFunction {
  name: string
  /** Parameters come first among locals. */
  params: readonly ('i32' | 'f32')[]
  locals: readonly ('i32' | 'v128')[]
  /** Encoded instructions, without the final `end`. */
  body: readonly number[]
}

const TYPES = { i32: 0x7f, f32: 0x7d, v128: 0x7b } as const
const PAGE_BYTES = 65536

export interface WasmInstance {
  functions: Record<string, (...args: number[]) => void>
  memory: WasmMemory
}

/** Compiled once per program text by the caller's keeping; an instance has a memory of its own. */
export function compileWasm(functions: readonly WasmFunction[]): object {
  return new WebAssembly.Module(Uint8Array.from(moduleBytes(functions)))
}

/** @param bytes of memory that the functions may touch */
export function instantiateWasm(module: object, bytes: number): WasmInstance {
  const memory = new WebAssembly.Memory({ initial: Math.max(1, Math.ceil(bytes / PAGE_BYTES)) })
  const instance = new WebAssembly.Instance(module, { host: { memory } })
  return { functions: instance.exports, memory }
}

function moduleBytes(functions: readonly WasmFunction[]): number[] {
  const types = functions.map(({ params }) => [0x60, ...vector(params.map((type) => [TYPES[type]])), 0])
  const memory = [...text('host'), ...text('memory'), 0x02, 0x00, 1]
  const exported = functions.map(({ name }, i) => [...text(name), 0x00, ...unsigned(i)])
  return [
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector(types)),
    ...section(2, vector([memory])),
    ...section(3, vector(functions.map((_, i) => unsigned(i)))),
    ...section(7, vector(exported)),
    ...section(10, vector(functions.map(code))),
  ]
}

function code({ locals, body }: WasmFunction): number[] {
  const bytes = [...vector(locals.map((type) => [1, TYPES[type]])), ...body, 0x0b]
  return [...unsigned(bytes.length), ...bytes]
}

function section(id: number, content: number[]): number[] {
  return [id, ...unsigned(content.length), ...content]
}

function vector(items: readonly number[][]): number[] {
  return [...unsigned(items.length), ...items.flat()]
}

function text(words: string): number[] {
  return [...unsigned(words.length), ...Buffer.from(words)]
}

/** LEB128. */
function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)]
}

function signed(value: number): number[] {
  return value >= -64 && value < 64 ? [value & 127] : [(value & 127) | 128, ...signed(value >> 7)]
}

/** Vector instructions have a prefix; offsets of loads and stores are unsigned, alignment is a hint. */
const simd = (op: number, ...rest: number[]) => [0xfd, ...unsigned(op), ...rest]

/** Instructions by their names in the specification. */
export const wasm = {
  get: (local: number) => [0x20, ...unsigned(local)],
  set: (local: number) => [0x21, ...unsigned(local)],
  i32: (value: number) => [0x41, ...signed(value)],
  f32: (value: number) => [0x43, ...Buffer.from(Float32Array.of(value).buffer)],
  i32Add: [0x6a],
  i32LtS: [0x48],
  f32Mul: [0x94],
  f32FromI32: [0xb2],
  storeF32: (offset: number) => [0x38, 2, ...unsigned(offset)],
  load: (offset = 0) => simd(0, 2, ...unsigned(offset)),
  loadSplat: (offset = 0) => simd(9, 2, ...unsigned(offset)),
  store: (offset = 0) => simd(11, 2, ...unsigned(offset)),
  splat: simd(0x13),
  lane: (index: number) => simd(0x1b, index),
  f32x4Gt: simd(0x44),
  f32x4Neg: simd(0xe1),
  f32x4Add: simd(0xe4),
  f32x4Mul: simd(0xe6),
  i32x4Add: simd(0xae),
  i32x4Sub: simd(0xb1),
  zero: simd(12, ...new Array<number>(16).fill(0)),
  /** `body` while the i32 that `condition` leaves is not 0. */
  loopWhile: (condition: number[], body: number[]) => [
    ...[0x02, 0x40, 0x03, 0x40],
    ...condition,
    ...[0x45, 0x0d, 1],
    ...body,
    ...[0x0c, 0, 0x0b, 0x0b],
  ],
}
