/** Where the messages of each chat stand in the journal. That is all that is kept of them in memory. */
import type { Place } from './journal.ts'

interface ChatHistory {
  lastId: number
  places: Map<number, Place>
}

/** Empty at first. Ids of messages that are gone are not used again. */
export class MessagePlaces {
  private readonly histories = new Map<string, ChatHistory>()

  set(chat: string, id: number, place: Place): void {
    const history = this.history(chat)
    history.places.set(id, place)
    history.lastId = Math.max(history.lastId, id)
  }

  delete(chat: string, id: number): void {
    this.history(chat).places.delete(id)
  }

  get(chat: string, id: number): Place | undefined {
    return this.history(chat).places.get(id)
  }

  nextId(chat: string): number {
    return this.history(chat).lastId + 1
  }

  count(chat: string): number {
    return this.history(chat).places.size
  }

  /** The newest `limit` with an id above `after` and below `before`, oldest first. */
  newest(chat: string, limit: number, after: number, before: number): Place[] {
    return [...this.history(chat).places]
      .filter(([id]) => id > after && id < before)
      .sort(([one], [other]) => one - other)
      .slice(-limit)
      .map(([, place]) => place)
  }

  private history(chat: string): ChatHistory {
    let history = this.histories.get(chat)
    if (history === undefined) this.histories.set(chat, (history = { lastId: 0, places: new Map() }))
    return history
  }
}
