/**
 * Three lanes: `people` holds a person's first name, `deferred` what they asked for while they waited for others, `warm`
 * what nobody waits for. A lane of its own, instead of a priority within one, keeps a worker's places free for people however
 * many other jobs wait for an upload, and serves people in the order of asking. Within `deferred` everybody's second name goes
 * before anybody's third. A promoted job moves forward.
 */

/** Who waits for a job. */
export type Lane = 'people' | 'deferred' | 'warm'

/** The first goes before the others. */
export const lanes: readonly Lane[] = ['people', 'deferred', 'warm']

/** A unit of work: one generation of one asset. */
export interface Job {
  assetId: string
  generation: number
  /** in `deferred`: how many names of the same person go before it; fewer go first */
  behind?: number
}

/** Where the job of a video belongs, before which so many names of its person go; null: nobody waits for it. */
export function placeInQueue(behind: number | null): { lane: Lane; behind: number } {
  return behind === null ? { lane: 'warm', behind: 0 } : { lane: behind === 0 ? 'people' : 'deferred', behind }
}
