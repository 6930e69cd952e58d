import { chmodSync, createWriteStream, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { builtScript } from '../../src/installation.ts'
import { FfmpegMissing, findFfmpeg, type Ffmpeg } from '../../src/ffmpeg/find.ts'
import { FfmpegFailed } from '../../src/ffmpeg/failure.ts'
import { killLeftOver } from '../../src/ffmpeg/left-over.ts'
import { runFfmpeg } from '../../src/ffmpeg/run.ts'
import { wav } from '../audio/wav.ts'
import { ffmpegOfTests, isRunning, made, temporaryFolder } from '../video/tiny.ts'

const folder = temporaryFolder()
const sound = join(folder, 'sound.wav')
writeFileSync(
  sound,
  wav(
    Array.from({ length: 480 }, () => 0),
    { code: 1, bits: 16, channels: 1, rate: 48_000 },
  ),
)

/** A program that says it is ffmpeg and otherwise does as the script says. */
function pretender(name: string, script: string): Ffmpeg {
  const path = join(folder, name)
  writeFileSync(
    path,
    `#!/bin/sh\nif [ "$2" = -version ]; then echo "ffmpeg version pretended"; exit 0; fi\n${script}\n`,
  )
  chmodSync(path, 0o755)
  return { path, version: 'ffmpeg version pretended' }
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    if (tries > 400) throw new Error('waited in vain')
    await new Promise((go) => setTimeout(go, 20))
  }
}

const pidIn = (file: string) => Number(readFileSync(join(folder, file), 'utf8'))
const written = (file: string) =>
  existsSync(join(folder, file)) && readFileSync(join(folder, file), 'utf8').endsWith('\n')

describe('which ffmpeg', () => {
  test('is the bundled one', async () => {
    const found = await ffmpegOfTests()
    expect(found.path).toMatch(/node_modules/)
    expect(found.version).toMatch(/^ffmpeg version/)
  })

  test('is the one that is named, and no other', async () => {
    const { path } = pretender('named', '')
    expect(await findFfmpeg({ path, cacheFolder: folder })).toEqual({ path, version: 'ffmpeg version pretended' })
    await expect(findFfmpeg({ path: join(folder, 'nowhere'), cacheFolder: folder })).rejects.toThrow(FfmpegMissing)
    await expect(findFfmpeg({ path: '/bin/true', cacheFolder: folder })).rejects.toThrow(
      /FFMPEG_PATH names \/bin\/true, which does not run as ffmpeg/,
    )
  })
})

