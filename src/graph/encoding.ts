// A graph as bytes, so that another process can load a member model and inline it: magic, length of a JSON header (uint32 LE),
// the header, then raw little-endian arrays at multiples of 8 bytes. Decoded constants are views into the given bytes.
import { AutomlError } from '../support/errors.ts'
import type { AttributeValue, ConstantData, Graph, GraphNode } from './graph.ts'

const MAGIC = 0x31485247 // "GRH1"
const ALIGNMENT = 8

const ARRAYS = {
  Float32Array,
  Float64Array,
  Int8Array,
  Uint8Array,
  Int32Array,
  Uint32Array,
  BigInt64Array,
  BigUint64Array,
} as const
type ArrayName = keyof typeof ARRAYS

interface ArrayRef {
  array: ArrayName
  offset: number
  length: number
}

type EncodedAttribute = number | string | readonly number[] | readonly string[] | ArrayRef | { number: string }

export function encodeGraph(graph: Graph): Uint8Array {
  const arrays: ConstantData[] = []
  let bodyBytes = 0
  const put = (data: ConstantData): ArrayRef => {
    const ref = { array: data.constructor.name as ArrayName, offset: bodyBytes, length: data.length }
    arrays.push(data)
    bodyBytes += align(data.byteLength)
    return ref
  }
  const header = {
    inputs: graph.inputs,
    outputs: graph.outputs,
    nodes: graph.nodes.map((node) => ({ ...node, attrs: mapValues(node.attrs, (v) => encodeAttribute(v, put)) })),
    initializers: graph.initializers.map((c) => ({ name: c.name, type: c.type, shape: c.shape, data: put(c.data) })),
  }
  const text = new TextEncoder().encode(JSON.stringify(header))
  const bodyStart = align(8 + text.length)
  const bytes = new Uint8Array(bodyStart + bodyBytes)
  new DataView(bytes.buffer).setUint32(0, MAGIC, true)
  new DataView(bytes.buffer).setUint32(4, text.length, true)
  bytes.set(text, 8)
  let at = bodyStart
  for (const data of arrays) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at)
    at += align(data.byteLength)
  }
  return bytes
}

/** @throws GRAPH_OP when the bytes are no encoded graph */
export function decodeGraph(given: Uint8Array): Graph {
  const bytes = given.byteOffset % ALIGNMENT === 0 ? given : given.slice()
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 8 || view.getUint32(0, true) !== MAGIC) {
    throw new AutomlError('GRAPH_OP', `decodeGraph: ${bytes.length} bytes are no encoded graph`)
  }
  const headerBytes = view.getUint32(4, true)
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerBytes)))
  const bodyStart = bytes.byteOffset + align(8 + headerBytes)
  const take = (ref: ArrayRef) => new ARRAYS[ref.array](bytes.buffer as ArrayBuffer, bodyStart + ref.offset, ref.length)
  return {
    inputs: header.inputs,
    outputs: header.outputs,
    nodes: header.nodes.map((node: GraphNode) => ({
      ...node,
      attrs: mapValues(node.attrs, (v) => decodeAttribute(v as EncodedAttribute, take)),
    })),
    initializers: header.initializers.map((c: { data: ArrayRef }) => ({ ...c, data: take(c.data) })),
  }
}

function encodeAttribute(value: AttributeValue, put: (data: ConstantData) => ArrayRef): EncodedAttribute {
  if (typeof value === 'number') return Number.isFinite(value) ? value : { number: String(value) }
  if (value instanceof Float32Array || value instanceof Int32Array) return put(value)
  return value
}

function decodeAttribute(value: EncodedAttribute, take: (ref: ArrayRef) => ConstantData): AttributeValue {
  if (typeof value !== 'object' || Array.isArray(value)) return value as AttributeValue
  return 'number' in value ? Number(value.number) : (take(value as ArrayRef) as Float32Array | Int32Array)
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, map: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]))
}

function align(size: number): number {
  return Math.ceil(size / ALIGNMENT) * ALIGNMENT
}
