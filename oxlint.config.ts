import { defineConfig, type OxlintConfig } from 'oxlint'
import { importRules } from './lint/restrict.ts'

type Rules = NonNullable<OxlintConfig['rules']>

/** Functions fit a screen, files are about one thing: the limits here are the outer ones, the aim is 35 and 200. */
const SIZES: Rules = {
  'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
  'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
  'max-depth': ['error', 3],
  'max-params': ['error', 6],
  complexity: ['error', 20],
}

/** Rules that pay for themselves here, from the categories that are not switched on as a whole. */
const CHOSEN: Rules = {
  eqeqeq: 'error',
  'no-var': 'error',
  'prefer-const': 'error',
  'no-console': 'error',
  'no-empty': 'error',
  'no-else-return': 'error',
  'no-fallthrough': 'error',
  'no-nested-ternary': 'error',
  'no-param-reassign': 'error',
  'no-self-compare': 'error',
  'no-warning-comments': ['error', { terms: ['todo', 'fixme', 'xxx', 'hack'] }],
  'import/no-cycle': 'error',
  'import/no-default-export': 'error',
  'import/no-duplicates': 'error',
  'import/no-commonjs': 'error',
  'node/no-process-env': 'error',
  'typescript/ban-ts-comment': 'error',
  'typescript/consistent-type-imports': 'error',
  'typescript/no-deprecated': 'error',
  'typescript/no-explicit-any': 'error',
  'typescript/no-misused-promises': 'error',
  'typescript/no-namespace': 'error',
  'typescript/no-non-null-assertion': 'error',
  'typescript/no-require-imports': 'error',
  'typescript/no-unnecessary-condition': ['error', { allowConstantLoopConditions: 'always' }],
  'typescript/no-unsafe-argument': 'error',
  'typescript/no-unsafe-assignment': 'error',
  'typescript/no-unsafe-call': 'error',
  'typescript/no-unsafe-member-access': 'error',
  'typescript/no-unsafe-return': 'error',
  'typescript/only-throw-error': 'error',
  'typescript/prefer-nullish-coalescing': 'error',
  'typescript/prefer-promise-reject-errors': 'error',
  'typescript/prefer-readonly': 'error',
  'typescript/restrict-plus-operands': 'error',
  'typescript/return-await': ['error', 'in-try-catch'],
  'typescript/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
  'typescript/use-unknown-in-catch-callback-variable': 'error',
  'unicorn/no-instanceof-array': 'error',
  'unicorn/prefer-node-protocol': 'error',
  'unicorn/throw-new-error': 'error',
}

/** Rules of the categories switched on below that ask for another style than this one. */
const OTHER_STYLE: Rules = {
  'no-await-in-loop': 'off', // order is often the point: one message in flight, one append at a time
  'no-underscore-dangle': 'off',
  'no-unmodified-loop-condition': 'off', // what ends a loop is often set by a callback
  'no-shadow': 'off',
  'import/no-named-as-default-member': 'off', // fast-check and fp-ts are read best with their own prefix
  'import/no-named-as-default': 'off',
  'promise/no-callback-in-promise': 'off', // the edge where callbacks become promises is where these would bite
  'promise/no-promise-in-callback': 'off',
  'typescript/no-unsafe-type-assertion': 'off', // an `as` has its reason in a comment beside it instead
  'typescript/consistent-return': 'off', // the compiler checks the same by types
  'unicorn/consistent-function-scoping': 'off',
  'unicorn/no-useless-spread': 'off', // a snapshot of a collection that changes while it is walked is no useless one
  'oxc/no-map-spread': 'off',
}

export default defineConfig({
  plugins: ['eslint', 'typescript', 'unicorn', 'oxc', 'import', 'node', 'promise'],
  categories: { correctness: 'error', suspicious: 'error', perf: 'error' },
  options: { typeAware: true, denyWarnings: true, reportUnusedDisableDirectives: 'error' },
  env: { node: true, es2024: true },
  ignorePatterns: ['node_modules', 'dist', 'coverage'],
  rules: { ...SIZES, ...CHOSEN, ...OTHER_STYLE },
  overrides: [
    ...importRules(),
    {
      files: ['src/domain/**'],
      rules: {
        'no-restricted-globals': [
          'error',
          'process',
          'setTimeout',
          'setInterval',
          'setImmediate',
          'queueMicrotask',
          'performance',
          'fetch',
          'crypto',
        ],
        'no-restricted-properties': [
          'error',
          { object: 'Date', property: 'now', message: 'The domain has no clock: take the time as an argument.' },
          { object: 'Math', property: 'random', message: 'The domain has no randomness.' },
        ],
        'oxc/no-async-await': 'error',
      },
    },
    { files: ['src/config.ts', 'src/config/**', 'src/cli/**', 'infra/**'], rules: { 'node/no-process-env': 'off' } },
    {
      files: ['**/*.test.ts', 'test/**', 'bench/**', '*.config.ts'],
      rules: {
        'max-lines-per-function': 'off',
        'max-lines': ['error', { max: 500, skipBlankLines: true, skipComments: true }],
        'import/no-default-export': 'off',
        'node/no-process-env': 'off',
        'no-console': 'off',
        'typescript/no-non-null-assertion': 'off',
      },
    },
    {
      files: ['**/*.test.ts', 'test/**'],
      plugins: ['eslint', 'typescript', 'unicorn', 'oxc', 'import', 'node', 'promise', 'vitest'],
      rules: { 'vitest/no-focused-tests': 'error', 'vitest/no-disabled-tests': 'error', 'unicorn/no-thenable': 'off' },
    },
  ],
})
