import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { fixedFrames, TemplateFault, templateFor, typefaceFor } from '../../src/video/template.ts'
import { listTemplateIds, loadTemplates, templateRevision } from '../../src/video/load-templates.ts'
import type { Manifest } from '../../src/video/template.ts'
import { changedTemplate, temporaryFolder, tinyTemplates } from './tiny.ts'

async function faultsOf(change: (manifest: Manifest) => void): Promise<string[]> {
  const folder = changedTemplate(change)
  const error = await loadTemplates(folder, ['tiny']).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(TemplateFault)
  return (error as TemplateFault).faults.map((fault) => fault.replace(`${folder}/`, ''))
}

const window = (manifest: Manifest) => manifest.windows[0] as Manifest['windows'][number]

describe('a template', () => {
  test('is read in the order asked for, each once', async () => {
    const templates = await loadTemplates(tinyTemplates, ['tiny', 'tiny'])
    expect(templates.map(({ id }) => id)).toEqual(['tiny'])
    expect(templates[0]?.clipFile).toBe(join(tinyTemplates, 'tiny', 'clip.mp4'))
  })

  test('is found for a script, the first that serves it', async () => {
    const [tiny] = await loadTemplates(tinyTemplates, ['tiny'])
    if (tiny === undefined) throw new Error('no template')
    const cyrillic = { ...tiny, id: 'first', scripts: ['Cyrillic'] }
    expect(templateFor([cyrillic, tiny], { key: 'маша', script: 'Cyrillic', display: 'Маша' })?.id).toBe('first')
    expect(templateFor([cyrillic, tiny], { key: 'zoë', script: 'Latin', display: 'Zoë' })?.id).toBe('tiny')
    expect(templateFor([cyrillic, tiny], { key: 'маша', script: 'Thai', display: 'Маша' })).toBeUndefined()
  })

  test('that is not there is named, with those that are', async () => {
    await expect(loadTemplates(tinyTemplates, ['nowhere'])).rejects.toThrow(
      /There is no template "nowhere" in .*templates\. There are: tiny\./,
    )
    await expect(loadTemplates(temporaryFolder(), ['nowhere'])).rejects.toThrow('It holds no template at all.')
    await expect(loadTemplates(tinyTemplates, [])).rejects.toThrow('No template is enabled.')
  })

  test('lists the folders with a manifest only', async () => {
    const folder = changedTemplate(() => undefined)
    mkdirSync(join(folder, 'empty'))
    writeFileSync(join(folder, 'README.md'), '')
    expect(await listTemplateIds(folder)).toEqual(['tiny'])
  })

  test.each<[string, (manifest: Manifest) => void]>([
    ["tiny/template.json: windows[0].to: 25 s is beyond the clip's 4 s", (manifest) => void (window(manifest).to = 25)],
    [
      'tiny/template.json: windows[0].from: 1.05 s is no whole number of frames at 10 fps',
      (manifest) => void (window(manifest).from = 1.05),
    ],
    [
      "tiny/template.json: windows[0]: entrance and exit take longer than the window's 0.4 s",
      (manifest) => void (window(manifest).entrance.seconds = 0.35),
    ],
    [
      "tiny/template.json: windows[0].box: ends at x = 68, beyond the frame's width of 64",
      (manifest) => void (window(manifest).box.x = 12),
    ],
    [
      'tiny/template.json: windows[0].box.x: 3 is odd; it must be even, for colour is stored at half the size',
      (manifest) => void (window(manifest).box.x = 3),
    ],
    [
      'tiny/template.json: windows[1].from: 1.2 s lies before the end of the window before it, 1.4 s',
      (manifest) => void manifest.windows.push({ ...window(manifest), from: 1.2, to: 1.8 }),
    ],
    [
      'tiny/template.json: longestName: Too big: expected number to be <=40',
      (manifest) => void (manifest.longestName = 41),
    ],
    [
      'tiny/template.json: posterSeconds: 3 s is no moment at which a window shows the whole name',
      (manifest) => void (manifest.posterSeconds = 3),
    ],
    [
      "tiny/template.json: speech[0].at: 4 s is beyond the clip's 4 s",
      (manifest) => manifest.speech.forEach((one) => (one.at = 4)),
    ],
    ['tiny/template.json: id: "other" is not the folder\'s name "tiny"', (manifest) => void (manifest.id = 'other')],
    [
      'tiny/template.json: clip: there is no file other.mp4 beside it',
      (manifest) => void (manifest.clip = 'other.mp4'),
    ],
    [
      "tiny/template.json: clip: must be the name of a file in the template's folder",
      (manifest) => void (manifest.clip = '../clip.mp4'),
    ],
    [
      "tiny/template.json: windows[0].typefaces[0]: nowhere.ttf: there is no such file in an installed package or in the template's folder",
      (manifest) => void (window(manifest).typefaces = ['nowhere.ttf']),
    ],
    [
      'tiny/template.json: windows[0].colours.ink: must be a colour, such as "#fff4d6"',
      (manifest) => void (window(manifest).colours.ink = 'white'),
    ],
    [
      'tiny/template.json: speech[0].text: must contain {name} once',
      (manifest) => manifest.speech.forEach((one) => (one.text = 'С Новым годом!')),
    ],
    ['tiny/template.json: Unrecognized key: "colour"', (manifest) => void Object.assign(manifest, { colour: 'red' })],
  ])('says what is wrong: %s', async (message, change) => {
    expect(await faultsOf(change)).toContain(message)
  })

  test('reports every fault of every template at once', async () => {
    const folder = changedTemplate((manifest) => {
      window(manifest).to = 25
      manifest.music = 'other.flac'
    })
    const error: unknown = await loadTemplates(folder, ['tiny', 'nowhere']).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    expect((error as TemplateFault).faults).toHaveLength(3)
  })

  test('that is no JSON is said to be none', async () => {
    const folder = changedTemplate(() => undefined)
    writeFileSync(join(folder, 'tiny', 'template.json'), '{')
    await expect(loadTemplates(folder, ['tiny'])).rejects.toThrow('tiny/template.json: is not JSON')
    rmSync(join(folder, 'tiny', 'template.json'))
    await expect(loadTemplates(folder, ['tiny'])).rejects.toThrow('There is no template "tiny"')
  })

  test('has another revision when any of its files changes', async () => {
    const folder = changedTemplate(() => undefined)
    const revision = async () => templateRevision((await loadTemplates(folder, ['tiny']))[0] as never)
    const first = await revision()
    expect(await revision()).toBe(first)
    appendFileSync(join(folder, 'tiny', 'music.flac'), 'other')
    expect(await revision()).not.toBe(first)
    const moved = changedTemplate((manifest) => void (manifest.posterSeconds = 1.25))
    expect(await templateRevision((await loadTemplates(moved, ['tiny']))[0] as never)).not.toBe(first)
  })

  test('knows its fixed stretches, with several windows and one at the very start', async () => {
    const folder = changedTemplate((manifest) => {
      const first = window(manifest)
      manifest.windows = [{ ...first, from: 0, to: 0.5 }, first, { ...first, from: 1.4, to: 2 }]
    })
    const [template] = await loadTemplates(folder, ['tiny'])
    expect(fixedFrames(template as never)).toEqual([
      { start: 5, end: 10 },
      { start: 20, end: 40 },
    ])
  })
})

