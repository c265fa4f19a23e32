// A pull parser for the protobuf text format (https://protobuf.dev/reference/protobuf/textformat-spec/), driven by tables of
// field readers. Takes every spelling that writers use: single or double quotes, adjacent strings, octal, hex and unicode
// escapes (escaped bytes are UTF-8), `{}` or `<>` messages, optional colons before messages, `[a, b]` lists, `;` and `,`
// separators, comments. Fields that no table names are skipped, nested ones included. Faults carry line and column.
// One pass over the string without a token list or a tree: vocabularies have 100,000 entries.
import { DataError } from '../support/errors.ts'

export type FieldReader = (text: TextProto) => void
/** What to do with each value of a field; fields not named here are skipped. */
export type FieldReaders = ReadonlyMap<string, FieldReader>

const QUOTE = 34
const APOSTROPHE = 39
const BACKSLASH = 92
const HASH = 35
const COLON = 58
const MINUS = 45
const CLOSING: Record<string, string> = { '{': '}', '<': '>' }

export class TextProto {
  /** The bytes as latin1, one character each: decoding UTF-8 up front costs ten times the parse; strings are decoded as they are read. */
  readonly #text: string
  readonly #file: string
  #at = 0
  /** Where the value being read starts: faults in its meaning point there. */
  #valueAt = 0
  /** Where the field being read starts. */
  fieldAt = 0
  #hadColon = false
  #alikeRuns = 0
  #depth = 0

