/** How a set is spoken: as its parts are when each has a video of its own. */
import type { Db, Tx } from '../db/database.ts'
import { isSet, keyJoint, partsOf } from '../names/set.ts'
import { askKey, type Ask } from './ask.ts'
import { byAsk, findAssets } from './assets.ts'

/**
 * The asks with how they are spoken: the parts of a set as their own videos have it, unless a list has said how to speak the
 * set itself.
 */
export async function asSpoken(db: Db | Tx, asks: readonly Ask[]): Promise<Ask[]> {
  const sets = asks.filter(({ key, say }) => isSet(key) && say == null)
  const known = byAsk(
    await findAssets(
      db,
      sets.flatMap(({ template, key, display }) =>
        [key, ...partsOf(key)].map((name) => ({ template, key: name, display })),
      ),
    ),
  )
  const spoken = new Map(
    sets.map((ask) => {
      const sayOf = (key: string) => known.get(askKey({ ...ask, key }))?.say
      const own = sayOf(ask.key)
      if (own != null && !isSet(own)) return [ask, ask]
      const says = partsOf(ask.key).map((part) => sayOf(part) ?? '')
      return [ask, { ...ask, say: says.every((say) => say === '') ? null : says.join(keyJoint) }]
    }),
  )
  return asks.map((ask) => spoken.get(ask) ?? ask)
}
