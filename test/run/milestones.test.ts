import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createFolder, type RunFolder, readLatest, runFolder } from '../../src/run/folder.ts'
import { finishMilestones, type Milestone, publish } from '../../src/run/milestones.ts'
import { columnNames, decodePredictions, encodePredictions } from '../../src/run/predictions-file.ts'
import { formatScores, readStart, writeStart } from '../../src/run/protocol.ts'
import { stagedPath } from '../../src/support/atomic-file.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const temporary = temporaryFolder()
let folders = 0

function freshFolder(): RunFolder {
  const folder = runFolder(join(temporary, `run-${folders++}`))
  createFolder(folder)
  writeStart(folder.predictions, { pid: 1, task: 'task', budgetS: 60, startTimeS: 1000 })
  return folder
}

function milestone(index: number): Milestone {
  return {
    facts: {
      v: 1,
      index,
      timeMs: 1000 * index,
      reason: 'better',
      quality: { nauc: 0.5, accuracy: 0.5, loss: 1 },
      blend: 'mean',
      members: [{ trial: 't0000', member: 'm0', family: 'linear', trainedOn: 'all', weight: 1 }],
      task: 'task',
      classNames: ['a', 'b'],
    },
    model: Uint8Array.of(1, 2, 3),
    testIds: Float64Array.of(0, 1, 2),
    scores: Float32Array.of(0.25, 0.75, 1, 0, 0.123456789, index / 8),
  }
}

const files = (folder: RunFolder) =>
  readdirSync(folder.root, { recursive: true, encoding: 'utf8' }).sort((a, b) => (a < b ? -1 : 1))

describe('publish', () => {
  it('leaves a whole milestone, its prediction with its time, and latest; nothing else', async () => {
    const folder = freshFolder()
    const time = await publish(folder, milestone(0), () => 1012.5)
    expect(time).toBe(1012.5)
    expect(files(folder)).toEqual([
      'latest',
      'milestones',
      'milestones/0000',
      'milestones/0000/milestone.json',
      'milestones/0000/model.onnx',
      'milestones/0000/predictions.arrow',
      'predictions',
      'predictions/start.txt',
      'predictions/task.predict_0',
      'trials',
    ])
    expect(readLatest(folder)).toBe('0000')
    expect(readStart(folder.predictions)).toEqual({ startTimeS: 1000, timesS: new Map([[0, 1012.5]]) })
    expect(readFileSync(join(folder.predictions, 'task.predict_0'), 'utf8')).toBe(
      '0.250000 0.750000\n1 0\n0.123457 0\n',
    )
  })

  it('changes nothing when it cannot write', async () => {
    const folder = freshFolder()
    await publish(folder, milestone(0), () => 1001)
    const before = files(folder)
    // A folder where the prediction's temporary file should be written.
    mkdirSync(stagedPath(join(folder.predictions, 'task.predict_1')))
    await expect(publish(folder, milestone(1), () => 1002)).rejects.toMatchObject({ code: 'OUTPUT_WRITE', exitCode: 3 })
    expect(files(folder)).toEqual(before)
    expect(readLatest(folder)).toBe('0000')
  })
})

describe('finishMilestones', () => {
  it.each<[string, (folder: RunFolder) => void]>([
    ['before its prediction', (folder) => rmSync(join(folder.predictions, 'task.predict_1'))],
    ['before latest moved', (folder) => writeFileSync(folder.latest, '0000\n')],
    [
      'before anything was visible but the folder',
      (folder) => {
        rmSync(join(folder.predictions, 'task.predict_1'))
        writeFileSync(folder.latest, '0000\n')
      },
    ],
  ])('completes a milestone that was interrupted %s', async (_, interrupt) => {
    const folder = freshFolder()
    await publish(folder, milestone(0), () => 1001)
    await publish(folder, milestone(1), () => 1002)
    const prediction = readFileSync(join(folder.predictions, 'task.predict_1'), 'utf8')
    interrupt(folder)
    expect(finishMilestones(folder).map(({ index }) => index)).toEqual([0, 1])
    expect(readFileSync(join(folder.predictions, 'task.predict_1'), 'utf8')).toBe(prediction)
    expect(readLatest(folder)).toBe('0001')
  })

  it('removes what was only staged', async () => {
    const folder = freshFolder()
    await publish(folder, milestone(0), () => 1001)
    mkdirSync(join(folder.milestones, '.0001-77'))
    writeFileSync(join(folder.milestones, '.0001-77', 'model.onnx'), 'half')
    const trial = join(folder.trials, 't0003')
    mkdirSync(join(trial, '.m2-77'), { recursive: true })
    writeFileSync(join(trial, 'state.bin'), 'whole')
    writeFileSync(stagedPath(join(trial, 'state.bin')), 'half')
    expect(finishMilestones(folder)).toHaveLength(1)
    expect(existsSync(join(folder.milestones, '.0001-77'))).toBe(false)
    expect(readdirSync(trial)).toEqual(['state.bin'])
  })
})

describe('predictions', () => {
  it('survive the Arrow file', () => {
    const { testIds, scores } = milestone(3)
    expect(decodePredictions(encodePredictions(testIds, scores, ['a', 'b']))).toEqual({
      ids: testIds,
      scores,
      classNames: ['a', 'b'],
    })
  })

  it('keep their columns in place when classes are named by integers', () => {
    const { testIds, scores } = milestone(3)
    const digits = decodePredictions(encodePredictions(testIds, scores, ['7', '0']))
    expect(digits).toEqual({ ids: testIds, scores, classNames: ['7', '0'] })
  })

  it('may be none', () => {
    const empty = decodePredictions(encodePredictions(new Float64Array(0), new Float32Array(0), ['a']))
    expect(empty).toEqual({ ids: new Float64Array(0), scores: new Float32Array(0), classNames: ['a'] })
    expect(formatScores(new Float32Array(0), 3)).toHaveLength(0)
  })

  it('have unique column names, none of them id', () => {
    expect(columnNames(['x', '', 'x', 'id', ''])).toEqual(['x', 'class_1', 'x_2', 'id_3', 'class_4'])
  })
})
