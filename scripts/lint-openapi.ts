// Lints the contract with Redocly's recommended rules; no rule is silenced. Rules of our own are in test/openapi.
import { join } from 'node:path'
import { createConfig, lint } from '@redocly/openapi-core'

const config = await createConfig({ extends: ['recommended'] })
const findings = await lint({ ref: join(import.meta.dirname, '../openapi/syncer.yaml'), config })
for (const { severity, ruleId, message, location } of findings) {
  console.error(`${severity} ${ruleId} at ${location[0]?.pointer ?? '?'}: ${message}`)
}
if (findings.length > 0) process.exitCode = 1
