/**
 * The built program on a terminal: under a pseudo-terminal that util-linux's
 * `script` opens, with what a person would see.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { packageRoot } from '../../src/installation.ts'

const bin = join(packageRoot, 'bin', 'greetings.js')

/** Why there is no terminal here; undefined when there is one. macOS has another program of this name. */
export const noTerminal = spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux')
  ? undefined
  : 'util-linux’s `script` is not installed'

/** A run under way on a terminal. */
export interface OnTerminal {
  /** What the keyboard sends: `\x03` is Ctrl-C. */
  type(keys: string): void
  /** everything that was written, with its control sequences; each begins with `␛` */
  written(): string
  /** Waits until the screen shows a text. @throws when the program ends before */
  waitForScreen(pattern: RegExp): Promise<string>
  /** Closes the terminal's window. What runs on it hears SIGHUP, and finds nothing to read or write any more. */
  closeWindow(): void
  /** the exit code, and what the screen shows at the end */
  ended: Promise<{ code: number | null; screen: string }>
}

/**
 * Starts `greetings <args>` on a terminal of 100 columns and 30 lines. A run that hangs is killed.
 * @param codeFile a shell that outlives the terminal writes the exit code here
 */
export function startOnTerminal(
  args: string[],
  { env, longestMs = 120_000, codeFile }: { env: Record<string, string>; longestMs?: number; codeFile?: string },
): OnTerminal {
  const command = [process.execPath, bin, ...args].map((word) => `'${word}'`).join(' ')
  // Hangs up its jobs as an interactive shell does, and then lives on to tell their end.
  const told = `${command} & job=$!; trap 'kill -HUP $job' HUP; wait $job; wait $job; echo $? > '${codeFile}.new'; mv '${codeFile}.new' '${codeFile}'`
  const line = `stty cols 100 rows 30; ${codeFile === undefined ? `exec ${command}` : told}`
  const child = spawn('script', ['-qec', line, '/dev/null'], {
    env: { TERM: 'xterm-256color', ...env },
    cwd: env.HOME,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let written = ''
  let wake = () => {}
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    written += text.replaceAll('\x1b', '␛')
    wake()
  })
  child.stdin.on('error', () => undefined) // the program may have ended
  const killer = setTimeout(() => child.kill('SIGKILL'), longestMs)
  let over = false
  const ended = once(child, 'close').then(([code]) => {
    over = true
    clearTimeout(killer)
    return { code: code as number | null, screen: screenOf(written) }
  })
  return {
    type: (keys) => void child.stdin.write(keys),
    written: () => written,
    closeWindow: () => void child.kill('SIGKILL'),
    ended,
    async waitForScreen(pattern) {
      for (;;) {
        const screen = screenOf(written)
        if (pattern.test(screen)) return screen
        if (over) throw new Error(`the program ended without ${String(pattern)} on the screen:\n${screen}`)
        await Promise.race([new Promise<void>((resolve) => (wake = resolve)), ended])
      }
    },
  }
}

/**
 * What a screen shows after all this was written to it. `␛` stands for the escape character. Knows the control
 * sequences the program uses; others are an error.
 */
export function screenOf(written: string): string {
  const rows: string[][] = [[]]
  let [row, column] = [0, 0]
  // A sequence whose end has not come yet is left for the next look.
  const parts = written.replace(/␛(\[[?\d;]*)?$/, '').match(/␛\[[?\d;]*[A-Za-z]|␛.|[^␛]/gsu) ?? []
  for (const part of parts) {
    const [, given = '', command] = /^␛\[([?\d;]*)([A-Za-z])$/.exec(part) ?? []
    const number = Number(given)
    const line = (rows[row] ??= [])
    if (part === '\r') column = 0
    else if (part === '\n') row++
    else if (command === undefined && !part.startsWith('␛')) line[column++] = part
    else if (command === 'A') row = Math.max(0, row - Math.max(1, number))
    else if (command === 'B') row += Math.max(1, number)
    else if (command === 'G') column = Math.max(1, number) - 1
    else if (command === 'H' && given === '') [row, column] = [0, 0]
    else if (command === 'K' && number === 0) line.length = Math.min(line.length, column)
    else if (command === 'K' && number === 2) line.length = 0
    else if (command === 'J' && number === 0) {
      line.length = Math.min(line.length, column)
      rows.length = row + 1
    } else if (command === 'J' && number === 2) rows.length = 0
    else if (!(command === 'm' || (given.startsWith('?') && 'hl'.includes(command ?? ' '))))
      throw new Error(`a control sequence that is not known here: ${JSON.stringify(part)}`)
  }
  return Array.from(rows, (cells) =>
    Array.from(cells ?? [], (cell) => cell ?? ' ')
      .join('')
      .trimEnd(),
  )
    .join('\n')
    .trimEnd()
}