describe('a run', () => {
  test('reads a stream and writes a file', async () => {
    const frames = Readable.from([Buffer.alloc(16 * 16 * 4 * 5, 90)], { objectMode: false })
    const file = join(folder, 'frames.nut')
    await runFfmpeg(await ffmpegOfTests(), {
      inputs: [{ source: frames, options: ['-f', 'rawvideo', '-pix_fmt', 'rgba', '-video_size', '16x16'] }],
      options: ['-c:v', 'rawvideo', '-f', 'nut'],
      output: file,
    })
    expect(statSync(file).size).toBeGreaterThan(16 * 16 * 4 * 5)
  })

  test('writes a stream to its last byte', async () => {
    const file = join(folder, 'stream.yuv')
    const clip = await made(join(folder, 'clip.mp4'), '-f', 'lavfi', '-i', 'testsrc2=s=64x64:r=10:d=2')
    await runFfmpeg(await ffmpegOfTests(), {
      inputs: [{ source: clip }],
      options: ['-pix_fmt', 'yuv420p', '-f', 'rawvideo'],
      output: createWriteStream(file),
    })
    expect(statSync(file).size).toBe(20 * 64 * 64 * 1.5)
  })

  test('opens a file as the container it is, and nothing else; a stream through the pipe alone', async () => {
    const ffmpeg = pretender('arguments', `printf '%s\\n' "$@" > ${folder}/arguments.txt`)
    const clip = await made(join(folder, 'whole.mp4'), '-f', 'lavfi', '-i', 'testsrc2=s=64x64:r=10:d=1')
    await runFfmpeg(ffmpeg, {
      inputs: [
        { source: sound },
        { source: clip, options: ['-ss', '1'] },
        { source: Readable.from([]), options: ['-f', 's16le'] },
      ],
      options: [],
      output: join(folder, 'out.mp4'),
    })
    const given = readFileSync(join(folder, 'arguments.txt'), 'utf8').split('\n').join(' ')
    expect(given).toContain(
      `-protocol_whitelist file -format_whitelist wav -f wav -i file:${sound} -protocol_whitelist file -format_whitelist mov -f mov -enable_drefs 0 -use_absolute_path 0 -ss 1 -i file:${clip} -protocol_whitelist pipe -f s16le -i pipe:0 `,
    )
    expect(given).toContain(`file:${join(folder, 'out.mp4')}`)
  })

  test('that fails says why, without the folders of this host', async () => {
    const error: unknown = await runFfmpeg(await ffmpegOfTests(), {
      inputs: [{ source: sound }],
      options: [],
      output: join(folder, 'secret-place', 'out.mp4'),
    }).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(FfmpegFailed)
    expect((error as FfmpegFailed).message).toMatch(/^ffmpeg exited with code \d+: .*No such file or directory/)
    expect((error as FfmpegFailed).reason).toBe('exit')
    expect((error as FfmpegFailed).message).not.toContain('secret-place')
  })

  test('of a program that is not there fails as one that could not be run', async () => {
    await expect(
      runFfmpeg(
        { path: join(folder, 'nowhere'), version: '' },
        { inputs: [{ source: sound }], options: [], output: join(folder, 'out.mp4') },
      ),
    ).rejects.toThrow(/could not be run \(ENOENT\)/)
  })

  test('that stands still is killed with everything it started', async () => {
    const ffmpeg = pretender('still', `sleep 60 & echo $! > ${folder}/still.pid; echo frame=1 >&2; wait`)
    const error: unknown = await runFfmpeg(ffmpeg, {
      inputs: [{ source: sound }],
      options: [],
      output: join(folder, 'out.mp4'),
      stallMs: 400,
    }).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    expect(error).toMatchObject({
      name: 'FfmpegFailed',
      reason: 'stalled',
      message: 'ffmpeg made no progress for 0.4 s',
    })
    await until(() => !isRunning(pidIn('still.pid')))
  })

  test('that repeats itself without getting on stands still too; one that gets on does not', async () => {
    const repeating = pretender('repeating', 'while true; do echo frame=7 >&2; sleep 0.05; done')
    await expect(
      runFfmpeg(repeating, { inputs: [{ source: sound }], options: [], output: join(folder, 'out.mp4'), stallMs: 400 }),
    ).rejects.toMatchObject({ reason: 'stalled' })
    const advancing = pretender('advancing', 'for i in 1 2 3 4 5 6 7 8 9 10; do echo frame=$i >&2; sleep 0.1; done')
    await runFfmpeg(advancing, {
      inputs: [{ source: sound }],
      options: [],
      output: join(folder, 'out.mp4'),
      stallMs: 600,
    })
  })

  test('that takes too long is killed', async () => {
    const ffmpeg = pretender('long', 'i=0; while true; do i=$((i+1)); echo frame=$i >&2; sleep 0.05; done')
    await expect(
      runFfmpeg(ffmpeg, { inputs: [{ source: sound }], options: [], output: join(folder, 'out.mp4'), timeoutMs: 500 }),
    ).rejects.toMatchObject({ reason: 'timeout' })
  })

  test('that is aborted while nobody reads what it writes ends too', async () => {
    const abort = new AbortController()
    const full = new Writable({ write: () => abort.abort('enough') })
    const running = runFfmpeg(await ffmpegOfTests(), {
      inputs: [{ source: await made(join(folder, 'unread.mp4'), '-f', 'lavfi', '-i', 'testsrc2=s=320x240:r=25:d=8') }],
      options: ['-pix_fmt', 'yuv420p', '-f', 'rawvideo'],
      output: full,
      signal: abort.signal,
    })
    await expect(running).rejects.toBe('enough')
  }, 5_000)

  test('that is aborted ends with the reason, and the process is gone by then', async () => {
    const ffmpeg = pretender('aborted', `echo $$ > ${folder}/aborted.pid; exec sleep 60`)
    const abort = new AbortController()
    const reason = new Error('enough')
    const running = runFfmpeg(ffmpeg, {
      inputs: [{ source: sound }],
      options: [],
      output: join(folder, 'out.mp4'),
      signal: abort.signal,
    })
    const outcome = expect(running).rejects.toBe(reason)
    await until(() => written('aborted.pid'))
    abort.abort(reason)
    await outcome
    expect(isRunning(pidIn('aborted.pid'))).toBe(false)
    await expect(
      runFfmpeg(ffmpeg, { inputs: [{ source: sound }], options: [], output: 'y', signal: abort.signal }),
    ).rejects.toBe(reason)
  })

  test('whose input or output stream fails ends with that error', async () => {
    const broken = new Readable({
      read() {
        this.destroy(new Error('no more frames'))
      },
    })
    await expect(
      runFfmpeg(await ffmpegOfTests(), {
        inputs: [{ source: broken, options: ['-f', 's16le'] }],
        options: ['-f', 'null'],
        output: '-',
      }),
    ).rejects.toThrow('no more frames')
    const full = new Writable({
      write(_chunk, _encoding, done) {
        done(Object.assign(new Error('no room'), { code: 'ENOSPC' }))
      },
    })
    await expect(
      runFfmpeg(await ffmpegOfTests(), { inputs: [{ source: sound }], options: ['-f', 's16le'], output: full }),
    ).rejects.toMatchObject({ code: 'ENOSPC' })
  })

  test('is a process group of its own', async () => {
    const ffmpeg = pretender(
      'group',
      `ps -o pgid= -p $$ > ${folder}/group.pid 2>/dev/null || cut -d' ' -f5 /proc/$$/stat > ${folder}/group.pid`,
    )
    await runFfmpeg(ffmpeg, { inputs: [{ source: sound }], options: [], output: join(folder, 'out.mp4') })
    const own = Number(readFileSync(`/proc/${process.pid}/stat`, 'utf8').split(' ')[4])
    expect(pidIn('group.pid')).not.toBe(own)
  })
})

