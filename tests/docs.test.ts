/** The documents: their links lead somewhere, what is generated is fresh, and the commands they show exist. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { CommanderError, type Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { blockOf, blocksOf, withBlock } from '../scripts/docs/blocks.ts'
import { freshDocuments } from '../scripts/docs/documents.ts'
import { proofsOf, propertiesOf, titles } from '../scripts/docs/properties.ts'
import { variablesTable } from '../scripts/docs/variables.ts'
import { commandTable } from '../src/command-table/index.ts'
import { packageRoot } from '../src/installation.ts'
import { environment } from '../src/variables.ts'

const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '*.md'], {
  cwd: packageRoot,
  encoding: 'utf8',
})
  .split('\0')
  .filter((file) => file !== '' && existsSync(join(packageRoot, file)))
const textOf = (file: string) => readFileSync(join(packageRoot, file), 'utf8')
const withoutCode = (text: string) => text.replace(/```[\s\S]*?```|`[^`\n]*`/g, '')

/** The anchors of a file, as GitHub makes them of headings. */
function anchorsOf(file: string): string[] {
  return [
    ...textOf(file)
      .replace(/```[\s\S]*?```/g, '')
      .matchAll(/^#+ (.*)$/gm),
  ].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  )
}

describe('links', () => {
  it.each(files)('%s: each leads to a file or heading that is there', (file) => {
    const broken = [...withoutCode(textOf(file)).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = '']) => target)
      .filter((target) => !/^(https?|mailto):/.test(target))
      .filter((target) => {
        const [path = '', anchor] = target.split('#')
        const to = path === '' ? file : relative(packageRoot, join(packageRoot, dirname(file), path))
        if (to.startsWith('..') || !existsSync(join(packageRoot, to))) return true
        return anchor !== undefined && !anchorsOf(to).includes(anchor)
      })
    expect(broken).toEqual([])
  })

  it('the README leads to every document', () => {
    const linked = [...textOf('README.md').matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, target]) => target)
    expect(files.filter((file) => file.startsWith('docs/') && !linked.includes(file))).toEqual([])
  })
})

describe('paths', () => {
  it.each(files.filter((file) => file !== 'CHANGELOG.md'))('%s: each file and folder it names is there', (file) => {
    const named = [...textOf(file).matchAll(/`((?:src|scripts|tests|docs|names|templates|bin|prisma)\/[^`\s<*]*)`/g)]
    expect(named.map(([, path = '']) => path).filter((path) => !existsSync(join(packageRoot, path)))).toEqual([])
  })

  it('docs/architecture.md names every folder of src, and no other', () => {
    const rows = [...textOf('docs/architecture.md').matchAll(/^\| `([\w./-]+)\/` \|/gm)].map(([, name]) => name)
    const folders = readdirSync(join(packageRoot, 'src'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
    expect(rows.sort()).toEqual(folders.sort())
  })
})

describe('the READMEs', () => {
  it.each(['README.md', 'README.ru.md'])('%s is short', (file) => {
    expect(textOf(file).split('\n').length).toBeLessThanOrEqual(150)
  })

  it('name the same commands, lead to the same places, and to each other', () => {
    const [english, russian] = ['README.md', 'README.ru.md'].map((file) => ({
      commands: [...textOf(file).matchAll(/\bgreetings [a-z][^`\n]*/g)].map(([command]) => command).sort(),
      targets: new Set([...textOf(file).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)),
      headings: [...textOf(file).matchAll(/^##? /gm)].length,
    }))
    expect(russian?.commands).toEqual(english?.commands)
    expect(russian?.headings).toBe(english?.headings)
    expect([...(english?.targets ?? [])].filter((target) => russian?.targets.has(target) !== true)).toEqual([
      'README.ru.md',
    ])
    expect(russian?.targets.has('README.md')).toBe(true)
  })
})

