// Writes the Prisma client to src/db/generated.
//
// The Prisma command line wants its schema engine, which it would download. `generate` never runs that
// engine, so any existing file will do as its path, and the build works without the network.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const prisma = fileURLToPath(import.meta.resolve('prisma/build/index.js'))
const { status } = spawnSync(process.execPath, [prisma, 'generate'], {
  cwd: fileURLToPath(new URL('..', import.meta.url)),
  env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, PRISMA_HIDE_UPDATE_MESSAGE: '1' },
  stdio: ['ignore', 'ignore', 'inherit'],
})
process.exit(status ?? 1)
