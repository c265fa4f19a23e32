// A graph as text for people: one line per input, node and output, with types and shapes.
import { formatShape } from './dims.ts'
import type { AttributeValue, Graph } from './graph.ts'

/**
 * ```
 * input  x float32[n, 10]
 * const  const_1 float32[10, 3]
 * MatMul_1 = MatMul(x, const_1)
 * output scores float32[n, 3]
 * ```
 */
export function graphText(graph: Graph): string {
  const lines = graph.inputs.map((v) => `input  ${v.name} ${v.type}${formatShape(v.shape)}`)
  for (const c of graph.initializers) {
    const small = c.data.length <= 8 ? ` = [${Array.from(c.data as Float32Array).join(', ')}]` : ''
    lines.push(`const  ${c.name} ${c.type}${formatShape(c.shape)}${small}`)
  }
  for (const node of graph.nodes) {
    const attrs = Object.entries(node.attrs).map(([key, value]) => `${key}=${attributeText(value)}`)
    const inputs = node.inputs.map((name) => (name === '' ? '-' : name))
    lines.push(`${node.outputs.join(', ')} = ${node.op}(${[...inputs, ...attrs].join(', ')})`)
  }
  for (const v of graph.outputs) lines.push(`output ${v.name} ${v.type}${formatShape(v.shape)}`)
  return lines.join('\n')
}

function attributeText(value: AttributeValue): string {
  if (typeof value !== 'object') return String(value)
  return value.length > 12 ? `[${value.length} values]` : `[${Array.from(value as number[]).join(',')}]`
}
