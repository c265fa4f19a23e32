// The two channels of a command: stdout carries the result, stderr the talk. A reader that goes away (`| head`) is no error.

export function printResult(text: string): void {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`)
}

/** One JSON document, indented: for people who read it and programs that parse it. */
export function printJson(value: unknown): void {
  printResult(JSON.stringify(value, null, 2))
}

export function say(text: string): void {
  process.stderr.write(text.endsWith('\n') ? text : `${text}\n`)
}

export function tolerateClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
    })
  }
}

/** Waits until everything written so far has left the process. */
export async function drainOutput(): Promise<void> {
  await Promise.all(
    [process.stdout, process.stderr].map(
      (stream) =>
        new Promise<void>((done) => (stream.destroyed || !stream.writable ? done() : stream.write('', () => done()))),
    ),
  )
}
