/**
 * The table of variables, from the schema in src/variables.ts: its order, the defaults, and what each variable means.
 */
import type { z } from 'zod'
import { environment } from '../../src/variables.ts'
import { table } from './blocks.ts'

/** @throws when a variable does not say what it means */
export function variablesTable(variables: Record<string, z.ZodType> = environment.shape): string {
  return table(
    ['variable', 'default', 'means'],
    Object.entries(variables).map(([name, variable]) => {
      if (variable.description === undefined) throw new Error(`${name} has no .describe(…) in src/variables.ts.`)
      const otherwise = variable.meta()?.default
      return [`\`${name}\``, typeof otherwise === 'string' ? otherwise : '', variable.description]
    }),
  )
}
