/** Opens a page in the person's browser, where there is one. */
import { spawn } from 'node:child_process'
import { childEnvironment } from '../child-environment.ts'

/** Tries the system's opener; that there is none is no fault. */
export async function openPage(url: string): Promise<void> {
  if (!process.stdout.isTTY) return
  const [program, ...before] =
    process.platform === 'darwin' ? ['open'] : process.platform === 'win32' ? ['explorer'] : ['xdg-open']
  if (program === undefined) return
  await new Promise<void>((resolve) => {
    const child = spawn(program, [...before, url], {
      stdio: 'ignore',
      detached: true,
      env: childEnvironment({ screen: true }),
    })
    child.once('error', () => resolve())
    child.once('spawn', () => {
      child.unref()
      resolve()
    })
  })
}
