/**
 * Which folder of `src` may import which: arrows point down only.
 *
 *   bin → cli → commands → { bot, queue/processors } → { greetings, speech, video, telegram }
 *       → { queue/index, db, names, config }
 *
 * Used by the linter. Each entry names what the files may NOT import.
 */
const directions = [
  // the leaves
  { files: ['src/names/**', 'src/config.ts', 'src/video/ffmpeg.ts'], forbid: ['../**', './[!.]*/**', '#**'], except: ['./**'], why: 'imports nothing of ours' },
  { files: ['src/sandbox/**'], forbid: ['../**'], except: ['../config.ts', '../installation.ts'], why: 'the sandbox imports nothing of ours but the configuration' },
  { files: ['src/db/**', 'src/queue/index.ts'], forbid: dirs('commands', 'bot', 'queue/processors', 'greetings', 'speech', 'video', 'telegram', 'sandbox'), why: 'db and queue lie at the bottom' },
  // the domain
  { files: ['src/greetings/**', 'src/speech/**', 'src/video/**', 'src/telegram/**'], forbid: dirs('commands', 'bot', 'queue/processors', 'sandbox'), why: 'the domain does not know who calls it' },
  // the two consumers
  { files: ['src/bot/**'], forbid: dirs('commands', 'queue/processors', 'video', 'speech', 'sandbox'), why: 'the bot renders nothing' },
  { files: ['src/queue/processors/**'], forbid: dirs('commands', 'bot', 'sandbox'), why: 'the worker does not know the bot' },
]

function dirs(...folders) {
  return folders.flatMap((folder) => [`../${folder}/**`, `../../${folder}/**`, `./${folder}/**`])
}

/** Outside libraries that one file owns. */
const owners = [
  { name: 'bullmq', owner: ['src/queue/index.ts'] },
  { name: 'ioredis', owner: ['src/queue/index.ts'] },
  { name: 'fluent-ffmpeg', owner: ['src/video/ffmpeg.ts'] },
  { name: 'commander', owner: ['src/cli.ts'] },
  { name: 'csv-parse', owner: ['src/names/csv.ts'] },
]

const covers = (pattern, file) => (pattern.endsWith('/**') ? file.startsWith(pattern.slice(0, -2)) : pattern === file)

export const importDirections = [
  ...directions.map(({ files, forbid, except = [], why }) => ({
    files,
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            { group: [...forbid, ...except.map((path) => `!${path}`)], message: why },
            ...owners.filter(({ owner }) => !files.some((pattern) => owner.some((file) => covers(pattern, file)))).map(({ name, owner }) => ({ group: [name, `${name}/*`], message: `only ${owner.join(', ')} uses ${name}`, allowTypeImports: false })),
          ],
        },
      ],
    },
  })),
]
