import type { Linter } from 'eslint'

/** Settings of the linter's two import rules, by files. */
export const importDirections: Linter.Config[]
