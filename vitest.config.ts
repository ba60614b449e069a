import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

// CI counts the tests of every run from the reports in this folder; the words on the terminal stay as they are.
const reports = process.env['SYNCER_TEST_REPORTS']
/** Tests that need a Kubernetes API server. */
const KUBERNETES = 'test/services/**/{kube,dsync}*.test.ts'

export default defineConfig({
  test: {
    reporters: ['default', ...(reports === undefined ? [] : ['json'])],
    ...(reports !== undefined && { outputFile: { json: join(reports, `${process.pid}-${Date.now()}.json`) } }),
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/services/**'],
          // Some start processes: on a busy machine that takes seconds, and is no failure.
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'services',
          include: ['test/services/**/*.test.ts'],
          exclude: ['test/services/realtime/**', KUBERNETES],
          // Real servers share the machine with whatever else it does, and some of what they are asked has to be done in seconds.
          retry: 1,
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          // After the others: the API server may have to be built first.
          name: 'kubernetes',
          include: [KUBERNETES],
          // Some hold real servers to milliseconds, as those of the last phase: see there.
          retry: 1,
          exclude: ['test/services/realtime/**'],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          // Contracts in milliseconds: run alone, after everything else.
          name: 'realtime',
          include: ['test/services/realtime/**/*.test.ts'],
          fileParallelism: false,
          // What else the host of this machine does can only make a measurement worse: one that holds once, holds.
          retry: 2,
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
})
