/**
 * Which folder of `src` may import which: arrows point down only.
 *
 *   bin → cli → commands → { bot, queue/processors } → { greetings, telegram, video → speech → audio }
 *       → { queue/index, db, names, ffmpeg, config }
 *
 * And which outside library belongs to one file. Used by the linter, in two rules: of several settings of one
 * rule only the last counts for a file, so directions and owners must not share one.
 */
import ts from 'typescript-eslint'

/**
 * What each folder of `src` imports, and what a file does that lies in none: nothing else, and all of it. Types count,
 * and what is loaded only when it is needed. A test compares this with the sources.
 */
export const imports = {
  // from the command line down to the two consumers
  'cli.ts': 'command-table config.ts env-file.ts home-owner.ts log.ts terminal',
  'command-table': 'commands http installation.ts',
  commands:
    'app bot config.ts dashboard db disk.ts errors.ts ffmpeg greetings home.ts http installation.ts log.ts names queue queue/processors replacing.ts sandbox shared.ts speech telegram terminal texts.ts understanding video',
  app: 'config.ts db greetings home.ts log.ts queue queue/processors sandbox speech telegram terminal video',
  terminal: 'child-environment.ts config.ts db greetings names video',
  bot: 'config.ts db errors.ts events.ts greetings http names telegram texts.ts understanding',
  'queue/processors': 'config.ts db errors.ts events.ts greetings queue telegram video',
  // what only looks
  dashboard: 'browser-files.ts config.ts db greetings http names queue shared.ts telegram',
  http: 'db metrics.ts queue shared.ts',
  'metrics.ts': 'db events.ts greetings queue shared.ts',
  // the domain
  telegram: 'config.ts db errors.ts events.ts greetings names queue texts.ts',
  greetings: 'config.ts db errors.ts events.ts names process-start.ts queue',
  // the engine
  video: 'audio config.ts disk.ts errors.ts ffmpeg installation.ts names resident-process.ts speech',
  speech: 'audio child-environment.ts config.ts errors.ts ffmpeg names process-group.ts resident-process.ts',
  audio: '',
  ffmpeg: 'child-environment.ts process-group.ts',
  // what is below all of them
  queue: 'db',
  db: 'child-environment.ts disk.ts home.ts installation.ts numbered-lock.ts path-trust.ts process-start.ts',
  names: 'installation.ts replacing.ts',
  understanding: 'installation.ts names',
  sandbox: 'browser-files.ts child-environment.ts installation.ts numbered-lock.ts',
  'config.ts': 'variables.ts',
  'env-file.ts': 'config.ts home.ts',
  'home-owner.ts': 'config.ts home.ts installation.ts path-trust.ts',
  'home.ts': 'installation.ts path-trust.ts',
  'numbered-lock.ts': 'process-start.ts',
  'process-start.ts': 'child-environment.ts',
  'resident-process.ts': 'child-environment.ts installation.ts process-group.ts',
}

