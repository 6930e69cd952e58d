/**
 * What happens in this process, told to whoever counts it. The domain tells and does not know who listens;
 * while nobody does, telling costs nothing. No name and no id is ever part of it.
 */
import { channel } from 'node:diagnostics_channel'

/** Something that happened. Times in seconds. */
export type DomainEvent =
  /** a person asked; `started`: the first to ask for a name that was not there, `joined`: one of those after */
  | {
      what: 'asked'
      outcome: 'hit' | 'started' | 'joined' | 'again' | 'failed' | 'too_many_waiting' | 'too_many_today' | 'repeated'
    }
  /** what was sent is no name that could be served; `reason`: a word of ours */
  | { what: 'asked'; outcome: 'no_name'; reason: string }
  /** a text was understood: as a name, as one that has to be asked about, as several, or as talk of a topic; or a question was answered */
  | { what: 'understood'; outcome: 'name' | 'unsure' | 'several' | 'talk' | 'confirmed'; reason?: string }
  /** a person was served, so long after asking */
  | { what: 'delivered'; hit: boolean; seconds: number }
  /** a person was told that it does not work, or cannot be reached */
  | { what: 'gave_up' }
  /**
   * a step of making a video of this template is done; `video`: making it as a
   * whole, the template's preparation not counted
   */
  | { what: 'step'; step: string; template: string; seconds: number }
  /**
   * a video was sent to a storage channel, the wait for its turn not counted, while
   * `parallel` were on their way from this process
   */
  | { what: 'sent'; seconds: number; parallel: number }
  /** a video could not be made; `final`: it is given up */
  | { what: 'fault'; cause: string; final: boolean }
  /** a step is out of order */
  | { what: 'outage'; step: string }
  /** Telegram asked to send less */
  | { what: 'flood'; method: string }

const events = channel('greetings')

/** Tells it to whoever listens. */
export function emit(event: DomainEvent): void {
  if (events.hasSubscribers) events.publish(event)
}

/** Calls `listener` for all that happens in this process, until the result is called. */
export function listen(listener: (event: DomainEvent) => void): () => void {
  const heard = (message: unknown) => listener(message as DomainEvent)
  events.subscribe(heard)
  return () => void events.unsubscribe(heard)
}
