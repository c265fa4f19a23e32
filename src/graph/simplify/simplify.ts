// Simplification of a finished graph, in one pass in execution order: constants are folded, equal nodes become one, nodes that change
// nothing go, chains are shortened (rules by operator in arithmetic.ts, layout.ts and matmul.ts); what nothing reads any more is left
// out. Inputs and outputs keep their names, types and shapes. Numbers keep to float rounding. Engines call it before they compile.
import { GraphBuilder, type Value } from '../builder.ts'
import type { Attributes, Graph, Initializer } from '../graph.ts'
import { arithmeticRules } from './arithmetic.ts'
import { FOLDED, foldFloats, foldIntegers } from './fold.ts'
import { joinPadded, layoutRules } from './layout.ts'
import { matmulRules } from './matmul.ts'
import type { Rewrite, RuleTable } from './rewrite.ts'

const RULES: RuleTable = {
  ...arithmeticRules,
  ...layoutRules,
  ...matmulRules,
  Add: [...arithmeticRules.Add, joinPadded],
}

/** Constants of at most this many elements are compared by content. */
const SMALL = 64

export function simplify(graph: Graph): Graph {
  const g = new GraphBuilder()
  const values = new Map<string, Value | null>([['', null]])
  for (const { name, type, shape } of graph.inputs) values.set(name, g.input(name, type, shape))
  const constants = new Map<string, Value>()
  for (const c of graph.initializers)
    values.set(
      c.name,
      shared(constants, c, () => g.constant(c.data, c.shape, c.type, c.name)),
    )
  const emit = createEmitter(g)
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => values.get(name)!)
    const outputs = emit(node.op, inputs, node.attrs, node.outputs.length)
    node.outputs.forEach((name, i) => {
      values.set(name, outputs[i])
    })
  }
  for (const { name } of graph.outputs) g.output(name, values.get(name)!)
  return { ...g.build(), inputs: graph.inputs, outputs: graph.outputs }
}

type Emitter = (op: string, inputs: readonly (Value | null)[], attrs: Attributes, outputCount: number) => Value[]

function createEmitter(g: GraphBuilder): Emitter {
  const made = new Map<string, Value[]>()

  function emit(op: string, inputs: readonly (Value | null)[], attrs: Attributes, outputCount: number): Value[] {
    const key = keyOf(op, inputs, attrs, outputCount)
    const twin = key === null ? undefined : made.get(key)
    if (twin) return twin
    const outputs = rewritten(op, inputs, attrs, outputCount) ?? fresh(op, inputs, attrs, outputCount)
    if (key !== null) made.set(key, outputs)
    return outputs
  }

  function rewritten(op: string, inputs: readonly (Value | null)[], attrs: Attributes, count: number): Value[] | null {
    const rules = RULES[op]
    if (count > 1 || (rules === undefined && !FOLDED.has(op))) return null
    const one: Rewrite['emit'] = (type, operands, given = {}) => emit(type, operands, given, 1)[0]
    const rewrite: Rewrite = { g, op, inputs, attrs, emit: one }
    const folded = foldFloats(rewrite)
    if (folded) return [folded]
    for (const rule of rules ?? []) {
      const value = rule(rewrite)
      if (value) return [value]
    }
    return null
  }

  function fresh(op: string, inputs: readonly (Value | null)[], attrs: Attributes, count: number): Value[] {
    const outputs = g.ops(op, inputs, attrs, count)
    const known = count === 1 ? foldIntegers(g, outputs[0]) : null
    return known ? [known] : outputs
  }

  return emit
}

/** Equal keys compute the same; attributes in another order only miss a twin. Null for nodes with attributes too long to compare. */
function keyOf(op: string, inputs: readonly (Value | null)[], attrs: Attributes, outputCount: number): string | null {
  let key = `${op}/${outputCount}`
  for (const value of inputs) key += `\0${value?.name ?? ''}`
  for (const name of Object.keys(attrs)) {
    const value = attrs[name]
    if (typeof value === 'object' && value.length > SMALL) return null
    key += `\0${name}=${value}`
  }
  return key
}

/** Small constants of equal contents are one. */
function shared(known: Map<string, Value>, c: Initializer, make: () => Value): Value {
  if (c.data.length > SMALL) return make()
  const key = `${c.type}[${c.shape}]${Array.from(c.data as Float32Array, (v) => (Object.is(v, -0) ? '-0' : String(v)))}`
  const twin = known.get(key) ?? make()
  known.set(key, twin)
  return twin
}
