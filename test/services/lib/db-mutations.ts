// Mistakes that a database sync must not have, each as a change to the sources: the checker has to find every one of them.

export interface Mutation {
  readonly name: string
  /** `from` is in its file exactly once. */
  readonly changes: readonly { readonly file: string; readonly from: string; readonly to: string }[]
}

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'external versions in place of compare and set',
    changes: [
      {
        file: 'src/db/elasticsearch/draft.ts',
        from: 'if (isOneRun(items))',
        to: 'if (items.length === 0)',
      },
      {
        file: 'src/db/elasticsearch/draft.ts',
        from: "typeof state === 'string' ? createLine(id) : replaceLine(id, state)",
        to: "state === 'unknown' ? createLine(id) : byVersion(id, written.toString('utf8', start, end))",
      },
      {
        file: 'src/db/elasticsearch/draft.ts',
        from: 'function isOneRun(',
        to: `function byVersion(id: string, source: string): string {
  const version = Date.parse((JSON.parse(source) as { tmstmp: string }).tmstmp)
  return [JSON.stringify({ index: { _id: id, version, version_type: 'external' } }), ''].join('\\n')
}

function isOneRun(`,
      },
    ],
  },
  {
    name: 'a document is replaced whatever became of it since',
    changes: [
      {
        file: 'src/db/elasticsearch/bulk.ts',
        from: 'function boundTo({ seqNo, primaryTerm }: Revision): string {\n',
        to: `function boundTo({ seqNo, primaryTerm }: Revision): string {\n  if (seqNo !== -1) return '"require_alias":false'\n`,
      },
    ],
  },
  {
    name: 'the window of Cassandra ends a millisecond early',
    changes: [
      {
        file: 'src/db/cassandra/row-reader.ts',
        from: 'upTo: maxTimeuuid(endMs)',
        to: 'upTo: maxTimeuuid(endMs - 1)',
      },
    ],
  },
  {
    name: 'the window of Elasticsearch ends a millisecond early',
    changes: [
      {
        file: 'src/db/elasticsearch/search-index.ts',
        from: '? [beginMs + 1, endMs + 1]',
        to: '? [beginMs + 1, endMs]',
      },
    ],
  },
  {
    name: 'reading ends at the first empty page',
    changes: [
      {
        file: 'src/db/cassandra/pages.ts',
        from: 'if (page.pagingState === undefined) this.#isAtEnd = true',
        to: 'if (page.pagingState === undefined || page.rowCount === 0) this.#isAtEnd = true',
      },
    ],
  },
  {
    name: 'the end is saved before the window is done',
    changes: [
      {
        file: 'src/db/pipeline.ts',
        from: '  ledger.open(leg, splits, total)',
        to: '  ledger.open(leg, [], 0)\n  await ledger.close()\n  ledger.open(leg, splits, total)',
      },
    ],
  },
  {
    name: 'what a killed run has left half done is forgotten',
    changes: [
      {
        file: 'src/db/windows.ts',
        from: 'return [{ window: open.window, open, saveEndMs: open.window.endMs }, plan(open.window.endMs)]',
        to: 'return [plan(open.window.endMs)]',
      },
    ],
  },
  {
    name: 'what the echo knows is not compared, and it is small',
    changes: [
      { file: 'src/db/echo.ts', from: 'const BITS = 2 ** 25', to: 'const BITS = 2 ** 10' },
      {
        file: 'src/db/pipeline.ts',
        from: '    await writer.write(rows)\n  }\n  await writer.finish()\n  return settler.check()',
        to: `    await writer.write(rows.filter(({ id, version }) => {
      if (passage.direction === 'left-to-right' || !passage.echo.has(id, version)) return true
      figures.addRow(id, 'echoed')
      return false
    }))
  }
  await writer.finish()
  return settler.check()`,
      },
    ],
  },
  {
    name: 'write times of rows that are there do not count',
    changes: [
      {
        file: 'src/db/compare.ts',
        from: "if (kind === 'versions' || writetime === undefined || writetime < micros) return micros",
        to: 'if (writetime !== 0n) return micros',
      },
    ],
  },
  {
    name: 'what has no value keeps that of the version before',
    changes: [
      {
        file: 'src/db/cassandra/chunk.ts',
        from: "const none = this.#table.kind === 'versions' ? undefined : null",
        to: 'const none = undefined',
      },
    ],
  },
  {
    name: 'each try to write a list has the same timestamp',
    changes: [
      {
        file: 'src/db/cassandra/writer.ts',
        from: "table.columns.some(({ type }) => type.kind === 'list' && !type.frozen)",
        to: 'table.columns.length === 0',
      },
    ],
  },
  {
    name: 'a document that was rejected by itself is taken for written',
    changes: [
      {
        file: 'src/db/elasticsearch/bulk.ts',
        from: 'if (status < 300) return DONE',
        to: 'if (status < 300 || status === 429) return DONE',
      },
    ],
  },
  {
    name: 'documents are read without a refresh',
    changes: [
      {
        file: 'src/db/elasticsearch/index-table.ts',
        from: 'if ((await index.refresh(signal)) === MISSING) return []',
        to: '',
      },
      {
        file: 'src/db/elasticsearch/index-table.ts',
        from: 'if (this.#refreshed === undefined) {',
        to: 'if (this.#refreshed === null) {',
      },
    ],
  },
  {
    name: 'an answer that was lost is taken for a yes',
    changes: [
      {
        file: 'src/db/cassandra/batches.ts',
        from: '        await retry.pause(error)\n        // Another',
        to: '        for (const write of group) settle(write, undefined)\n        if (tries > 0n) return\n        await retry.pause(error)\n        // Another',
      },
    ],
  },
]
