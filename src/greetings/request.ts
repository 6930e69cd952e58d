/** The one door: a name asked for becomes a hit, a place among those who wait, or work. */
import { emit, type DomainEvent } from '../events.ts'
import type { Job } from '../queue/index.ts'
import type { Answer, RequestDeps } from './answer.ts'
import { askKey, type Ask } from './ask.ts'
import { enqueueFor } from './enqueue.ts'
import { requestForList, type ListOptions } from './request-list.ts'
import { requestForPerson } from './request-person.ts'
import type { Person } from './requests.ts'

/**
 * Asks for names, many or one. Without a person nobody is told: that is warming. With a person, their requests are
 * stored, all of them or none, before this returns, so whatever happens next they get their answers. Answers come in
 * the order of `asks`, which must be distinct by (template, key).
 */
export async function request(
  deps: RequestDeps,
  asks: readonly Ask[],
  person?: Person,
  options: ListOptions = {},
): Promise<Answer[]> {
  if (person === undefined) return requestForList(deps, asks, options)
  const store = () => requestForPerson(deps, asks, person)
  const stored = await (deps.gate === undefined
    ? store()
    : deps.gate.through(asks.map(askKey).join('\n'), store, person.attempt))
  const jobs = stored.map(({ job }) => job).filter((job) => job !== undefined)
  await Promise.all(jobs.map((job) => promote(deps, job)))
  const answers = stored.map(({ answer }) => answer)
  for (const answer of answers) emit({ what: 'asked', outcome: outcomeOf(answer) })
  return answers
}

/** The answer in one word, for counting. */
function outcomeOf(answer: Answer): Exclude<Extract<DomainEvent, { what: 'asked' }>['outcome'], 'no_name'> {
  switch (answer.status) {
    case 'available':
      return 'hit'
    case 'waiting':
      return answer.again ? 'again' : answer.started ? 'started' : 'joined'
    case 'on_its_way':
      return 'again'
    case 'refused':
      return answer.reason
    default:
      return answer.status
  }
}

/**
 * Adds the job of a question that is stored. A queue that does not answer holds
 * up nobody: the reconciler adds what is missing.
 */
async function promote({ db, queue, times, log }: RequestDeps, job: Job): Promise<void> {
  const promoted = enqueueFor({ db, queue }, job, { lockMs: times.lockMs }).catch((error: unknown) =>
    log.warn(
      { assetId: job.assetId, code: (error as { code?: string }).code },
      'could not add a job now, the reconciler will',
    ),
  )
  let timer: NodeJS.Timeout | undefined
  await Promise.race([promoted, new Promise((resolve) => (timer = setTimeout(resolve, times.lockMs)))])
  clearTimeout(timer)
}
