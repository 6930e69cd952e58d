import js from '@eslint/js'
import ts from 'typescript-eslint'
import { importDirections } from './scripts/import-directions.js'

export default ts.config(
  { ignores: ['dist', 'src/db/generated', 'node_modules', '.greetings', 'tmp', 'coverage'] },
  js.configs.recommended,
  {
    files: ['**/*.js'],
    ignores: ['src/*/browser/*.js'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly', Buffer: 'readonly' } },
  },
  {
    files: ['src/**/*.ts', 'tests/**/*.ts', 'scripts/**/*.ts', '*.config.ts'],
    extends: [ts.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { project: './tsconfig.json' } },
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/require-await': 'off',
      // Our interfaces are written with method signatures; none of them uses `this`.
      '@typescript-eslint/unbound-method': 'off',
      'no-restricted-syntax': ['error', { selector: 'ExportDefaultDeclaration', message: 'Export by name.' }],
    },
  },
  // What runs in a browser is JavaScript with its types in comments, so that it is served as it is.
  {
    files: ['src/*/browser/*.js'],
    extends: [ts.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { project: './tsconfig.browser.json' } },
    rules: {
      // The compiler knows every global of a browser, and that there is no other.
      'no-undef': 'off',
      'no-restricted-syntax': ['error', { selector: 'ExportDefaultDeclaration', message: 'Export by name.' }],
    },
  },
  // Tools want a default export in their configuration files, and packages that have one are described so.
  { files: ['*.config.ts', '**/*.d.ts'], rules: { 'no-restricted-syntax': 'off' } },
  // `process.env` is read in one place, and handed on in another.
  {
    files: ['src/**/*.ts'],
    ignores: ['src/config.ts', 'src/cli.ts', 'src/child-environment.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Read the environment in src/config.ts only.' },
      ],
    },
  },
  ...importDirections,
)
