// Which test runs which command block: by page and first command. A block that is not here, and a claim without its block, fail
// test/docs/commands.test.ts. Those that the tests of documents run as they stand come first; `docker` has no engine in the tests.
import { commandBlocksOf, listPages, type PageBlock } from './pages.ts'

type Claims = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>

/** By file of the test, then by page. */
export const CLAIMS: Claims = {
  // With bash, against Waiter clusters, replicas and databases of the playground, and a service.
  'test/services/documents.test.ts': {
    'README.md': [
      'npm ci',
      'syncer tokens sync --dry-run http://c1:9091 http://c2:9093',
      'syncer tokens sync --dry-run --plan-out plan.json http://c1:9091 http://c2:9093',
      'syncer db sync app --dry-run',
      'node bin/syncer config check --config syncer.yaml',
    ],
    'docs/install.md': ['printf %s wall-3f0a61c2 | sha256sum', 'npm pack', 'syncer config check --config syncer.yaml'],
    'docs/operate.md': [
      "curl -s 'http://127.0.0.1:8080/readyz?verbose'",
      `sqlite3 /var/lib/syncer/state.db ".backup '/var/backups/syncer-state.db'"`,
      'syncer config check --config syncer.yaml',
    ],
    'docs/db.md': ['syncer db sync app'],
    'docs/upgrade/from-token-syncer.md': [
      'syncer tokens sync --dry-run --compat http://c1:9091 http://c2:9093',
      'syncer tokens backup c1.json http://c1:9091',
      'syncer tokens sync --memory-file tokens-memory.json http://c1:9091 http://c2:9093',
    ],
  },
  // The same, against a Cassandra and an Elasticsearch.
  'test/services/documents-db.test.ts': {
    'README.md': ['syncer db sync -k app -i app'],
    'docs/db.md': [
      'syncer db sync -k app -i app',
      'syncer db verify app',
      'syncer db sync app -b 2026-01-01 -e 2026-02-01 --shard 0/64 --output json',
    ],
    'docs/upgrade/from-synced.md': [
      'syncer db sync -k app -i app --dry-run',
      'syncer db sync -k app -i app -b 1420070400',
      'syncer db verify app',
    ],
  },
  // With helm, against an API server; `kubectl` by requests that do the same.
  'test/services/kube-documents.test.ts': {
    'docs/install.md': [
      'helm lint --strict ./helm --values values.yaml',
      'helm upgrade syncer ./helm --namespace syncer --values values.yaml',
      'helm template syncer ./helm --namespace syncer --values values.yaml --set rbac.create=false > syncer-objects.yaml',
    ],
    'helm/README.md': [
      'helm install syncer ./helm --namespace syncer --create-namespace --values values.yaml',
      'helm uninstall syncer --namespace syncer',
      'kubectl --namespace syncer delete lease --field-selector metadata.name=syncer.election.schedule',
    ],
  },
  // The image is built by buildah, and run as a container would be.
  'test/services/image.test.ts': {
    'docs/install.md': ['docker build -t registry.example/syncer:0.1.0 .', 'docker build -t syncer:0.1.0 .'],
  },
  // The package is packed and installed, and each example is checked and started.
  'test/services/package.test.ts': { 'examples/README.md': ['npm pack'] },
  // In the process of the test, and at a service that answers what the test says.
  'test/docs/tokens.test.ts': {
    'docs/tokens.md': [
      'syncer tokens sync --dry-run http://c1:9091 http://c2:9093',
      'syncer tokens sync --dry-run --plan-out plan.json http://c1:9091 http://c2:9093',
      'syncer tokens sync --undo-file undo.jsonl http://c1:9091 http://c2:9093',
      'syncer tokens sync --server https://syncer.example --dry-run c1 c2',
      'syncer tokens backup tokens.json http://c1:9091',
    ],
  },
}

/** Commands of a block, one a line, without prompts and comments, and without the output that a prompt shows. */
export function commandsOf({ text }: Pick<PageBlock, 'text'>): readonly string[] {
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/\s+# .*$/, ''))
  const prompted = lines.filter((line) => line.startsWith('$ ')).map((line) => line.slice('$ '.length))
  return prompted.length > 0 ? prompted : lines
}

/** What a block shows below its first prompt; empty for one without. */
export function shownBy({ text }: Pick<PageBlock, 'text'>): readonly string[] {
  if (!text.startsWith('$ ')) return []
  return text
    .trimEnd()
    .split('\n')
    .filter((line) => !line.startsWith('$ ') && line.trim() !== '')
}

/** All command blocks of all pages. */
export const allCommandBlocks = (): readonly PageBlock[] => listPages().flatMap(commandBlocksOf)

/** Files of tests that claim the block. */
export const claimantsOf = (block: PageBlock): readonly string[] =>
  Object.entries(CLAIMS)
    .filter(([, pages]) => pages[block.page]?.includes(commandsOf(block)[0] ?? ''))
    .map(([file]) => file)

/** Blocks that a file of tests has to run, with words for the name of the test. */
export function blocksFor(file: string): readonly (PageBlock & { readonly first: string })[] {
  return allCommandBlocks()
    .filter((block) => claimantsOf(block).includes(file))
    .map((block) => ({ ...block, first: commandsOf(block)[0] ?? '' }))
}
