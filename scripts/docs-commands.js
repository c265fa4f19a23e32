// Writes docs/commands.md from the help texts of the compiled commands (`npm run docs`). A test compares the two.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'

const entry = process.argv[2] ?? 'bin/automl.js'
const target = process.argv[3] ?? 'docs/commands.md'
const help = (...words) => execFileSync(process.execPath, [entry, ...words, '--help'], { encoding: 'utf8' }).trimEnd()

const overview = help()
const commands = [...overview.matchAll(/^ {2}([a-z]+) (?:\[options\]|<)/gm)].map(([, name]) => name)
const sections = commands.map((name) => `## automl ${name}\n\n\`\`\`text\n${help(name)}\n\`\`\`\n`)

writeFileSync(
  target,
  `# Commands

stdout carries the result, stderr the talk. Durations are written \`90s\`, \`20m\`, \`2h\`, sizes \`512MB\`, \`8GB\`.

| exit code | meaning |
|---|---|
| 0 | done; for \`fit\` also with the class frequencies alone, with a warning, when no model was ready in time |
| 1 | failed |
| 2 | wrong usage |
| 3 | unusable data, or an output folder that cannot be used |
| 130 | interrupted; the best model so far is on disk |

No stack is printed without \`--debug\`. \`fit\` takes options from files too: \`--preset NAME\` reads \`configs/NAME.json\`, \`--config FILE\`
any JSON object whose keys are option names. The command line wins over the file, the file over the preset.

\`\`\`text
${overview}
\`\`\`

${sections.join('\n')}`,
)
