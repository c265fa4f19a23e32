import { describe, expect, it } from 'vitest'
import { type FieldReaders, TextProto } from '../../src/dataset/textproto.ts'
import { DataError } from '../../src/support/errors.ts'

interface Parsed {
  name?: string
  count: number[]
  on: boolean[]
  color: string[]
  words: [string, number][]
}

/** A message with one field of each kind; `words` is a map. */
function parse(text: string): Parsed {
  const parsed: Parsed = { count: [], on: [], color: [], words: [] }
  let key = ''
  let value = 0
  const entry: FieldReaders = new Map([
    ['key', (t: TextProto) => void (key = t.string())],
    ['value', (t: TextProto) => void (value = t.int())],
  ])
  const fields: FieldReaders = new Map([
    ['name', (t: TextProto) => void (parsed.name = t.string())],
    ['count', (t: TextProto) => void parsed.count.push(t.int())],
    ['on', (t: TextProto) => void parsed.on.push(t.bool())],
    ['color', (t: TextProto) => void parsed.color.push(t.enumeration(['RED', 'GREEN', 'BLUE']))],
    [
      'words',
      (t: TextProto) => {
        const at = t.fieldAt
        key = ''
        value = 0
        t.message(entry)
        parsed.words.push([key, value])
        t.entriesAlike(at, (k, v) => parsed.words.push([k, v]) > 0)
      },
    ],
  ])
  new TextProto(Buffer.from(text), 'm.textproto').document(fields)
  return parsed
}

describe('strings', () => {
  it.each([
    ['single quotes', `name: 'a"b'`, 'a"b'],
    ['double quotes', `name: "it's"`, "it's"],
    ['escaped quotes', `name: 'it\\'s \\"so\\"'`, `it's "so"`],
    ['a backslash', `name: "a\\\\b"`, 'a\\b'],
    ['control escapes', `name: "\\a\\b\\f\\n\\r\\t\\v\\?"`, '\x07\b\f\n\r\t\v?'],
    ['octal bytes are UTF-8', `name: "caf\\303\\251"`, 'café'],
    ['hex bytes are UTF-8', `name: "caf\\xc3\\xA9"`, 'café'],
    ['short octal ends at a non-digit', `name: "\\1018"`, 'A8'],
    ['unicode escapes', `name: "\\u00e9\\U0001F600"`, 'é😀'],
    ['raw UTF-8', `name: '没有'`, '没有'],
    ['adjacent strings are one', `name: 'a' "b"\n  'c'`, 'abc'],
    ['a hash in a string is no comment', `name: 'a#b'`, 'a#b'],
    ['the empty string', `name: ''`, ''],
  ])('%s', (_title, text, value) => {
    expect(parse(text).name).toBe(value)
  })
})

describe('numbers, booleans and enums', () => {
  it.each([
    ['decimal, negative, hex, octal', 'count: 7 count: -1 count: 0x1F count: 017 count: - 3', [7, -1, 31, 15, -3]],
    ['a list in brackets', 'count: [1, 2 , 3] count: 4 count: []', [1, 2, 3, 4]],
  ])('%s', (_title, text, values) => {
    expect(parse(text).count).toEqual(values)
  })

  it('booleans in every spelling', () => {
    expect(parse('on: true on: false on: True on: False on: t on: f on: 1 on: 0').on).toEqual([
      true,
      false,
      true,
      false,
      true,
      false,
      true,
      false,
    ])
  })

  it('enums by name or number', () => {
    expect(parse('color: BLUE color: 1').color).toEqual(['BLUE', 'GREEN'])
  })
})

