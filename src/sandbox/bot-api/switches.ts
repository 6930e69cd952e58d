/** What the owner of a bot switched at @BotFather. */
import type { BotSwitches } from '../contract.ts'
import type { SandboxState } from '../state/state.ts'

/** Everything can be tried in the sandbox; group privacy is on, as with every new bot. */
const atFirst: BotSwitches = { inline: true, inlineFeedback: true, guests: true, groups: true, groupPrivacy: true }

/** How the switches of a bot stand. */
export function switchesOf(state: SandboxState, botId: number): BotSwitches {
  return { ...atFirst, ...state.setting<Partial<BotSwitches>>(botId, 'switches') }
}

/** Moves some of them. Returns how all stand now. */
export function setSwitches(state: SandboxState, botId: number, moved: Partial<BotSwitches>): BotSwitches {
  const switches = { ...switchesOf(state, botId), ...moved }
  state.saveSetting(botId, 'switches', switches)
  return switches
}
