// The packages with native parts: each is loaded and made to do a little work, since a package that is installed may still not run.
import type { Finding } from './finding.ts'

interface Check {
  name: string
  /** What it is for, in words. */
  purpose: string
  /** @returns what was seen. @throws when it does not work */
  try(): Promise<string>
  /** Nothing else works without it. */
  needed: boolean
  hint: string
}

const REINSTALL = 'npm ci installs what is missing'

const CHECKS: readonly Check[] = [
  {
    name: '@napi-rs/image',
    purpose: 'decodes pictures',
    needed: true,
    hint: REINSTALL,
    async try() {
      const { Transformer } = await import('@napi-rs/image')
      const { width, height } = await new Transformer(ONE_PIXEL_PNG).metadata()
      if (width !== 1 || height !== 1) throw new Error(`a picture of 1 x 1 decodes as ${width} x ${height}`)
      return 'decodes'
    },
  },
  {
    name: '@node-rs/crc32',
    purpose: 'checks records',
    needed: true,
    hint: REINSTALL,
    async try() {
      const { crc32c } = await import('@node-rs/crc32')
      // The check value of CRC-32C (RFC 3720, appendix B.4).
      if (crc32c('123456789') !== 0xe3069283) throw new Error('computes a wrong checksum')
      return 'computes'
    },
  },
]

export async function packageFindings(): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const check of CHECKS) {
    try {
      findings.push({
        area: 'package',
        name: check.name,
        status: 'works',
        detail: `${check.purpose}: ${await check.try()}`,
      })
    } catch (error) {
      const reason = (error as Error).message
        .split('\n')[0]
        .replace(/\s*\/.*$/, '')
        .replace(/[ .:]+$/, '')
      findings.push({
        area: 'package',
        name: check.name,
        status: check.needed ? 'broken' : 'absent',
        detail: `${check.purpose}: ${reason}`,
        hint: check.hint,
      })
    }
  }
  return findings
}

const ONE_PIXEL_PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==',
  'base64',
)
