/** Connections to PostgreSQL that outlive trouble: in pools, and one by one beside them. */
import pg from 'pg'

/**
 * A connection that breaks while somebody has it fails their query, and that is enough. Without a listener of its
 * own, as between two queries or in the hands of a library that does not listen, it would end the process.
 */
export class SteadyClient extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    super(config)
    this.on('error', () => undefined)
  }
}

/** Connects, or leaves nothing open. Whoever gets the client ends it. */
export async function connectClient(config: pg.ClientConfig): Promise<pg.Client> {
  const client = new SteadyClient(config)
  try {
    await client.connect()
    return client
  } catch (error) {
    await client.end().catch(() => undefined)
    throw error
  }
}
