/** `template list`, `check` and `build`, as a designer runs them. */
import { cp, mkdir, mkdtemp, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { jsonOf, runProgram } from '../environment/program.ts'

vi.setConfig({ testTimeout: 300_000 })

let folder: string
let templates: string
let env: Record<string, string>
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'greetings-templates-'))
  templates = join(folder, 'templates')
  await cp(join(import.meta.dirname, '..', 'fixtures', 'templates'), templates, { recursive: true })
  env = {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    GREETINGS_HOME: join(folder, 'home'),
    TEMPLATES: 'tiny',
    TEMPLATES_FOLDER: templates,
  }
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const template = (...args: string[]) => runProgram(['template', ...args], { env })

/** A copy of the tiny template under another id, its manifest changed. */
async function copy(
  id: string,
  change: (
    manifest: Record<string, unknown> & { windows: { to: number; capHeightPercent: { least: number } }[] },
  ) => void = () => undefined,
): Promise<string> {
  const own = join(templates, id)
  await cp(join(templates, 'tiny'), own, { recursive: true })
  const manifest = JSON.parse(await readFile(join(own, 'template.json'), 'utf8')) as Parameters<typeof change>[0]
  manifest.id = id
  change(manifest)
  await writeFile(join(own, 'template.json'), JSON.stringify(manifest))
  return own
}

/** A second of sound. */
function wav(sample: (at: number) => number): Buffer {
  const data = Buffer.alloc(16_000)
  for (let at = 0; at < 8_000; at++) data.writeInt16LE(Math.round(sample(at) * 20_000), at * 2)
  const header = Buffer.alloc(44)
  header.write('RIFF', 0)
  header.writeUInt32LE(36 + data.length, 4)
  header.write('WAVEfmt ', 8)
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(1, 20)
  header.writeUInt16LE(1, 22)
  header.writeUInt32LE(8_000, 24)
  header.writeUInt32LE(16_000, 28)
  header.writeUInt16LE(2, 32)
  header.writeUInt16LE(16, 34)
  header.write('data', 36)
  header.writeUInt32LE(data.length, 40)
  return Buffer.concat([header, data])
}

it('without a home: list and check make none', async () => {
  const list = await template('list')
  expect([list.code, list.stderr]).toEqual([0, ''])
  expect(list.stdout).toMatch(/^\* tiny {2}4 s, 64×64, Cyrillic and Latin: Tiny\n/)
  const check = await template('check')
  expect([check.code, check.stdout, check.stderr]).toEqual([0, '✓ tiny\n', ''])
  await expect(stat(join(folder, 'home'))).rejects.toThrow('ENOENT')
})

it('check names every fault with its file and key, and recordings that serve no name', async () => {
  await copy('long', (manifest) => {
    for (const window of manifest.windows) window.to = 25
  })
  await copy('narrow', (manifest) => {
    for (const window of manifest.windows) window.capHeightPercent.least = 20
  })
  await truncate(join(await copy('torn'), 'clip.mp4'), 1_000)
  const recordings = join(folder, 'home', 'recordings', 'tiny')
  await mkdir(recordings, { recursive: true })
  await writeFile(join(recordings, 'notes.txt'), '')
  await writeFile(
    join(recordings, 'Маша.wav'),
    wav((at) => Math.sin(at / 20)),
  )
  await writeFile(join(recordings, 'Петя.wav'), '')
  await writeFile(join(recordings, 'Оля.mp3'), 'no sound at all')
  await writeFile(
    join(recordings, 'Ира.wav'),
    wav(() => 0),
  )
  const end = await template('check')
  expect([end.code, end.stderr]).toEqual([1, ''])
  expect(end.stdout).toContain("long/template.json: windows[0].to: 25 s is beyond the clip's 4 s")
  expect(end.stdout).toContain(
    'narrow/template.json: windows[0].box: a name of 40 letters (longestName) does not fit at the least size in Caveat_700Bold.ttf',
  )
  expect(end.stdout).toMatch(/templates\/torn: clip\.mp4: is no readable MP4 file/)
  expect(end.stdout).toContain('✓ tiny, with 1 recording\n  ! recordings/tiny/notes.txt: is no sound file')
  expect(end.stdout).toContain('! recordings/tiny/Петя.wav: The recording of this name cannot be read as sound.')
  expect(end.stdout).toContain('! recordings/tiny/Оля.mp3: The recording of this name cannot be read as sound.')
  expect(end.stdout).toContain('! recordings/tiny/Ира.wav: The recording of this name is silent.')
  const report = jsonOf(await template('check', 'tiny', 'long', '--json')) as {
    healthy: boolean
    templates: { id: string; faults: string[]; recordings: number }[]
  }
  expect(report).toMatchObject({
    healthy: false,
    templates: [
      { id: 'tiny', faults: [], recordings: 1 },
      { id: 'long', recordings: 0 },
    ],
  })
  const unknown = await template('check', 'summer')
  expect([unknown.code, unknown.stdout]).toEqual([2, ''])
  expect(unknown.stderr).toBe('There is no template summer. There are: long, narrow, tiny, torn.\n')
})

it('check and render refuse a clip or music that would have ffmpeg read other files of the host', async () => {
  const secret = join(templates, 'tiny', 'clip.mp4')
  await writeFile(
    join(await copy('listed'), 'music.flac'),
    `#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n${secret}\n#EXT-X-ENDLIST\n`,
  )
  const linked = await copy('linked')
  await rm(join(linked, 'clip.mp4'))
  await symlink(secret, join(linked, 'clip.mp4'))
  const end = await template('check', 'listed', 'linked')
  expect([end.code, end.stderr]).toEqual([1, ''])
  expect(end.stdout).toContain('listed/template.json: music: music.flac is in no format that is read (MP4, ')
  expect(end.stdout).toContain("linked/template.json: clip: clip.mp4 is a link to a file outside the template's folder")
  const video = join(folder, 'masha.mp4')
  const render = await runProgram(['render', 'Маша', '-o', video], { env: { ...env, TEMPLATES: 'listed' } })
  expect([render.code, render.stdout]).toEqual([2, ''])
  expect(render.stderr).toContain('music.flac is in no format that is read')
  await expect(stat(video)).rejects.toThrow('ENOENT')
  for (const id of ['listed', 'linked']) await rm(join(templates, id), { recursive: true })
})

it('build makes what the videos share, finds it made the second time, and does not begin with a faulty template', async () => {
  const first = jsonOf(await template('build', '--json')) as { templates: { id: string; bytes: number }[] }
  expect(first.templates).toMatchObject([{ id: 'tiny', bytes: expect.any(Number) as number }])
  const parts = join(folder, 'home', 'cache', 'parts')
  const made = (await stat(parts)).mtimeMs
  const second = await template('build')
  expect(second.code, second.stderr).toBe(0)
  expect(second.stdout).toMatch(/^tiny: ready, \d+ MB in the cache, [\d.]+ s\n$/)
  expect((await stat(parts)).mtimeMs).toBe(made)
  const torn = await template('build', 'torn')
  expect([torn.code, torn.stdout]).toEqual([2, ''])
  expect(torn.stderr).toMatch(/is no readable MP4 file/)
})
