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
| 3 | unusable data, or a folder or file that cannot be written |
| 130 | interrupted; the newest model is on disk, unless the data had not been read yet |

No stack is printed without \`--debug\`. \`fit\` takes options from files too: \`--preset NAME\` reads \`configs/NAME.json\`, \`--config FILE\`
any JSON object whose keys are option names (but \`config\`, \`preset\` and \`debug\`). The command line wins over the file, the file over the preset; with
\`--resume\`, what none of them says is as the run began.

Presets: \`challenge\` (20 minutes, the defaults), \`quick\` (30 s, no tuning), \`deterministic\` (one worker, one thread, slices counted in steps: the same
seed gives the same predictions). Searches: \`portfolio\` tries a fixed list; \`auto\` does and then varies what was best by evolution; \`random\`,
\`evolution\` and \`reinforce\` (a controller learned by REINFORCE) do so after the list's first entry.

\`\`\`text
${overview}
\`\`\`

${sections.join('\n')}`,
)
