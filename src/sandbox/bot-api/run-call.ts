/** One call of the Bot API, from its arrival to its result: noted, met by fault plans, run. */
import type { CallRecord } from '../contract.ts'
import type { MetPlan } from '../fault-plans.ts'
import { Refusal, tooManyRequests } from '../refusal.ts'
import type { CallLog } from './call-log.ts'
import type { Context } from './context.ts'
import { methods } from './methods.ts'
import type { Parameters } from './parameters.ts'

/** The connection is to break: nothing is answered. */
export class Hangup extends Error {}

/** A call that was noted and not answered yet. */
interface OpenCall {
  record: CallRecord
  callLog: CallLog
  /** aborted when the caller or the server gives up */
  gone: AbortSignal
}

/**
 * Gives the result, or with `html` the status of a proxy's page.
 * @throws Refusal, or Hangup
 */
export async function runCall(
  context: Context,
  botId: number,
  methodName: string,
  parameters: Parameters,
  gone: AbortSignal,
): Promise<{ result: unknown; html?: number }> {
  const { callLog, faultPlans, state } = context
  const method = methods[methodName.toLowerCase()]
  if (method === undefined) throw new Refusal(404, 'Not Found: method not found')
  const bot = state.bots.get(botId)
  if (bot === undefined) throw new Refusal(401, 'Unauthorized')
  const record = callLog.open(botId, method.name, parameters)
  const call: OpenCall = { record, callLog, gone }
  const plan = faultPlans.meet(record)
  try {
    const html = plan === undefined ? undefined : await before(plan, call)
    if (html !== undefined) return { result: undefined, html }
    const result = await method.run({ ...context, bot, parameters, record, gone })
    if (plan !== undefined) await after(plan, call)
    // Who hung up meanwhile gets no answer.
    callLog.close(record, gone.aborted ? undefined : 200)
    return { result }
  } catch (error) {
    if (error instanceof Refusal) callLog.close(record, error.code, error.description)
    else if (!(error instanceof Hangup)) callLog.close(record, 500, 'Internal Server Error')
    throw error
  }
}

/** What a plan does before the method runs. Gives the status of an HTML page that is answered instead. */
async function before({ answer, hold }: MetPlan, call: OpenCall): Promise<number | undefined> {
  const { record, callLog, gone } = call
  switch (answer.kind) {
    case 'flood':
      throw tooManyRequests(answer.retryAfter)
    case 'refuse':
      throw new Refusal(answer.code, answer.description, answer.parameters)
    case 'html':
      callLog.close(record, answer.code, 'HTML')
      return answer.code
    case 'drop-before':
      callLog.close(record)
      throw new Hangup()
    case 'silence':
      return silence(call)
    case 'hold':
    case 'slow':
      await hold(gone)
      if (gone.aborted) return silence(call)
      return undefined
    default:
      return undefined
  }
}

/** What a plan does between the method and the answer. */
async function after({ answer, hold }: MetPlan, call: OpenCall): Promise<void> {
  if (answer.kind === 'hold-after') await hold(call.gone)
  if (answer.kind === 'silence-after') await silence(call)
  if (answer.kind !== 'drop-after') return
  call.callLog.close(call.record)
  throw new Hangup()
}

/** Until the caller or the server gives up. */
async function silence({ record, callLog, gone }: OpenCall): Promise<never> {
  callLog.close(record)
  if (!gone.aborted) await new Promise((resolve) => gone.addEventListener('abort', resolve, { once: true }))
  throw new Hangup()
}