describe('what is generated', () => {
  it.each(freshDocuments().map((document) => [document.file, document] as const))(
    '%s is up to date: else run `npm run docs`',
    (_file, { text, fresh, blocks }) => {
      expect(text).toBe(fresh)
      expect(blocksOf(text).sort()).toEqual(blocks.sort())
    },
  )

  it('the properties are numbered without a gap, and a title names none that is not there', () => {
    const headings = [...textOf('docs/properties.md').matchAll(/^## (\d+)\. /gm)].map(([, number]) => Number(number))
    expect(headings).toEqual(headings.map((_number, n) => n + 1))
    const named = titles().flatMap(({ title }) => propertiesOf(title))
    expect(named.length).toBeGreaterThan(100)
    expect(named.filter((number) => !headings.includes(number))).toEqual([])
  })

  it('a property that no test proves is noticed, and a test that does not exist', () => {
    expect(() => proofsOf(99, '')).toThrow('No test proves property 99')
    expect(() => proofsOf(4, '- `tests/a.test.ts`: there is no such test')).toThrow('there is no such test')
  })

  it('a variable that does not say what it means is named', () => {
    expect(() => variablesTable({ ...environment.shape, COLOUR: z.string() })).toThrow('COLOUR has no .describe')
    expect(variablesTable({ COLOUR: z.string().describe('of the | night') })).toContain('`COLOUR` | | of the \\| night')
  })

  it('a block that is missing is named', () => {
    expect(() => blockOf('no block here', 'commands')).toThrow('<!-- generated: commands -->')
    expect(withBlock('<!-- generated: a -->\nold\n<!-- end -->\n', 'a', 'new')).toBe(
      '<!-- generated: a -->\nnew\n<!-- end -->\n',
    )
  })
})

// ---- commands --------------------------------------------------------------------------------------

/** What stands for a value in a document, and a value that parses. */
const placeholders: [RegExp, string][] = [
  [/(?<=\s)(\[HOST:\])?PORT\b/g, '9464'],
  [/(?<=\s)(N|LEVEL|SECONDS)\b/g, '1'],
  [/(?<=\s)(DURATION)\b/g, '1d'],
  [/(?<=\s)bash\|zsh\|fish/g, 'bash'],
]

/**
 * Every command line of ours in the documents, from after `greetings` to what belongs to the shell. Beside whole lines
 * the text has mentions, such as `verify --limit 5000`: they name a command and options, but not all that it needs.
 */
function documentedCommands(): { line: string; isMention: boolean }[] {
  const found = new Map<string, boolean>()
  const add = (words: string, isMention: boolean) => {
    const line = words.trim()
    found.set(line, (found.get(line) ?? true) && isMention)
  }
  const verbs = commandTable(() => undefined).commands.map((command) => command.name())
  for (const file of files) {
    if (file === 'CHANGELOG.md') continue // of earlier versions too
    const text = textOf(file).replace(/<!-- generated: [\s\S]*?<!-- end -->/g, '')
    for (const [, block, inline = ''] of text.matchAll(/```[a-z]*\n([\s\S]*?)```|`([^`\n]+)`/g)) {
      for (const line of (block ?? inline).split('\n')) {
        for (const [, words = ''] of line.matchAll(
          /(?:^|[|(] ?|\$ |npx |\/usr\/local\/bin\/|-u greetings |setsid |--collect )greetings ([a-z][^|<>&;)`#]*)/g,
        ))
          add(words, block === undefined && !/ [^a-z]/.test(words))
      }
      const [verb = ''] = inline.split(' ')
      if (verbs.includes(verb) && /^\S+( [a-z]+)?( -|$)/.test(inline)) add(inline.split('|')[0] ?? '', true)
    }
  }
  return [...found].map(([line, isMention]) => ({ line, isMention }))
}

/** Parses a line as the program would, and runs nothing. @throws what commander says against it */
async function parse(line: string): Promise<void> {
  const table = commandTable(() => undefined)
  const disarm = (command: Command) => {
    command.exitOverride().configureOutput({ writeErr: () => undefined, writeOut: () => undefined })
    if (command.commands.length === 0) command.action(() => undefined)
    command.commands.forEach(disarm)
  }
  disarm(table)
  const words = [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, one, two, three]) => one ?? two ?? three ?? '')
  await table.parseAsync(['node', 'greetings', ...words])
}

const needsMore = [
  'commander.missingArgument',
  'commander.missingMandatoryOptionValue',
  'commander.optionMissingArgument',
  'commander.help',
]

describe('commands', () => {
  it('there are many', () => expect(documentedCommands().length).toBeGreaterThan(80))

  it.each(documentedCommands().map(({ line, isMention }) => [line, isMention] as const))(
    'greetings %s',
    async (line, isMention) => {
      const filled = placeholders.reduce((text, [what, value]) => text.replaceAll(what, value), line)
      await parse(filled).catch((error: unknown) => {
        if (!isMention || !(error instanceof CommanderError) || !needsMore.includes(error.code)) throw error
      })
    },
  )

  it('a command or option that does not exist is noticed', async () => {
    await expect(parse('warn names.csv')).rejects.toThrow('unknown command')
    await expect(parse('warm names.csv --dryrun')).rejects.toThrow('unknown option')
    await expect(parse('render Маша')).rejects.toThrow('--output')
  })
})
