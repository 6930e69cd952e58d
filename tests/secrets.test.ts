/** Secrets beside the sources get into no image, no package and no commit. */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { packageRoot } from '../src/installation.ts'

// CommonJS that says it were an ES module.
const dockerignore = createRequire(import.meta.url)('@balena/dockerignore') as () => {
  add(rules: string): { ignores(path: string): boolean }
}

const read = (name: string) => readFileSync(join(packageRoot, name), 'utf8')
const folders = [
  '',
  'deploy/docker/',
  'bin/',
  'dist/',
  'names/',
  'prisma/',
  'scripts/',
  'src/commands/',
  'templates/new-year-ru/',
]
/** In every folder a hasty operator may have put them. */
const secrets = folders.flatMap((folder) =>
  ['.env', '.env.local', '.env.production', '.npmrc', '.greetings/id', '.greetings/postgres/password'].map(
    (name) => `${folder}${name}`,
  ),
)
const needed = [
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'prisma.config.ts',
  'prisma/schema.prisma',
  'prisma/migrations/20261124000000_init/migration.sql',
  'scripts/generate-client.js',
  'src/cli.ts',
  'src/db/embedded/index.ts',
  'bin/greetings.js',
  'names/ru.csv',
  'templates/new-year-ru/template.json',
]

describe('.dockerignore, read as Docker reads it', () => {
  const ignored = (path: string) => dockerignore().add(read('.dockerignore')).ignores(path)

  it('keeps secrets, homes and installed packages out of the image, however deep they lie', () => {
    expect(secrets.filter((path) => !ignored(path))).toEqual([])
    const others = [
      'node_modules/pg/index.js',
      'src/node_modules/x/index.js',
      'templates/node_modules/x.js',
      'dist/cli.js',
      '.git/config',
      'tmp/faults/bot.log',
      'src/a.log',
      'src/db/generated/client.ts',
    ]
    expect(others.filter((path) => !ignored(path))).toEqual([])
  })

  it('keeps out what nobody thought of: backups, lists of children, keys', () => {
    expect(
      [
        'greetings.tar.gz',
        'cache.jsonl',
        'greetings.dump',
        'children.csv',
        'id_ed25519',
        'deploy/docker/tls.key',
        'recordings/new-year-ru/Маша.wav',
      ].filter((path) => !ignored(path)),
    ).toEqual([])
  })

  it('lets in what the image is built from', () => {
    expect(needed.filter(ignored)).toEqual([])
    const built = execFileSync(
      'git',
      ['ls-files', ...folders.filter((folder) => !['', 'deploy/docker/', 'dist/'].includes(folder))],
      { cwd: packageRoot, encoding: 'utf8' },
    )
      .trim()
      .split('\n')
    expect(built.length).toBeGreaterThan(50)
    expect(built.filter(ignored)).toEqual([])
  })
})

describe('beside secrets', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'greetings-secrets-'))
    for (const name of ['package.json', '.gitignore']) cpSync(join(packageRoot, name), join(folder, name))
    for (const path of [...secrets, ...needed.filter((name) => name !== 'package.json'), 'dist/cli.js']) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), '')
    }
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('npm packs none of them', () => {
    const [pack] = JSON.parse(
      execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
        cwd: folder,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }),
    ) as [{ files: { path: string }[] }]
    const packed = pack.files.map(({ path }) => path)
    expect(packed).toEqual(
      expect.arrayContaining([
        'bin/greetings.js',
        'dist/cli.js',
        'names/ru.csv',
        'package.json',
        'prisma/schema.prisma',
        'templates/new-year-ru/template.json',
      ]),
    )
    expect(packed.filter((path) => secrets.includes(path))).toEqual([])
  })

  it('git adds none of them', () => {
    const git = (...args: string[]) => execFileSync('git', args, { cwd: folder, encoding: 'utf8' })
    git('init', '-q')
    git('add', '-A')
    const added = git('ls-files').trim().split('\n')
    expect(added).toContain('src/cli.ts')
    expect(added.filter((path) => secrets.includes(path))).toEqual([])
  })
})
