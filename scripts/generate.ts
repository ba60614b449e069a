// Writes everything that is made from something else; `--check` writes nothing and fails when a file is not as it would be.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import openapiTS, { astToString } from 'openapi-typescript'
import { parse } from 'yaml'
import { renderJsonSchema, renderReference } from '../src/config/reference.ts'
import { renderChartReadme } from './generate/chart-readme.ts'
import { renderChartSchema } from './generate/chart-schema.ts'
import { renderClient } from './generate/client.ts'
import { parseDocument } from './generate/document.ts'
import { describeMetrics, renderMetrics } from './generate/metrics.ts'
import { renderProblems } from './generate/problems.ts'
import { renderRoutes } from './generate/routes.ts'
import { renderVendor } from './generate/vendor.ts'

const root = join(import.meta.dirname, '..')
const check = process.argv.includes('--check')
const read = (path: string) => readFile(join(root, path), 'utf8')

/** Path from the root of the checkout → content. */
async function renderAll(): Promise<ReadonlyMap<string, string>> {
  const source = await read('openapi/syncer.yaml')
  const document = parseDocument(source)
  const operations = Object.values(document.paths)
    .flatMap((item) => Object.values(item))
    .map(({ operationId }) => operationId)
  return new Map([
    ['generated/openapi.json', `${JSON.stringify(parse(source), null, 2)}\n`],
    ['generated/openapi.ts', await renderTypes(source)],
    ['generated/routes.ts', renderRoutes(document)],
    ['generated/client.ts', renderClient(document)],
    ['generated/config.schema.json', renderJsonSchema()],
    ['docs/configuration.md', renderReference()],
    ['docs/problems.md', renderProblems()],
    ['docs/operate.md', renderMetrics(await read('docs/operate.md'), await describeMetrics(operations))],
    ['helm/values.schema.json', renderChartSchema(JSON.parse(renderJsonSchema()))],
    // A chart can read its own files only.
    ['helm/files/alerts.yaml', await read('docs/alerts.yaml')],
    ['helm/README.md', renderChartReadme(await read('helm/README.md'), await read('helm/values.yaml'))],
    ...(await renderVendor(root)),
  ])
}

async function renderTypes(source: string): Promise<string> {
  const types = astToString(await openapiTS(source, { immutable: true }))
  return `// Generated from openapi/syncer.yaml by \`npm run generate\`; do not edit.\n${types}`
}

const rendered = await renderAll()
const wrong: string[] = []
for (const [path, content] of rendered) {
  const current = await read(path).catch(() => undefined)
  if (current === content) continue
  wrong.push(path)
  if (check) continue
  await mkdir(dirname(join(root, path)), { recursive: true })
  await writeFile(join(root, path), content)
}
const strays = (await readdir(join(root, 'generated')))
  .map((name) => `generated/${name}`)
  .filter((path) => !rendered.has(path))

if (check && wrong.length + strays.length > 0) {
  for (const path of wrong) console.error(`${path} is not what \`npm run generate\` writes`)
  for (const path of strays) console.error(`${path} is not written by anything`)
  process.exitCode = 1
} else {
  for (const path of wrong) console.error(`wrote ${path}`)
}
