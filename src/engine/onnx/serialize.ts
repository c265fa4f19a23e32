// A graph as an ONNX file (IR version 10, opset 21; field numbers from onnx.proto). Pure: needs no onnxruntime.
import type {
  Attributes,
  AttributeValue,
  DataType,
  Graph,
  GraphNode,
  Initializer,
  ValueInfo,
} from '../../graph/graph.ts'
import type { AttributeKind } from '../../graph/ops/spec.ts'
import { opSpec } from '../../graph/ops/table.ts'
import { Message } from './protobuf.ts'

const IR_VERSION = 10
const OPSETS = { '': 21, 'ai.onnx.ml': 3, 'com.microsoft': 1, 'com.microsoft.nchwc': 1 } as const

/** TensorProto.DataType */
export const ONNX_TYPES: Record<DataType, number> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float64: 11,
  uint32: 12,
  uint64: 13,
}

/** AttributeProto.AttributeType */
const ATTRIBUTE_TYPES: Record<AttributeKind, number> = { float: 1, int: 2, string: 3, floats: 6, ints: 7, strings: 8 }

export interface SerializeOptions {
  metadata?: Readonly<Record<string, string>>
  /** Name of an empty sequence of float32 tensors to be the first output. @default none */
  emptySequence?: string
}

export function serializeOnnx(graph: Graph, { metadata = {}, emptySequence }: SerializeOptions = {}): Uint8Array {
  const domains = new Set(['', ...graph.nodes.map((node) => opSpec(node.op).domain ?? '')]) as Set<keyof typeof OPSETS>
  const model = new Message().int(1, IR_VERSION).text(2, 'automl').message(7, graphMessage(graph, emptySequence))
  for (const domain of domains) model.message(8, new Message().text(1, domain).int(2, OPSETS[domain]))
  for (const [key, value] of Object.entries(metadata)) model.message(14, new Message().text(1, key).text(2, value))
  return model.finish()
}

function graphMessage(graph: Graph, emptySequence?: string): Message {
  const message = new Message()
  if (emptySequence !== undefined) message.message(1, new Message().text(2, emptySequence).text(4, 'SequenceEmpty'))
  for (const node of graph.nodes) message.message(1, nodeMessage(node))
  message.text(2, 'graph')
  for (const initializer of graph.initializers) message.message(5, tensorMessage(initializer))
  for (const input of graph.inputs) message.message(11, valueMessage(input))
  if (emptySequence !== undefined) message.message(12, sequenceMessage(emptySequence))
  for (const output of graph.outputs) message.message(12, valueMessage(output))
  return message
}

function nodeMessage(node: GraphNode): Message {
  const spec = opSpec(node.op)
  const message = new Message()
  for (const input of node.inputs) message.text(1, input)
  for (const output of node.outputs) message.text(2, output)
  message.text(3, node.outputs[0]).text(4, node.op.slice(node.op.lastIndexOf('.') + 1))
  for (const [name, value] of Object.entries(onnxAttributes(node))) {
    const kind = node.op === 'Cast' ? 'int' : spec.attrs![name]
    message.message(5, attributeMessage(name, kind, value))
  }
  return spec.domain ? message.text(7, spec.domain) : message
}

/** Types are names in a graph and numbers in ONNX. */
function onnxAttributes(node: GraphNode): Attributes {
  return node.op === 'Cast' ? { to: ONNX_TYPES[node.attrs.to as DataType] } : node.attrs
}

function attributeMessage(name: string, kind: AttributeKind, value: AttributeValue): Message {
  const message = new Message().text(1, name)
  switch (kind) {
    case 'float':
      message.float(2, value as number)
      break
    case 'int':
      message.int(3, value as number)
      break
    case 'string':
      message.text(4, value as string)
      break
    case 'floats':
      message.packedFloats(7, value as number[])
      break
    case 'ints':
      message.packedInts(8, value as number[])
      break
    case 'strings':
      message.texts(9, value as string[])
      break
    default:
      kind satisfies never
  }
  return message.int(20, ATTRIBUTE_TYPES[kind])
}

function tensorMessage({ name, type, shape, data }: Initializer): Message {
  const message = new Message()
  for (const dim of shape) message.int(1, dim)
  return message
    .int(2, ONNX_TYPES[type])
    .text(8, name)
    .bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
}

function valueMessage({ name, type, shape }: ValueInfo): Message {
  const dims = new Message()
  for (const dim of shape) {
    dims.message(1, typeof dim === 'number' ? new Message().int(1, dim) : new Message().text(2, dim))
  }
  const tensorType = new Message().int(1, ONNX_TYPES[type]).message(2, dims)
  return new Message().text(1, name).message(2, new Message().message(1, tensorType))
}

function sequenceMessage(name: string): Message {
  const element = new Message().message(1, new Message().int(1, ONNX_TYPES.float32))
  return new Message().text(1, name).message(2, new Message().message(4, new Message().message(1, element)))
}
