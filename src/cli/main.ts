// The entry of the command line. For `fit` it starts the first worker before anything else is loaded: the time to the first
// answer is part of the score, and a worker needs about as long to start as this process needs to read its arguments.
import { startWorker } from '../search/start-worker.ts'

const words = process.argv.slice(2)
const asksForHelp = words.some((word) => word === '--help' || word === '-h')
const worker = words[0] === 'fit' && words.length > 1 && !asksForHelp ? startWorker() : undefined

const { runCommandLine } = await import('./run-command-line.ts')
const exitCode = await runCommandLine(words, worker)
if (worker?.child.exitCode === null && worker.child.signalCode === null) worker.child.kill('SIGKILL')
process.exit(exitCode)