describe('messages', () => {
  it.each([
    ['braces without a colon', "words { key: 'a' value: 1 }"],
    ['braces with a colon', "words: { key: 'a' value: 1 }"],
    ['angle brackets', "words < key: 'a' value: 1 >"],
    ['fields in any order', "words { value: 1 key: 'a' }"],
    ['separators', "words { key: 'a'; value: 1, };"],
    ['comments everywhere', "# top\nwords { # open\nkey: # name\n'a'\nvalue: 1 # one\n} # end"],
    ['a list of messages', "words: [{ key: 'a' value: 1 }]"],
    ['a byte order mark', "\ufeffwords { key: 'a' value: 1 }"],
    [
      'unknown fields of all kinds',
      "x: 1 y: 'u' z { q { r: -1.5e-3 } s: [1, 2] } [a.b.c]: 4 w: [{}, {v: 1}] words { key: 'a' value: 1 u { } }",
    ],
  ])('%s', (_title, text) => {
    expect(parse(text).words).toEqual([['a', 1]])
  })

  it('map entries default to the empty key and zero', () => {
    expect(parse("words { } words { key: 'b' }").words).toEqual([
      ['', 0],
      ['b', 0],
    ])
  })

  it('runs of equally spelled entries mix with entries spelled otherwise', () => {
    const plain = (key: string, value: number) => `words {\n  key: ${key}\n  value: ${value}\n}\n`
    const text = [
      plain("'a'", 1),
      plain("'b'", 2),
      plain('"it\'s"', 3),
      plain("'it\\'s'", 4),
      plain("'é'", 5),
      "words{key:'x' value:6}",
      plain("'c'", 7),
      plain("'d'", 0x10),
      'words { value: 9 }',
    ]
    expect(parse(text.join('')).words).toEqual([
      ['a', 1],
      ['b', 2],
      ["it's", 3],
      ["it's", 4],
      ['é', 5],
      ['x', 6],
      ['c', 7],
      ['d', 16],
      ['', 9],
    ])
  })

  it('reads a vocabulary of 100,000 entries', () => {
    const entries = Array.from({ length: 100_000 }, (_, i) => `words {\n  key: 'w${i}'\n  value: ${i}\n}\n`)
    const { words } = parse(entries.join(''))
    expect(words).toHaveLength(100_000)
    expect(words[99_999]).toEqual(['w99999', 99_999])
  })
})

describe('faults carry line and column', () => {
  it.each([
    ['an unclosed message', 'words {\n  value: 1\n', 3, 1, 'expected "}", found the end of the file'],
    ['an unclosed string', "count: 1\nname: 'abc", 2, 7, 'no closing quote'],
    ['a string over two lines', "name: 'ab\nc'", 1, 7, 'no closing quote'],
    ['an unknown escape', `name: 'a\\q'`, 1, 9, 'unknown escape'],
    ['a missing colon', 'count 3', 1, 7, 'expected ":"'],
    ['a word for a number', '\n\n  count: many', 3, 10, 'must be a whole number'],
    ['a fraction for a number', 'count: 1.5', 1, 8, 'must be a whole number'],
    ['a number beyond 32 bits', 'count: 4294967296', 1, 8, 'must fit into 32 bits'],
    ['a word for a boolean', 'on: maybe', 1, 5, 'must be true or false'],
    ['an unknown enum value', 'color: PINK', 1, 8, 'must be one of RED, GREEN, BLUE'],
    ['a stray brace', 'count: 1\n}', 2, 1, 'expected a field name'],
    ['a scalar for a message', 'words: 3', 1, 8, 'expected a message'],
    ['mixed brackets', "words { key: 'a' >", 1, 18, 'expected a field name'],
    ['no value at all', 'count:', 1, 7, 'expected a whole number, found the end of the file'],
    ['a list that is not closed', 'count: [1, 2', 1, 13, 'expected "," or "]"'],
    ['columns count characters, not bytes', "name: '没有' count: x", 1, 19, 'must be a whole number'],
  ])('%s', (_title, text, line, column, rule) => {
    let caught: unknown
    try {
      parse(text)
    } catch (error) {
      caught = error
    }
    expect(caught).toBeInstanceOf(DataError)
    const { fault, code, exitCode } = caught as DataError
    expect([fault.line, fault.column, code, exitCode]).toEqual([line, column, 'DATA_METADATA', 3])
    expect(fault.rule).toContain(rule)
    expect((caught as DataError).message).toContain(`m.textproto:${line}:${column}`)
  })
})
