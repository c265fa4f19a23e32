// ONNX's own checker reads what the engine would give onnxruntime, for every case: simplified and in plain operators, and in blocked
// ones where convolutions have such a form. Shapes are inferred strictly, so declared output shapes are checked too. Operators of the
// domains com.microsoft and com.microsoft.nchwc are declared and otherwise unknown to the checker: it takes their names on trust.
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { serializeOnnx } from '../../src/engine/onnx/serialize.ts'
import { lower, needsLowering } from '../../src/graph/lowering/lower.ts'
import { simplify } from '../../src/graph/simplify/simplify.ts'
import { buildTrainingStep } from '../../src/graph/training-step.ts'
import { graphCases } from './cases/cases.ts'
import { buildCase, titleOf } from './graph-case.ts'
import { networkCases } from './trainings.ts'

/** Interpreter that has the onnx package: Debian's python3-onnx, or one named by PYTHON. */
const PYTHON = process.env.PYTHON ?? 'python3'
const OPSET = 21

const PROBE = 'import onnx; print(onnx.defs.onnx_opset_version())'
/** Reads file names, prints those that fail with the checker's words. */
const CHECK = `
import sys, onnx
for path in sys.stdin.read().split():
    try:
        onnx.checker.check_model(onnx.load(path), full_check=True)
    except Exception as error:
        print(path, str(error).replace("\\n", " ")[:300], flush=True)
print("done")
`

function whyNot(): string | null {
  const { status, stdout } = spawnSync(PYTHON, ['-c', PROBE], { encoding: 'utf8' })
  if (status !== 0)
    return `${PYTHON} has no package onnx (apt-get install python3-onnx, or name an interpreter in PYTHON)`
  const opset = Number(stdout)
  return opset < OPSET ? `the onnx package of ${PYTHON} knows opset ${opset}; these models have ${OPSET}` : null
}

const absent = whyNot()
if (absent) console.info(`ONNX checker: skipped: ${absent}`)

const graphs = [
  ...graphCases.map((c) => ({ title: titleOf(c), graph: buildCase(c).graph })),
  ...networkCases.map((c) => ({ title: c.title, graph: buildTrainingStep(c.definition, c.options).graph })),
]

describe('the ONNX checker accepts', () => {
  test.skipIf(absent !== null).each([0, 8] as const)('every case, in blocks of %i', (block) => {
    const folder = resolve(import.meta.dirname, `../../.tmp/conformance/checker-${process.pid}-${block}`)
    mkdirSync(folder, { recursive: true })
    const titles = new Map<string, string>()
    graphs.forEach(({ title, graph }, i) => {
      const simple = simplify(graph)
      // Without convolutions there is no other form.
      if (block > 0 && !needsLowering(simple)) return
      const path = join(folder, `${i}.onnx`)
      titles.set(path, title)
      writeFileSync(path, serializeOnnx(needsLowering(simple) ? lower(simple, { block }) : simple))
    })
    expect(titles.size).toBeGreaterThan(block === 0 ? 500 : 50)
    const { stdout, stderr } = spawnSync(PYTHON, ['-c', CHECK], {
      input: [...titles.keys()].join('\n'),
      encoding: 'utf8',
    })
    rmSync(folder, { recursive: true })
    const lines = stdout.trim().split('\n')
    expect(lines.pop(), stderr).toBe('done')
    expect(lines.map((line) => `${titles.get(line.split(' ')[0])}: ${line}`)).toEqual([])
  })
})