  /** @param content UTF-8; a byte order mark is skipped. @param file named in faults */
  constructor(content: Uint8Array, file: string) {
    this.#text = Buffer.from(content.buffer, content.byteOffset, content.length).toString('latin1')
    this.#file = file
    if (this.#text.startsWith('\xef\xbb\xbf')) this.#at = 3
  }

  /** Reads the whole text as one message. @throws DATA_METADATA with line and column */
  document(fields: FieldReaders): void {
    this.#fields(fields, '')
  }

  /** Reads one message value. */
  message(fields: FieldReaders): void {
    const open = this.#text[this.#at]
    const close = CLOSING[open]
    if (close === undefined) throw this.#unexpected('a message in { }')
    this.#at++
    this.#fields(fields, close)
  }

  string(): string {
    this.#needColon()
    this.#valueAt = this.#at
    let value = this.#quoted()
    for (;;) {
      const c = this.#peek()
      if (c !== QUOTE && c !== APOSTROPHE) return value
      value += this.#quoted()
    }
  }

  /** A 32-bit integer: decimal, 0x hex or 0 octal. */
  int(): number {
    this.#needColon()
    this.#valueAt = this.#at
    const negative = this.#text.charCodeAt(this.#at) === MINUS
    if (negative) {
      this.#at++
      this.#peek()
    }
    const word = this.#word() || this.#noValue('a whole number')
    let value = Number.NaN
    if (/^(0|[1-9]\d*)$/.test(word)) value = Number(word)
    else if (/^0[xX][0-9a-fA-F]+$/.test(word)) value = Number.parseInt(word, 16)
    else if (/^0[0-7]+$/.test(word)) value = Number.parseInt(word, 8)
    if (Number.isNaN(value)) throw this.fault('must be a whole number', word)
    if (negative) value = -value
    if (value < -(2 ** 31) || value >= 2 ** 31) throw this.fault('must fit into 32 bits', value)
    return value
  }

  bool(): boolean {
    this.#needColon()
    this.#valueAt = this.#at
    const word = this.#word() || this.#noValue('true or false')
    if (word === 'true' || word === 'True' || word === 't' || word === '1') return true
    if (word === 'false' || word === 'False' || word === 'f' || word === '0') return false
    throw this.fault('must be true or false', word)
  }

  /** @param names enum values in the order of their numbers, from 0 */
  enumeration<Name extends string>(names: readonly Name[]): Name {
    this.#needColon()
    this.#valueAt = this.#at
    const word = this.#word() || this.#noValue(`one of ${names.join(', ')}`)
    const name = names.find((candidate) => candidate === word) ?? (/^\d+$/.test(word) ? names[Number(word)] : undefined)
    if (name === undefined) throw this.fault(`must be one of ${names.join(', ')}`, word)
    return name
  }

  /** A fault in the value that was read last. */
  fault(rule: string, value?: unknown, field?: string): DataError {
    return this.#faultAt(this.#valueAt, rule, value, field)
  }

  #fields(fields: FieldReaders, close: string): void {
    if (++this.#depth > MAX_DEPTH) throw this.#faultAt(this.#at, `is nested more than ${MAX_DEPTH} deep`)
    for (;;) {
      const c = this.#peek()
      if (Number.isNaN(c)) {
        if (close === '') {
          this.#depth--
          return
        }
        throw this.#unexpected(`"${close}"`)
      }
      if (close !== '' && c === close.charCodeAt(0)) {
        this.#at++
        this.#depth--
        return
      }
      this.fieldAt = this.#at
      this.#values(fields.get(this.#fieldName()) ?? SKIP)
      const separator = this.#peek()
      if (separator === 44 || separator === 59) this.#at++
    }
  }

  #values(read: FieldReader): void {
    this.#hadColon = this.#peek() === COLON
    if (this.#hadColon) {
      this.#at++
      this.#peek()
    }
    if (this.#text[this.#at] !== '[') {
      read(this)
      return
    }
    this.#at++
    if (this.#accept(']')) return
    const hadColon = this.#hadColon
    for (;;) {
      this.#peek()
      this.#hadColon = hadColon
      read(this)
      if (this.#accept(']')) return
      if (!this.#accept(',')) throw this.#unexpected('"," or "]"')
    }
  }

  /**
   * Takes map entries `name { key: "…" value: 7 }` for as long as they are spelled, blanks included, as the one just read:
   * all but a few of 100,000 are, and splitting the text between them is several times faster than parsing it.
   * @param entryAt `fieldAt` of that one. @param take gets key and value; false leaves the entry to the parser
   */
  entriesAlike(entryAt: number, take: (key: string, value: number) => boolean): void {
    const text = this.#text
    const spelling = ENTRY_SPELLING.exec(text.slice(entryAt, this.#at))
    if (spelling === null || this.#alikeRuns === MAX_ALIKE_RUNS) return
    this.#alikeRuns++
    const [, head, middle, tail] = spelling
    const between = /\s*/y
    between.lastIndex = this.#at
    const before = between.exec(text)![0] + head
    if (!text.startsWith(before, this.#at)) return
    const bodies = text.slice(this.#at + before.length).split(tail + before)
    const last = bodies.length - 1
    const end = bodies[last].indexOf(tail, bodies[last].indexOf(middle))
    if (end >= 0) bodies[last] = bodies[last].slice(0, end)
    for (const body of bodies) {
      const entry = this.#at
      const keyAt = entry + before.length
      const keyEnd = body.indexOf(middle)
      const digits = body.slice(keyEnd + middle.length)
      if (keyEnd < 0 || !PLAIN_NUMBER.test(digits)) return
      const quote = body[0]
      let key = body.slice(1, keyEnd - 1)
      if ((quote !== "'" && quote !== '"') || body[keyEnd - 1] !== quote) return
      if (NOT_PLAIN.test(key)) {
        this.#at = keyAt
        key = this.#quoted()
        const whole = this.#at === keyAt + keyEnd
        this.#at = entry
        if (!whole) return
      }
      if (!take(key, Number(digits))) return
      this.#at = keyAt + body.length + tail.length
    }
  }

  /** Any value whose field is unknown. */
  skip(): void {
    const c = this.#peek()
    const close = CLOSING[this.#text[this.#at]]
    if (close !== undefined) {
      this.#at++
      this.#fields(NO_FIELDS, close)
      return
    }
    this.#needColon()
    if (c === QUOTE || c === APOSTROPHE) {
      this.string()
      return
    }
    if (c === MINUS) {
      this.#at++
      this.#peek()
    }
    if (this.#word() === '') throw this.#unexpected('a value')
  }

  #fieldName(): string {
    if (this.#text[this.#at] === '[') {
      const end = this.#text.indexOf(']', this.#at)
      if (end < 0) throw this.#unexpected('an extension name in [ ]')
      this.#at = end + 1
      return ''
    }
    const start = this.#at
    const name = this.#word()
    if (name === '' || !/^[A-Za-z_]/.test(name)) {
      this.#at = start
      throw this.#unexpected('a field name')
    }
    return name
  }

  #needColon(): void {
    if (!this.#hadColon) throw this.#unexpected('":"')
  }

  #accept(character: string): boolean {
    this.#peek()
    if (this.#text[this.#at] !== character) return false
    this.#at++
    return true
  }

  /** Skips blanks and comments; the character code there, NaN at the end. */
  #peek(): number {
    const text = this.#text
    for (;;) {
      const c = text.charCodeAt(this.#at)
      if (c === 32 || (c >= 9 && c <= 13)) this.#at++
      else if (c === HASH) {
        const end = text.indexOf('\n', this.#at)
        this.#at = end < 0 ? text.length : end + 1
      } else return c
    }
  }

  /** Letters, digits, `_`, `.`, `+` and `-` inside numbers; empty where none starts. */
  #word(): string {
    const text = this.#text
    const start = this.#at
    let at = start
    for (; ; at++) {
      const c = text.charCodeAt(at)
      const inWord = (c >= 97 && c <= 122) || (c >= 65 && c <= 90) || (c >= 48 && c <= 57) || c === 95 || c === 46
      if (!inWord && !((c === MINUS || c === 43) && at > start && (text.charCodeAt(at - 1) | 32) === 101)) break
    }
    this.#at = at
    return text.slice(start, at)
  }

  #quoted(): string {
    const text = this.#text
    const start = this.#at
    const quote = text.charCodeAt(start)
    if (quote !== QUOTE && quote !== APOSTROPHE) throw this.#unexpected('a string in quotes')
    let at = start + 1
    for (; ; at++) {
      const c = text.charCodeAt(at)
      if (c === quote) {
        this.#at = at + 1
        return decodeText(text.slice(start + 1, at))
      }
      if (c === BACKSLASH) return this.#escaped(quote, start)
      if (Number.isNaN(c) || c === 10) throw this.#faultAt(start, 'the string has no closing quote on its line')
    }
  }

  /** A string with escapes; `\xNN` and octal escapes are bytes of its UTF-8 form. */
  #escaped(quote: number, start: number): string {
    const text = this.#text
    const parts: Buffer[] = []
    let at = start + 1
    let plain = at
    for (;;) {
      const c = text.charCodeAt(at)
      if (Number.isNaN(c) || c === 10) throw this.#faultAt(start, 'the string has no closing quote on its line')
      if (c !== quote && c !== BACKSLASH) {
        at++
        continue
      }
      parts.push(Buffer.from(text.slice(plain, at), 'latin1'))
      if (c === quote) break
      const match = ESCAPE.exec(text.slice(at + 1, at + 11))
      if (match === null) throw this.#faultAt(at, 'unknown escape in a string', text.slice(at, at + 2))
      parts.push(escapeBytes(match[0]))
      at += 1 + match[0].length
      plain = at
    }
    this.#at = at + 1
    return Buffer.concat(parts).toString('utf8')
  }

  #noValue(expected: string): never {
    throw this.#unexpected(expected)
  }

  #unexpected(expected: string): DataError {
    const [character] = decodeText(this.#text.slice(this.#at, this.#at + 4))
    const found = character === undefined ? 'the end of the file' : `"${character}"`
    return this.#faultAt(this.#at, `expected ${expected}, found ${found}`)
  }

  #faultAt(at: number, rule: string, value?: unknown, field?: string): DataError {
    const before = this.#text.slice(0, at)
    const line = before.split('\n').length
    const column = decodeText(before.slice(before.lastIndexOf('\n') + 1)).length + 1
    return new DataError('DATA_METADATA', {
      file: this.#file,
      line,
      column,
      rule,
      ...(value === undefined ? {} : { value }),
      ...(field === undefined ? {} : { field }),
    })
  }
}

/** Bytes held as latin1 -> the UTF-8 text they spell. */
export function decodeText(text: string): string {
  return NOT_ASCII.test(text) ? Buffer.from(text, 'latin1').toString('utf8') : text
}

/** What a string may contain that is not itself. */
const NOT_PLAIN = /[\\\n'"\x80-\xff]/
const NOT_ASCII = /[\x80-\xff]/
const ENTRY_SPELLING = /^(\w+\s*\{\s*key:\s*)(?:'[^'\\\n]*'|"[^"\\\n]*")(\s*value:\s*)\d+(\s*\})$/
/** Runs that break off are taken up again this often: each costs a pass over the rest of the text. */
const MAX_ALIKE_RUNS = 16
/** Messages within messages; protobuf's own parsers stop there. */
const MAX_DEPTH = 100
const PLAIN_NUMBER = /^(?:0|[1-9]\d{0,8})$/
const NO_FIELDS: FieldReaders = new Map()
const SKIP: FieldReader = (text) => text.skip()
const ESCAPE =
  /^(?:[0-7]{1,3}|[xX][0-9a-fA-F]{1,2}|u[0-9a-fA-F]{4}|U(?:000[0-9a-fA-F]|0010)[0-9a-fA-F]{4}|[abfnrtv\\'"?])/
const SIMPLE_ESCAPES: Record<string, string> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

function escapeBytes(code: string): Buffer {
  const kind = code[0]
  if (kind >= '0' && kind <= '7') return Buffer.from([Number.parseInt(code, 8) & 255])
  if (kind === 'x' || kind === 'X') return Buffer.from([Number.parseInt(code.slice(1), 16)])
  if (kind === 'u' || kind === 'U') return Buffer.from(String.fromCodePoint(Number.parseInt(code.slice(1), 16)))
  return Buffer.from(SIMPLE_ESCAPES[kind] ?? kind)
}