/** Each entry names what the files may NOT import. No file may be in two entries. */
const directions = [
  // the leaves
  {
    files: ['src/browser-files.ts', 'src/child-environment.ts', 'src/config.ts', 'src/variables.ts'],
    forbid: ['./**', '../**'],
    except: allowed('config.ts', './'),
    why: 'imports nothing of ours',
  },
  { files: ['src/names/**'], forbid: ['../**'], except: allowed('names'), why: 'names import nothing of ours' },
  {
    files: ['src/understanding/**'],
    forbid: ['../**'],
    except: allowed('understanding'),
    why: 'understanding knows names, and nothing else',
  },
  { files: ['src/*/browser/**'], forbid: ['../**'], why: 'a browser gets nothing but this folder' },
  {
    files: ['src/sandbox/*.ts'],
    forbid: ['../**'],
    except: allowed('sandbox'),
    why: 'the sandbox imports nothing of ours but what starts programs',
  },
  {
    files: ['src/sandbox/*/**'],
    ignores: ['src/sandbox/browser/**'],
    forbid: ['../../**'],
    except: allowed('sandbox', '../../'),
    why: 'the sandbox imports nothing of ours but what starts programs',
  },
  {
    files: ['src/db/**', 'src/queue/*.ts'],
    forbid: dirs(
      'app',
      'terminal',
      'commands',
      'bot',
      'queue/processors',
      'processors',
      'greetings',
      'speech',
      'video',
      'telegram',
      'sandbox',
    ),
    why: 'db and queue lie at the bottom',
  },
  // the ground floor: what all folders need
  {
    files: ['src/errors.ts', 'src/events.ts', 'src/process-group.ts', 'src/shared.ts', 'src/texts.ts'],
    forbid: ['./**', '../**'],
    why: 'the ground does not know who calls it',
  },
  ...['env-file.ts', 'home-owner.ts', 'home.ts', 'numbered-lock.ts', 'process-start.ts', 'resident-process.ts'].map(
    (file) => ({
      files: [`src/${file}`],
      forbid: ['./**'],
      except: allowed(file, './'),
      why: 'the ground does not know who calls it',
    }),
  ),
  {
    files: ['src/ffmpeg/**'],
    forbid: ['../**'],
    except: allowed('ffmpeg'),
    why: 'ffmpeg lies on the ground and imports nothing of ours but how programs are started and ended',
  },
  // the engine: video → speech → audio, each of them on the ground
  { files: ['src/audio/**'], forbid: ['../**'], why: 'audio imports nothing of ours: it is arithmetic' },
  {
    files: ['src/speech/**'],
    forbid: ['../**'],
    except: allowed('speech'),
    why: 'speech knows neither video nor who calls it',
  },
  {
    files: ['src/video/drawing/**'],
    forbid: ['../../**'],
    why: 'drawing knows nothing but the template, and not who calls it',
  },
  {
    files: ['src/video/*.ts'],
    forbid: ['../**'],
    except: allowed('video'),
    why: 'video renders names and does not know who calls it',
  },
  // the domain
  {
    files: ['src/greetings/**', 'src/telegram/**'],
    forbid: dirs(
      'app',
      'terminal',
      'commands',
      'bot',
      'queue/processors',
      'sandbox',
      'dashboard',
      'http',
      'metrics.ts',
    ),
    why: 'the domain does not know who calls it',
  },
  // what shows and counts, and only reads
  {
    files: ['src/metrics.ts', 'src/http/**', 'src/dashboard/**'],
    ignores: ['src/dashboard/browser/**'],
    forbid: dirs('app', 'terminal', 'commands', 'bot', 'sandbox', 'video', 'speech', 'telegram'),
    except: ['../telegram/uploads.ts'],
    why: 'it only looks at the state',
  },
  // the two consumers
  {
    files: ['src/bot/**'],
    forbid: dirs(
      'app',
      'terminal',
      'commands',
      'queue/processors',
      'video',
      'speech',
      'sandbox',
      'dashboard',
      'http',
      'metrics.ts',
    ),
    except: ['../http/address.ts'],
    why: 'the bot renders nothing',
  },
  {
    files: ['src/queue/processors/**'],
    forbid: dirs('app', 'terminal', 'commands', 'bot', 'sandbox', 'dashboard', 'http', 'metrics.ts'),
    why: 'the worker does not know the bot',
  },
]

/** What the table says that a folder or file imports, as seen from it: `up` leads to `src`. */
function allowed(room, up = '../') {
  const others = imports[room].split(' ').filter((name) => name !== '')
  return others.flatMap((name) => (name.endsWith('.ts') ? [up + name] : [up + name, `${up}${name}/**`]))
}

function dirs(...folders) {
  return ['cli.ts', 'command-table/**', ...folders.map((name) => (name.endsWith('.ts') ? name : `${name}/**`))].flatMap(
    (path) => [`./${path}`, `../${path}`, `../../${path}`],
  )
}

/** Outside libraries, each with the only file or folder of `src` that imports it. */
const owners = {
  bullmq: 'src/queue/*.ts',
  ioredis: 'src/queue/*.ts',
  'fluent-ffmpeg': 'src/ffmpeg/command.ts',
  commander: 'src/command-table/**',
  'csv-parse': 'src/names/csv.ts',
  '@fluent/bundle': 'src/texts.ts',
  'prom-client': 'src/metrics.ts',
  express: 'src/dashboard/queue-board.ts',
  '@bull-board/api': 'src/dashboard/queue-board.ts',
  '@bull-board/express': 'src/dashboard/queue-board.ts',
}

/** Forbids the libraries that `file` does not own; all of them without one. */
function othersLibraries(file) {
  const others = Object.entries(owners).filter(([, owner]) => owner !== file)
  return {
    '@typescript-eslint/no-restricted-imports': [
      'error',
      {
        paths: others.map(([name, owner]) => ({ name, message: `only ${owner} uses ${name}` })),
        patterns: others.map(([name, owner]) => ({ group: [`${name}/*`], message: `only ${owner} uses ${name}` })),
      },
    ],
  }
}

export const importDirections = [
  ...directions.map(({ files, ignores = [], forbid, except = [], why }) => ({
    files,
    ignores,
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [{ group: [...forbid, ...except.map((path) => `!${path}`)], message: why }] },
      ],
    },
  })),
  { files: ['src/**/*.ts'], plugins: { '@typescript-eslint': ts.plugin }, rules: othersLibraries(undefined) },
  ...[...new Set(Object.values(owners))].map((file) => ({ files: [file], rules: othersLibraries(file) })),
]
