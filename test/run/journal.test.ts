import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openJournal, readJournal } from '../../src/run/journal.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const folder = temporaryFolder()
let files = 0
const fresh = () => join(folder, `journal-${files++}.jsonl`)

describe('journal', () => {
  it('gives back what was appended, in order', () => {
    const path = fresh()
    const journal = openJournal<{ n: number }>(path)
    for (let n = 0; n < 5; n++) journal.append({ n })
    journal.note({ n: 5 })
    journal.close()
    expect(readJournal(path)).toEqual([0, 1, 2, 3, 4, 5].map((n) => ({ n })))
  })

  it('ignores a torn last line, wherever it was torn, and goes on after it', () => {
    const line = '{"n":1,"text":"a line that breaks off"}'
    for (let cut = 0; cut < line.length; cut++) {
      const path = fresh()
      writeFileSync(path, `{"n":0}\n${line.slice(0, cut)}`)
      expect(readJournal(path)).toEqual([{ n: 0 }])
      const journal = openJournal<{ n: number }>(path)
      journal.append({ n: 2 })
      journal.close()
      expect(readJournal(path)).toEqual([{ n: 0 }, { n: 2 }])
    }
  })

  it('refuses damage in the middle and names the line', () => {
    const path = fresh()
    writeFileSync(path, '{"n":0}\n{"n":\n{"n":2}\n')
    expect(() => readJournal(path)).toThrow(/line 2 is not JSON/)
  })

  it('appends to what is there', () => {
    const path = fresh()
    openJournal(path).append({ n: 0 })
    appendFileSync(path, '')
    openJournal(path).append({ n: 1 })
    expect(readFileSync(path, 'utf8')).toBe('{"n":0}\n{"n":1}\n')
  })

  it('says which file cannot be written', () => {
    expect(() => openJournal(join(folder, 'nowhere', 'journal.jsonl'))).toThrow(/nowhere.*cannot write/)
  })
})
