/**
 * Lets people through to the database. Each who waits there for a locked row has a connection meanwhile, so a crowd
 * that asks for one name whose row is locked would take all of them, and nobody else would be answered.
 */
import { isLockTimeout } from '../db/errors.ts'

export interface Gate {
  /**
   * Runs `work` for an asset as soon as there is room.
   * @throws AssetLocked when the asset's row is known to be locked, the signal's reason when it aborts before the start
   */
  through<T>(assetKey: string, work: () => Promise<T>, attempt?: Partial<Attempt>): Promise<T>
}

/** One try of somebody's question. */
export interface Attempt {
  /** aborts when nobody waits for the outcome any more: what has not begun does not begin */
  giveUp: AbortSignal
  /** it was tried before, so this is the one that finds out whether a locked row is free again */
  isRetry: boolean
}

/** The asset's row was seen to be locked, and somebody is to look again. */
export class AssetLocked extends Error {
  override name = 'AssetLocked'
}

interface Asset {
  inHand: number
  isLocked: boolean
}

interface Waiting {
  assetKey: string
  start: (asset: Asset) => void
  refuse: (reason: Error) => void
}

/**
 * @param atOnce how many may be through at a time
 * @param forOneAsset how many of them for one asset. Of one whose row was seen to be locked it is a single retry, which
 *   finds out when that is over; everybody else is refused at once, so that the row costs no more time.
 */
export function openGate({ atOnce, forOneAsset }: { atOnce: number; forOneAsset: number }): Gate {
  return new AssetGate(atOnce, forOneAsset)
}

class AssetGate implements Gate {
  private readonly assets = new Map<string, Asset>()
  private waiting: Waiting[] = []
  private inHand = 0

  constructor(
    private readonly atOnce: number,
    private readonly forOneAsset: number,
  ) {}

  async through<T>(
    assetKey: string,
    work: () => Promise<T>,
    { giveUp, isRetry = false }: Partial<Attempt> = {},
  ): Promise<T> {
    giveUp?.throwIfAborted()
    const known = this.assets.get(assetKey)
    if (known?.isLocked === true && (known.inHand > 0 || !isRetry))
      throw new AssetLocked('the row of this video is locked')
    const asset = this.hasRoom(assetKey) ? this.enter(assetKey) : await this.turn(assetKey, giveUp)
    try {
      const result = await work()
      asset.isLocked = false
      return result
    } catch (error) {
      if (isLockTimeout(error)) {
        asset.isLocked = true
        this.refuseOthers(assetKey)
      }
      throw error
    } finally {
      asset.inHand--
      this.inHand--
      if (asset.inHand === 0 && !asset.isLocked) this.assets.delete(assetKey)
      this.next()
    }
  }

  private hasRoom(assetKey: string): boolean {
    return this.inHand < this.atOnce && (this.assets.get(assetKey)?.inHand ?? 0) < this.forOneAsset
  }

  private enter(assetKey: string): Asset {
    const asset = this.assets.get(assetKey) ?? { inHand: 0, isLocked: false }
    this.assets.set(assetKey, asset)
    asset.inHand++
    this.inHand++
    return asset
  }

  private turn(assetKey: string, giveUp: AbortSignal | undefined): Promise<Asset> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.waiting = this.waiting.filter((other) => other !== me)
        reject(giveUp?.reason as Error)
      }
      const settle = (how: () => void) => {
        giveUp?.removeEventListener('abort', leave)
        how()
      }
      const me: Waiting = {
        assetKey,
        start: (asset) => settle(() => resolve(asset)),
        refuse: (reason) => settle(() => reject(reason)),
      }
      giveUp?.addEventListener('abort', leave, { once: true })
      this.waiting.push(me)
    })
  }

  private next(): void {
    while (this.inHand < this.atOnce) {
      const index = this.waiting.findIndex(({ assetKey }) => this.hasRoom(assetKey))
      const [one] = index < 0 ? [] : this.waiting.splice(index, 1)
      if (one === undefined) return
      one.start(this.enter(one.assetKey))
    }
  }

  private refuseOthers(assetKey: string): void {
    const others = this.waiting.filter((one) => one.assetKey === assetKey)
    this.waiting = this.waiting.filter((one) => one.assetKey !== assetKey)
    for (const { refuse } of others) refuse(new AssetLocked('the row of this video is locked'))
  }
}