test('no ffmpeg outlives a program that is killed without warning', async () => {
  const { path } = await ffmpegOfTests()
  const work = join(folder, 'killed')
  mkdirSync(work)
  // The endless run writes to a pipe of the program's, as everything does that is not fed by one.
  const script = join(folder, 'killed.mjs')
  writeFileSync(
    script,
    `
    import { createWriteStream } from 'node:fs'
    const { runFfmpeg } = await import(${JSON.stringify(builtScript('ffmpeg/run'))})
    await runFfmpeg({ path: ${JSON.stringify(path)}, version: '' }, { inputs: [{ source: ${JSON.stringify(sound)}, options: ['-re', '-stream_loop', '-1'] }], options: ['-metadata', 'comment=${work}', '-f', 's16le'], output: createWriteStream('/dev/null') })
  `,
  )
  const program = spawn(process.execPath, [script], { stdio: 'ignore' })
  const children = () =>
    readFileSync(`/proc/${program.pid}/task/${program.pid}/children`, 'utf8')
      .trim()
      .split(' ')
      .filter(Boolean)
      .map(Number)
  await until(() => children().length > 0)
  const [child] = children()
  const gone = new Promise((go) => program.once('exit', go))
  program.kill('SIGKILL')
  await gone
  await until(() => !isRunning(child ?? 0))
})

test('what a run left behind is ended; another process that has its number now is not', async () => {
  const pids = join(folder, 'pids')
  mkdirSync(pids)
  const startOf = (pid: number) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[19] ?? ''
  const [left, another, unrelated] = Array.from({ length: 3 }, () =>
    spawn('sleep', ['60'], { detached: true, stdio: 'ignore' }),
  )
  const [leftPid, anotherPid, unrelatedPid] = [left?.pid ?? 0, another?.pid ?? 0, unrelated?.pid ?? 0]
  try {
    writeFileSync(join(pids, `ffmpeg-${leftPid}`), startOf(leftPid))
    writeFileSync(join(pids, `ffmpeg-${anotherPid}`), String(Number(startOf(anotherPid)) - 1))
    writeFileSync(join(pids, 'ffmpeg-999999999'), '')
    writeFileSync(join(pids, `others-${unrelatedPid}`), startOf(unrelatedPid))
    for (const name of ['ffmpeg-0', 'ffmpeg-1', 'ffmpeg-x', 'ffmpeg--1']) writeFileSync(join(pids, name), '')
    await killLeftOver(pids)
    await until(() => !isRunning(leftPid))
    // Whoever was killed before does not end by this.
    const endOf = async (child: typeof another) => {
      const ended = new Promise((resolve) => child?.once('exit', (_code, signal) => resolve(signal)))
      child?.kill('SIGTERM')
      return child?.signalCode ?? ended
    }
    expect([await endOf(another), await endOf(unrelated)]).toEqual(['SIGTERM', 'SIGTERM'])
    await killLeftOver(join(folder, 'no such folder'))
  } finally {
    for (const pid of [anotherPid, unrelatedPid]) if (isRunning(pid)) process.kill(-pid, 'SIGKILL')
  }
})
