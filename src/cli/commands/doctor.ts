// `automl doctor`: what works on this machine, what does not, and why. Exit code 1 when something needed is broken.
import { EXIT } from '../../support/errors.ts'
import { defineCommand } from '../command.ts'
import { DEBUG_OPTION, JSON_OPTION } from '../common-options.ts'
import type { Finding } from '../doctor/finding.ts'
import { printJson, printResult } from '../output.ts'

const MARKS: Record<Finding['status'], string> = {
  works: 'ok',
  absent: '-',
  faulty: 'faulty',
  broken: 'BROKEN',
}

export const doctorCommand = defineCommand({
  name: 'doctor',
  summary: 'what works here and what does not: engines, devices, threads, memory',
  arguments: [],
  options: { ...JSON_OPTION, ...DEBUG_OPTION },
  examples: ['automl doctor', 'automl doctor --json'],
  async run({ options }) {
    const [{ describePlatform, platformFindings }, { engineFindings }, { packageFindings }] = await Promise.all([
      import('../doctor/platform.ts'),
      import('../doctor/engines.ts'),
      import('../doctor/packages.ts'),
    ])
    const platform = describePlatform()
    const [engines, packages] = await Promise.all([engineFindings(), packageFindings()])
    const findings = [...platformFindings(platform), ...engines, ...packages]
    const broken = findings.filter((finding) => finding.status === 'broken')
    if (options.json) printJson({ v: 1, usable: broken.length === 0, platform, findings })
    else printResult([...findings.map(describe), '', verdict(broken)].join('\n'))
    return broken.length === 0 ? EXIT.done : EXIT.failed
  },
})

function describe({ name, status, detail, hint }: Finding): string {
  const line = `${MARKS[status].padEnd(6)}  ${name.padEnd(25)}  ${detail}`
  if (hint === undefined) return line
  return `${line}\n${' '.repeat(35)}${status === 'absent' ? 'to add it' : 'to mend it'}: ${hint}`
}

function verdict(broken: readonly Finding[]): string {
  if (broken.length === 0) return 'automl works here.'
  return `automl does not work here: ${broken.map((finding) => finding.name).join(', ')} must be mended first.`
}
