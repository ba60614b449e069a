// The document as it is written, and the way to the page that shows it.
import { readFileSync } from 'node:fs'
import type { Handlers } from '../contract.ts'

const ROOT = new URL('../../../', import.meta.url)

export interface WrittenDocument {
  readonly json: string
  readonly yaml: string
}

/** Reads both forms from beside the code. */
export function readDocument(): WrittenDocument {
  return {
    json: readFileSync(new URL('generated/openapi.json', ROOT), 'utf8'),
    yaml: readFileSync(new URL('openapi/syncer.yaml', ROOT), 'utf8'),
  }
}

export function createDocumentHandlers({
  json,
  yaml,
}: WrittenDocument): Pick<Handlers, 'getOpenapiJson' | 'getOpenapiYaml' | 'getRoot'> {
  return {
    getOpenapiJson: () => ({ status: 200, type: 'application/json', body: json }),
    getOpenapiYaml: () => ({ status: 200, type: 'application/yaml; charset=utf-8', body: yaml }),
    getRoot: () => ({ status: 302, headers: { Location: '/swagger-ui' } }),
  }
}
