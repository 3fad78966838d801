// The arrows of docs/architecture.md, section "The house": imports go downward only.
const floor = (name, allowed) => ({
  name: `floor-${name}`,
  comment: `src/${name} may import only: ${allowed.join(', ') || 'nothing of the house'}`,
  severity: 'error',
  from: { path: `^src/${name}/` },
  to: { path: '^src/', pathNot: [name, ...allowed].map((other) => `^src/${other}/`) },
});

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-barrels',
      comment: 'every import names the file that defines what it takes',
      severity: 'error',
      from: {},
      to: { path: '^src/.*/index\\.ts$' },
    },
    { name: 'nothing-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'no-development-packages',
      severity: 'error',
      from: { path: '^(src|bin)/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
    floor('cli', ['config', 'exchange', 'doctor', 'kme-pair', 'base']),
    floor('exchange', ['handshake', 'kme', 'peer', 'store', 'base']),
    floor('doctor', ['kme', 'store', 'base']),
    floor('config', ['base']),
    floor('handshake', ['base']),
    floor('kme', ['base']),
    floor('peer', ['base']),
    floor('store', ['base']),
    floor('kme-pair', ['base']),
    floor('base', []),
    {
      name: 'pure-handshake',
      comment: 'the protocol does no input or output',
      severity: 'error',
      from: { path: '^src/handshake/' },
      to: { dependencyTypes: ['core', 'npm'] },
    },
    {
      name: 'kme-client-on-demand',
      comment: 'its HTTP client takes longer to load than all the rest, and most commands ask no KME',
      severity: 'error',
      from: { path: '^src/(cli|exchange)/' },
      to: { path: '^src/kme/client\\.ts$', dynamic: false, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'undici-where-kmes-are-asked',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(kme/client|doctor/kme-probe)\\.ts$' },
      to: { path: 'node_modules/undici', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'one-chalk',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/cli/report\\.ts$' },
      to: { path: 'node_modules/chalk' },
    },
    {
      name: 'ora-in-progress',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/cli/progress\\.ts$' },
      to: { path: 'node_modules/ora' },
    },
    {
      name: 'commander-in-program',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/cli/program\\.ts$' },
      to: { path: 'node_modules/commander' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
