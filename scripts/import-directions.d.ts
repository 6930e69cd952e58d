import type { Linter } from 'eslint'

/** Settings of the linter's two import rules, by files. */
export const importDirections: Linter.Config[]

/** What each folder of `src` imports, names with spaces between. */
export const imports: Record<string, string>
