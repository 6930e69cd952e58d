import type { Name } from '../../src/names/name.ts'
import type { Understood } from '../../src/understanding/understand.ts'

const shown = (names: readonly Name[]) => names.map(({ display }) => display).join(', ')

/**
 * What was understood, in one line: `Маша` is sure, `Артем = Артём` is sure and has a twin, `? Маша, Маши` is unsure
 * with its options in order, `+ Маша, Петя` are several, then `talk thanks` and `refused digits`.
 */
export function told(understood: Understood): string {
  switch (understood.kind) {
    case 'name':
      return understood.name.display + (understood.twin ? ` = ${understood.twin.display}` : '')
    case 'unsure':
      return `? ${shown(understood.options)}`
    case 'several':
      return `+ ${shown(understood.names)}${understood.more > 0 ? ` and ${understood.more} more` : ''}`
    case 'talk':
      return `talk ${understood.topic}`
    case 'refused':
      return `refused ${understood.reason}`
  }
}
