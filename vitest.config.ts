import { defineConfig } from 'vitest/config';

/**
 * Unit tests sit beside their file. Tests on real servers run one file after another: those of `integration` share one
 * stack, and so do those of `long`, which run with the faults; those of `own-servers` have theirs, so that test/run can run the two projects side by side.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          // None of them leaves anything behind in a module, and loading all modules anew for each costs a minute.
          isolate: false,
          include: ['{core,telemetry,security,audit,governance,pipeline,backup,stack,cli,test/bench}/**/*.test.ts'],
          exclude: ['**/node_modules/**'],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          globalSetup: ['test/support/global-stack.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: 'long',
          include: ['test/long/**/*.test.ts'],
          globalSetup: ['test/support/global-stack.ts'],
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 360_000,
        },
      },
      {
        test: {
          name: 'own-servers',
          include: ['test/own-servers/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 360_000,
        },
      },
      {
        test: {
          name: 'compose',
          include: ['test/compose/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 900_000,
        },
      },
      {
        test: {
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 360_000,
        },
      },
    ],
  },
});
