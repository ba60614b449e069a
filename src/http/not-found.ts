// What no route takes: 405 with `Allow` where the path has other methods, else 404.
import type { Route } from '../../generated/routes.ts'
import { type HttpProblem, methodNotAllowed, notFound } from './problems.ts'

interface KnownPath {
  readonly pattern: RegExp
  readonly methods: readonly string[]
}

export interface KnownPaths {
  /** Why no route takes such a request. */
  refuse(method: string, target: string | undefined): HttpProblem
}

/** `pages` are prefixes below which files are served (GET, HEAD). */
export function createKnownPaths(routes: readonly Route[], pages: readonly string[]): KnownPaths {
  const byUrl = Map.groupBy(routes, (route) => route.url)
  const paths: readonly KnownPath[] = [
    ...[...byUrl].map(([url, same]) => ({ pattern: patternOf(url), methods: same.map((route) => route.method) })),
    ...pages.map((prefix) => ({ pattern: new RegExp(`^${prefix}(?:/|$)`), methods: ['GET', 'HEAD'] })),
  ]
  return {
    refuse(method, target = '') {
      const path = decode(target)
      const known = paths.find(({ pattern }) => pattern.test(path))
      return known === undefined || known.methods.includes(method) ? notFound() : methodNotAllowed(known.methods)
    },
  }
}

/** `/v1/runs/:id` → what it matches. Of what means something in a pattern, a path of the document has dots only. */
function patternOf(url: string): RegExp {
  const parts = url.split('/').map((part) => (part.startsWith(':') ? '[^/]+' : part.replaceAll('.', '\\.')))
  return new RegExp(`^${parts.join('/')}$`)
}

/** The path of a request target as the router reads it: without origin and query, percent-encoding undone. */
function decode(target: string): string {
  const path = target.replace(/^https?:\/\/[^/?#]*/i, '').split(/[?#]/, 1)[0] ?? ''
  try {
    return decodeURI(path)
  } catch {
    return path
  }
}
