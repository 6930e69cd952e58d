// npm's step after an installation: builds. `npx greetings` runs it too, before each command, and there it ends at
// once: what is installed is built, and whoever runs it may not be the one who may write here.
import { spawnSync } from 'node:child_process'

if (process.env.npm_command !== 'exec')
  process.exit(
    spawnSync('npm', ['run', 'build'], { stdio: 'inherit', shell: process.platform === 'win32' }).status ?? 1,
  )
