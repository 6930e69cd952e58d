/** A home on a disk that is small, and on one that another program fills and frees. Only root can make such a disk. */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  appendFile,
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  statfs,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tinyTemplates, made } from '../video/tiny.ts'
import { openTestEnvironment, until, type TestEnvironment } from '../environment/test-environment.ts'
import { jsonOf, runProgram, startProgram, type RunOptions } from '../environment/program.ts'

const nobody = 65_534
const mayMount = process.getuid?.() === 0 && process.platform === 'linux'
const megabyte = 1e6

let town: TestEnvironment
let folder: string
const disks: string[] = []
beforeAll(async () => {
  town = await openTestEnvironment()
  folder = await mkdtemp(join(tmpdir(), 'greetings-disk-'))
  // The owner of a home passes through.
  await chmod(folder, 0o711)
})
afterAll(async () => {
  await town.close()
  // Whatever may still run in it, the machine keeps no disk of ours.
  for (const disk of disks) spawnSync('umount', ['--lazy', disk])
  await rm(folder, { recursive: true, force: true })
})

async function newDisk(name: string, size: string): Promise<string> {
  const disk = join(folder, name)
  await mkdir(disk)
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=700`, 'tmpfs', disk])
  disks.push(disk)
  return disk
}

async function freeBytes(disk: string): Promise<number> {
  const { bavail, bsize } = await statfs(disk)
  return bavail * bsize
}

/** Another program fills the disk, or takes away what it put there, until so much is free. */
async function leaveFree(disk: string, bytes: number): Promise<void> {
  const file = join(disk, 'of-another-program')
  const tooMuch = (await freeBytes(disk)) - bytes
  if (tooMuch > 0) await appendFile(file, Buffer.alloc(tooMuch))
  else await truncate(file, (await stat(file)).size + tooMuch)
}

/** Small frames and little to draw, but videos of about 8 MB: noise, which nothing compresses. */
async function templateOfNoise(): Promise<string> {
  const templates = join(folder, 'templates')
  const own = join(templates, 'noise')
  await mkdir(own, { recursive: true })
  const tiny = JSON.parse(await readFile(join(tinyTemplates, 'tiny', 'template.json'), 'utf8')) as Record<
    string,
    unknown
  >
  const clip = await made(
    join(own, 'clip.mp4'),
    '-f',
    'lavfi',
    '-i',
    'color=gray:s=256x256:r=25:d=20,noise=alls=100:allf=t',
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-crf',
    '24',
    '-pix_fmt',
    'yuv420p',
  )
  const music = await made(join(own, 'music.flac'), '-f', 'lavfi', '-i', 'sine=d=21')
  await writeFile(
    join(own, 'template.json'),
    JSON.stringify({ ...tiny, id: 'noise', size: { width: 256, height: 256 }, fps: 25, seconds: 20 }),
  )
  for (const path of [templates, own]) await chmod(path, 0o755)
  for (const path of [clip, music, join(own, 'template.json')]) await chmod(path, 0o644)
  return templates
}

const twentyNames = Array.from('абвгдежзиклмнопрстуф', (letter) => `имя${letter}`)

describe.skipIf(!mayMount)(
  mayMount ? 'a home on a disk of its own' : 'a home on a disk of its own (skipped: only root can make one)',
  () => {
    it('that is small: all names of a list are made though not all files have room, and the database starts again', async () => {
      const home = await newDisk('small', '420m')
      // Of an ordinary user's, for root's database lies elsewhere.
      await chown(home, nobody, nobody)
      const { DATABASE_URL: _, ...ofTown } = town.env
      const env = {
        ...ofTown,
        GREETINGS_HOME: home,
        TEMPLATES: 'noise',
        TEMPLATES_FOLDER: await templateOfNoise(),
        RENDER_CONCURRENCY: '2',
      }
      const run = (args: string[], options: Partial<RunOptions> = {}) => runProgram(args, { env, ...options })
      expect(await run(['db', 'start'])).toMatchObject({ code: 0 })
      // 100 MB more than what has to stay free, for the parts of the
      // template, the log of the database and a few videos.
      await leaveFree(home, 250 * megabyte)
      let least = Infinity
      const watch = setInterval(() => void freeBytes(home).then((bytes) => (least = Math.min(least, bytes))), 20)
      const end = await run(['warm', '-', '--json', '--timeout', '90s'], { input: twentyNames.join('\n') })
      clearInterval(watch)
      expect(end.code, end.stderr).toBe(0)
      expect(jsonOf(end)).toMatchObject({ names: 20, made: 20, failed: 0 })
      const left = (await readdir(join(home, 'renders'))).filter((name) => name.endsWith('.mp4'))

      expect(left.length).toBeLessThan(20)
      // What two renders in hand may take is not kept back.
      expect(least).toBeGreaterThan(110 * megabyte)
      for (const verb of ['stop', 'start', 'stop']) expect(await run(['db', verb]), verb).toMatchObject({ code: 0 })
    })

    it('that another program fills: work rests, is named, and goes on by itself when there is room; nobody is forgotten', async () => {
      const home = await newDisk('filled', '200m')
      const env = { ...town.env, GREETINGS_HOME: home, KEEP_FREE_GB: '0.05' }
      await leaveFree(home, 40 * megabyte)
      const service = startProgram(['up'], { env })
      const { telegram, db } = town
      try {
        await service.waitForText(/up is running/)
        await telegram.say({ userId: 7, text: 'Маша', languageCode: 'ru' })
        const noted = await until(() => db.outage.findUnique({ where: { step: 'disk' } }), 'the outage')
        expect(noted.reason).toMatch(
          /^\S+: The disk of \S+renders is almost full: 50 MB must stay free \(KEEP_FREE_GB\)\. Rendering continues when 6\d MB are free: free up space/,
        )
        const status = await runProgram(['status'], { env })
        expect(status.stdout).toMatch(/outage +disk: .*KEEP_FREE_GB/)
        const doctor = jsonOf(await runProgram(['doctor', '--json'], { env })) as { checks: { name: string }[] }
        expect(doctor.checks.find(({ name }) => name === 'disk')).toMatchObject({
          state: 'failure',
          message: expect.stringMatching(
            /0\.04 GB free.* 0\.05 GB have to stay free .*KEEP_FREE_GB.*make room/,
          ) as string,
        })

        // A little more than the reserve is not enough.
        await leaveFree(home, 55 * megabyte)
        const tries = async () => (await db.outage.findUnique({ where: { step: 'disk' } }))?.until.getTime() ?? 0
        for (let n = 0, before = await tries(); n < 2; n++)
          before = await until(async () => (await tries()) > before && tries(), 'another try')
        expect(await db.videoAsset.findMany()).toMatchObject([{ status: 'PENDING', attempts: 0, errorClass: 'disk' }])
        expect(await db.userRequest.findMany()).toMatchObject([{ status: 'PENDING' }])

        await leaveFree(home, 100 * megabyte)
        await until(() => db.userRequest.findFirst({ where: { userId: 7, status: 'COMPLETED' } }), 'the video')
        await until(async () => (await db.outage.count()) === 0, 'the end of the outage')
        expect(await db.videoAsset.findMany()).toMatchObject([{ status: 'AVAILABLE', attempts: 0 }])
        expect((await telegram.messages(7)).filter(({ video }) => video !== undefined)).toHaveLength(1)
      } finally {
        service.signal('SIGTERM')
        expect((await service.ended).code).toBe(0)
      }
    })
  },
)
