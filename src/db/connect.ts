/** Every connection to PostgreSQL is opened with what stands here: in pools, one by one, and by the queue's library. */
import pg from 'pg'

/** Settings of a session, as `SET` takes them. */
export type Session = Readonly<Record<string, string>>

/**
 * A process that freezes, or whose host loses power or network, must not keep what it has locked: the server ends a
 * transaction in which nothing happens, and notices within half a minute that the other end is gone. An idle session is
 * left alone. Servers have other defaults: no limit, and two hours.
 */
const everySession: Session = {
  idle_in_transaction_session_timeout: '30s',
  tcp_keepalives_idle: '10s',
  tcp_keepalives_interval: '5s',
  tcp_keepalives_count: '3',
  tcp_user_timeout: '25s',
}

/** The same from our side: a server that is gone is noticed as soon. */
const keepAlive = { keepAlive: true, keepAliveInitialDelayMillis: 10_000 }

/** What setting them may take. */
const settingMs = 10_000

/**
 * The configuration of a pool, or of one connection. `session`: settings
 * beyond those of every session, or instead of them.
 */
export function connectionConfig<Config extends pg.PoolConfig>(config: Config, session: Session = {}) {
  return { ...config, ...keepAlive, session, Client: SteadyClient }
}

/**
 * The settings as an option of the connection's start, for a library that opens some of its connections without our
 * client. A pooler between us and the server may refuse this.
 */
export function startOptions(session: Session = {}): string {
  return Object.entries({ ...everySession, ...session })
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(' ')
}

/**
 * A connection that breaks while somebody has it fails their query, and that is enough. Without a listener of its
 * own, as between two queries or in the hands of a library that does not listen, it would end the process.
 */
class SteadyClient extends pg.Client {
  private readonly session: Session

  constructor(config: pg.ClientConfig & { session?: Session } = {}) {
    super(config)
    this.session = { ...everySession, ...config.session }
    this.on('error', () => undefined)
  }

  /** Open, and with its settings: they are set as statements, for a pooler lets through no other. */
  override connect(): Promise<pg.Client>
  override connect(callback: (error: Error | null) => void): void
  override connect(callback?: (error: Error | null) => void): Promise<pg.Client> | void {
    const ready = this.connectAndSet()
    if (callback === undefined) return ready
    ready.then(() => callback(null), callback)
  }

  private async connectAndSet(): Promise<this> {
    await super.connect()
    try {
      const text = Object.entries(this.session)
        .map(([name, value]) => `SET ${pg.escapeIdentifier(name)} = ${pg.escapeLiteral(value)}`)
        .join('; ')
      await this.query({ text, query_timeout: settingMs } as pg.QueryConfig)
    } catch (error) {
      await this.end().catch(() => undefined)
      throw error
    }
    return this
  }
}

/** Connects, or leaves nothing open. Whoever gets the client ends it. */
export async function connectClient(config: pg.ClientConfig, session?: Session): Promise<pg.Client> {
  const client = new SteadyClient(connectionConfig(config, session))
  try {
    await client.connect()
    return client
  } catch (error) {
    await client.end().catch(() => undefined)
    throw error
  }
}
