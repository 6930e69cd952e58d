/** The queue on PostgreSQL. */
import { createPostgresBackend, Queue, Worker, type PostgresQueueBackend } from 'bullmq'
import type pg from 'pg'
import { connectClient, connectionConfig, startOptions } from '../db/connect.ts'
import { DatabaseUnusable } from '../db/errors.ts'
import { processor, QueueUnreachable, workerOptions, type Server } from './server.ts'

// On PostgreSQL a single statement carries all jobs that are added at once.
const longestQuerySeconds = 60

// The concrete backend is nobody's business here: both servers are used through the same classes.
const asQueue = (queue: unknown) => queue as Queue
const asWorker = (worker: unknown) => worker as Worker

/** @throws QueueUnreachable; DatabaseUnusable when a pooler stands before the server */
export async function onPostgres(connectionString: string, lockMs: number): Promise<Server> {
  await refusePooler(connectionString)
  // The connection on which a worker listens is opened without our client.
  const connection = (max: number) => ({
    ...connectionConfig({
      connectionString,
      max,
      options: startOptions(),
      connectionTimeoutMillis: 10_000,
      query_timeout: longestQuerySeconds * 1_000,
    }),
    migrate: true,
  })
  // Nothing of BullMQ's asks about many jobs at once, or for the first in line (`getJobs` begins with the youngest).
  const rows = async (queue: Queue, sql: string, ...values: unknown[]) => {
    const { connection } = queue.getBackend() as unknown as PostgresQueueBackend
    const { rows: found } = await connection.pool.query<{ id: string }>(sql, [queue.name, ...values])
    return found.map(({ id }) => id)
  }
  return {
    queue: (name) => asQueue(new Queue(name, { connection: connection(3) }, createPostgresBackend)),
    worker: (name, concurrency, process) =>
      asWorker(
        new Worker(
          name,
          processor(process),
          { connection: connection(4), ...workerOptions(concurrency, lockMs) },
          createPostgresBackend,
        ),
      ),
    held: async (queue, jobIds) =>
      new Set(await rows(queue, 'SELECT id FROM job WHERE queue = $1 AND id = ANY($2::text[])', jobIds)),
    oldest: (queue) =>
      rows(queue, `SELECT id FROM job WHERE queue = $1 AND state = 'waiting' ORDER BY priority, seq LIMIT 1`),
    evictionPolicy: async () => null,
    close: async () => undefined,
  }
}

/**
 * BullMQ on PostgreSQL hears of new jobs by LISTEN and finds its tables by what a session begins with. A pooler that
 * gives every transaction another session (PgBouncer in its usual mode) says yes to LISTEN and never passes anything
 * on, so jobs would be found by chance; one that drops what a session begins with leaves BullMQ without its tables.
 */
async function refusePooler(connectionString: string): Promise<void> {
  const refused = (why: string) =>
    new DatabaseUnusable(
      `DATABASE_URL leads through a connection pooler (PgBouncer or the like) that ${why}. The queue in ` +
        'PostgreSQL needs sessions of its own. Give DATABASE_URL the address of PostgreSQL itself, or keep ' +
        'the queue in Redis with REDIS_URL.',
    )
  const sessions: pg.Client[] = []
  const look = async (client: pg.Client) =>
    (
      await client.query<{ pid: number; path: string }>(
        `SELECT pg_backend_pid() AS pid, current_setting('search_path') AS path`,
      )
    ).rows[0]
  try {
    for (let count = 0; count < 2; count++) {
      sessions.push(
        await connectClient({
          connectionString,
          options: '-c search_path=greetings_probe',
          application_name: 'greetings queue',
          connectionTimeoutMillis: 10_000,
        }),
      )
    }
    for (let round = 0; round < 3; round++) {
      const seen: Awaited<ReturnType<typeof look>>[] = []
      for (const client of [...sessions, ...sessions.slice(0, 1)]) seen.push(await look(client))
      const [one, other, again] = seen
      if (one?.path !== 'greetings_probe') throw refused('drops what a session begins with')
      // Two sessions of a server's own are two processes, and stay what they are.
      if (one.pid === other?.pid || one.pid !== again?.pid) throw refused('changes sessions between transactions')
    }
  } catch (error) {
    if (error instanceof DatabaseUnusable) throw error
    if (error instanceof Error && /unsupported startup parameter/.test(error.message))
      throw refused('refuses what a session begins with')
    throw new QueueUnreachable('The queue in PostgreSQL cannot be reached.', { cause: error })
  } finally {
    await Promise.all(sessions.map((client) => client.end().catch(() => undefined)))
  }
}
