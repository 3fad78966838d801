import { availableParallelism } from 'node:os';

const ES_MODULES = [
  'chalk',
  'ora',
  'ansi-regex',
  'cli-cursor',
  'cli-spinners',
  'get-east-asian-width',
  'is-interactive',
  'is-unicode-supported',
  'log-symbols',
  'mimic-function',
  'onetime',
  'restore-cursor',
  'signal-exit',
  'stdin-discarder',
  'string-width',
  'strip-ansi',
  'yoctocolors',
];

/** @type {import('jest').Config} */
const shared = {
  transform: {
    '^.+\\.[tj]s$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
    ],
  },
  // chalk, and ora with what it needs, are published as ES modules only; jest runs CommonJS.
  transformIgnorePatterns: [`/node_modules/(?!(?:${ES_MODULES.join('|')})/)`],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  testEnvironment: 'node',
};

/** @type {import('jest').Config} */
export default {
  // What the tests do is wait for disks and other processes as much as compute. Not in percent: above 100 % jest takes that
  // for the number of workers.
  maxWorkers: Math.ceil(1.5 * availableParallelism()),
  projects: [
    { ...shared, displayName: 'unit', testMatch: ['<rootDir>/test/unit/**/*.test.ts'] },
    { ...shared, displayName: 'conformance', testMatch: ['<rootDir>/test/conformance/**/*.test.ts'] },
    {
      ...shared,
      displayName: 'end-to-end',
      testMatch: ['<rootDir>/test/end-to-end/**/*.test.ts'],
      globalSetup: '<rootDir>/test/end-to-end/global-setup.ts',
      globalTeardown: '<rootDir>/test/end-to-end/global-teardown.ts',
    },
  ],
};
