/** Imports go one way: each folder may import only those to its left, and itself. */
const layers = ['core', 'telemetry', 'security', 'audit', 'governance', 'pipeline', 'backup', 'serve', 'cli'];

const rules = layers.map((layer, index) => ({
  name: `${layer}-imports-only-what-is-left-of-it`,
  severity: 'error',
  from: { path: `^${layer}/`, pathNot: '[.]test[.]ts$' },
  to: {
    path: `^(${[...layers.slice(index + 1), ...(layer === 'backup' || layer === 'cli' ? [] : ['stack'])].join('|') || '$never'})/`,
  },
}));

export default {
  forbidden: [
    ...rules,
    {
      name: 'stack-imports-only-core-and-security',
      severity: 'error',
      from: { path: '^stack/', pathNot: '[.]test[.]ts$' },
      to: { path: `^(${layers.filter((layer) => layer !== 'core' && layer !== 'security').join('|')})/` },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'product-does-not-import-tests',
      severity: 'error',
      from: { pathNot: '(^test/|[.]test[.]ts$)' },
      to: { path: '^test/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
  },
};
