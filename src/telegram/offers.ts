/** Offers the new video of a name to those who said that the former one sounds wrong: once each. */
import { closeReport, nextOffers, reopenReport, type Offer } from '../greetings/sound-reports.ts'
import { languageOf, text } from '../texts.ts'
import type { DeliveryDeps } from './delivery.ts'
import { TelegramError, type TelegramErrorKind } from './errors.ts'
import { pauseBulk } from './flood.ts'
import { waitForTurn } from './turn.ts'
import { newVideoButton } from './video-buttons.ts'

/** Of one pass. */
const mostOffers = 50
/** Telegram did not take the message, and takes it later. Whoever cannot be reached is not offered it again. */
const notNow: readonly TelegramErrorKind[] = ['flood', 'server', 'not_sent', 'token', 'conflict']

/** One pass: the next few who are to be offered a video. Those whose chat rests, or for whom Telegram has no time, wait for the next. */
export async function offerNewVideos(deps: DeliveryDeps, closing: AbortSignal): Promise<void> {
  for (const offer of await nextOffers(deps.db, deps.botId, mostOffers)) {
    if (closing.aborted) return
    if ((await waitForTurn(deps, offer.chatId, closing)) !== undefined) continue
    // Before it goes out: a process that dies, or an answer that is lost, makes no second offer.
    if (await closeReport(deps.db, offer.id)) if (!(await send(deps, offer))) return
  }
}

/** False: it did not go out, and others would not either. */
async function send({ api, db, times }: DeliveryDeps, offer: Offer): Promise<boolean> {
  const language = languageOf(offer.language)
  try {
    await api.sendMessage(String(offer.chatId), text(language, 'new-video', { name: offer.display }), {
      reply_markup: newVideoButton(language, offer.id),
    })
    return true
  } catch (error) {
    if (!(error instanceof TelegramError)) throw error
    if (!notNow.includes(error.kind)) return true
    await reopenReport(db, offer.id)
    if (error.kind === 'flood') await pauseBulk(db, offer.chatId, error.retryAfterMs ?? times.telegramSecondMs)
    return false
  }
}
