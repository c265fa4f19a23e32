// A member on disk: a candidate that main may publish. Its folder appears by rename and holds the whole model's graph, its test
// scores and its validation scores. Not fsynced: a member that a power cut tore has the wrong length, is skipped, and can be
// trained again; what is published is copied into its milestone and fsynced there.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { outputWriteError } from '../support/atomic-file.ts'

export interface MemberFacts {
  trial: string
  member: string
  family: string
  trainedOn: 'sample' | 'train' | 'all'
  /** Of each file, to tell a torn one. */
  graphBytes: number
  testLength: number
  /** 0: the model was not validated. */
  validationLength: number
}

export interface MemberContent {
  /** As encodeGraph writes it. */
  graph: Uint8Array
  /** [test count, K] */
  test: Float32Array
  /** [V, K] */
  validation: Float32Array | null
}

export function memberFolder(out: string, trial: string, member: string): string {
  return join(out, 'trials', trial, member)
}

/** @throws OUTPUT_WRITE */
export function writeMember(
  out: string,
  facts: Pick<MemberFacts, 'trial' | 'member' | 'family' | 'trainedOn'>,
  content: MemberContent,
): void {
  const folder = memberFolder(out, facts.trial, facts.member)
  const staged = join(out, 'trials', facts.trial, `.${facts.member}-${process.pid}`)
  const whole: MemberFacts = {
    ...facts,
    graphBytes: content.graph.length,
    testLength: content.test.length,
    validationLength: content.validation?.length ?? 0,
  }
  try {
    mkdirSync(staged, { recursive: true })
    writeFileSync(join(staged, 'graph.bin'), content.graph)
    writeFileSync(join(staged, 'test.f32'), bytesOf(content.test))
    if (content.validation !== null) writeFileSync(join(staged, 'validation.f32'), bytesOf(content.validation))
    writeFileSync(join(staged, 'member.json'), JSON.stringify(whole))
    renameSync(staged, folder)
  } catch (cause) {
    rmSync(staged, { recursive: true, force: true })
    throw outputWriteError(folder, cause)
  }
}

/** Null when the member is not there or torn. */
export function readMemberFacts(out: string, trial: string, member: string): MemberFacts | null {
  try {
    return JSON.parse(readFileSync(join(memberFolder(out, trial, member), 'member.json'), 'utf8')) as MemberFacts
  } catch {
    return null
  }
}

export function readMemberGraph(out: string, facts: MemberFacts): Uint8Array | null {
  const bytes = readWhole(join(memberFolder(out, facts.trial, facts.member), 'graph.bin'))
  return bytes?.length === facts.graphBytes ? bytes : null
}

export function readMemberScores(out: string, facts: MemberFacts, which: 'test' | 'validation'): Float32Array | null {
  const length = which === 'test' ? facts.testLength : facts.validationLength
  if (length === 0) return which === 'test' ? new Float32Array(0) : null
  const bytes = readWhole(join(memberFolder(out, facts.trial, facts.member), `${which}.f32`))
  if (bytes?.length !== length * 4) return null
  return new Float32Array(bytes.buffer, bytes.byteOffset, length)
}

export function removeMember(out: string, trial: string, member: string): void {
  rmSync(memberFolder(out, trial, member), { recursive: true, force: true })
}

/** The number that the trial's next member gets: one more than any it has. */
export function nextMemberNumber(out: string, trial: string): number {
  let next = 0
  for (const name of listFolder(join(out, 'trials', trial))) {
    const match = /^\.?m(\d+)/.exec(name)
    if (match !== null) next = Math.max(next, Number(match[1]) + 1)
  }
  return next
}

/** Names in a folder; none when it does not exist. */
export function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** Fresh memory, so that the views are aligned. */
function readWhole(path: string): Uint8Array | null {
  try {
    const buffer = readFileSync(path)
    return buffer.byteOffset % 8 === 0 ? buffer : Uint8Array.from(buffer)
  } catch {
    return null
  }
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
}
