/** What can be done through the control API, by path. */
import type { FaultPlan, Say, SentDocument, SharedContact } from '../contract.ts'
import { offerNames, registerBot, switchBot } from './bots.ts'
import { createChannel, migrate, setMember } from './chats.ts'
import { ControlError, type ControlContext } from './context.ts'
import { sendDocument, shareContact } from './documents.ts'
import { block, deleteUser, saveUser, say } from './people.ts'
import { askInline, chooseInline, press } from './queries.ts'
import { botOf, integer, string, type Body } from './values.ts'

const changes: Record<string, (context: ControlContext, body: Body) => unknown> = {
  bots: registerBot,
  switches: switchBot,
  samples: offerNames,
  'tokens/revoke': done(({ state }, body) => state.revokeToken(string(body, 'token'))),
  users: (context, body) =>
    saveUser(context, { ...body, userId: integer(body, body.userId === undefined ? 'id' : 'userId') }),
  'users/delete': deleteUser,
  block,
  channels: createChannel,
  members: setMember,
  migrate,
  updates: (context, body) =>
    (Array.isArray(body) ? (body as Say[]) : [body as unknown as Say]).map((one) => say(context, one)),
  documents: (context, body) => sendDocument(context, body as unknown as SentDocument),
  contacts: (context, body) => shareContact(context, body as unknown as SharedContact),
  'updates/resend': (context, body) => ({
    count: context.updates.resend(botOf(context, body.botId).id, body.updateIds as number[] | undefined),
  }),
  press,
  inline: askInline,
  choose: chooseInline,
  'calls/clear': done(({ callLog }) => callLog.clear()),
  faults: (context, body) => plan(context, body as unknown as FaultPlan),
  'faults/release': done(({ faultPlans }, body) =>
    faultPlans.release(body.id === undefined ? undefined : integer(body, 'id')),
  ),
  'faults/release-one': done(({ faultPlans }, body) => faultPlans.releaseOne(integer(body, 'id'))),
  limits: done(({ limits }, body) => void (limits.limits = body)),
  'files/forget': done((context, body) => context.state.forgetFileIds(botOf(context, body.botId).id)),
}

/** What is done at once, or a promise of it. @throws ControlError for what makes no sense */
export function change(context: ControlContext, path: string, body: Body): unknown {
  const found = Object.hasOwn(changes, path) ? changes[path] : undefined
  if (found === undefined) throw new ControlError(`nothing to do at ${path}`)
  return found(context, body)
}

/** Of a change that has nothing to tell. */
function done(run: (context: ControlContext, body: Body) => void): (context: ControlContext, body: Body) => true {
  return (context, body) => {
    run(context, body)
    return true
  }
}

function plan({ faultPlans }: ControlContext, wanted: FaultPlan): unknown {
  try {
    return faultPlans.add(wanted)
  } catch (error) {
    throw error instanceof TypeError ? new ControlError(error.message) : error
  }
}