describe('the typeface of a name', () => {
  test.each([
    'Щербаківна',
    'Ёлка',
    'Şerife',
    'Łucja',
    'Zoë',
    "O'Connor",
    'Анна-Мария',
    'Әсел',
    'Гүлнар',
    'Җәмилә',
    'Ўладзімір',
    'Ђорђе',
    'Nguyễn',
  ])("%s can be set in one of the tiny template's", async (name) => {
    const [template] = await loadTemplates(tinyTemplates, ['tiny'])
    expect(typefaceFor(template as never, 0, name)).toBeDefined()
  })

  test('is the first that has every character', async () => {
    const [template] = await loadTemplates(tinyTemplates, ['tiny'])
    expect(typefaceFor(template as never, 0, 'Маша')).toMatch(/Caveat_700Bold\.ttf$/)
    expect(typefaceFor(template as never, 0, 'Nguyễn')).toMatch(/Pacifico_400Regular\.ttf$/)
  })

  test.each(['สมชาย', '太郎', 'محمد', 'Γιώργος', '😀'])(
    'is missing for %s, which must never become boxes',
    async (name) => {
      const [template] = await loadTemplates(tinyTemplates, ['tiny'])
      expect(typefaceFor(template as never, 0, name)).toBeUndefined()
      expect(templateFor([template as never], { key: name, script: 'Cyrillic', display: name })).toBeUndefined()
    },
  )
})
