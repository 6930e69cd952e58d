import { describe, expect, it } from 'vitest'
import { ConfigFault, readConfig } from '../src/config.ts'

function faultsOf(env: Record<string, string>): string[] {
  try {
    readConfig(env)
  } catch (error) {
    if (error instanceof ConfigFault) return error.faults
    throw error
  }
  return []
}

/** Every variable that can be wrong, with a value that is. */
const wrong: Record<string, string> = {
  TELEGRAM_BOT_TOKEN: 'hunter2-token',
  TELEGRAM_API_ROOT: 'ftp://user:hunter2@api',
  TELEGRAM_API_LOCAL: 'yes',
  STORAGE_CHAT_IDS: '-100123,@channel',
  DATABASE_URL: 'mysql://user:hunter2@host/db',
  REDIS_URL: 'host:hunter2',
  TEMPLATES: 'new-year-ru,../../etc',
  TTS: 'festival',
  TTS_URL: 'localhost/hunter2',
  RENDER_CONCURRENCY: '0',
  ADMIN_IDS: 'me',
  WEBHOOK_URL: 'gopher://hunter2',
  WEBHOOK_SECRET: 'hunter2 with blanks',
  PORT: '70000',
  DASHBOARD_PASSWORD: 'hunter2',
  LOG_LEVEL: 'loud',
  STOP_SECONDS: '1.5',
  CHANNEL_RATE: 'fast',
  TIME_DIVISOR: '0',
}

describe('readConfig', () => {
  it('reports every fault at once, each with its variable and a remedy', () => {
    const faults = faultsOf(wrong)
    expect(faults.map((fault) => fault.split(' ')[0]).sort()).toEqual(Object.keys(wrong).sort())
    for (const fault of faults) expect(fault).toMatch(/^[A-Z_]+ .*\. Correct it, or unset it for the default\.$/)
  })

  it('tells no secret, whatever is wrong with it', () => {
    expect(faultsOf({ ...wrong, TTS_API_KEY: 'hunter2' }).join('\n')).not.toContain('hunter2')
  })

  it.each(Object.entries(wrong))('%s alone', (name, value) => {
    const faults = faultsOf({ [name]: value })
    expect(faults).toHaveLength(1)
    expect(faults[0]).toMatch(new RegExp(`^${name} (is|does|must|holds)`))
  })

  it('misses what a voice needs, together with everything else', () => {
    expect(faultsOf({ TTS: 'http' })).toEqual([expect.stringMatching(/^TTS_URL is missing/)])
    expect(faultsOf({ TTS: 'piper' })).toEqual([expect.stringMatching(/^PIPER_MODEL is missing/)])
    expect(faultsOf({ TTS: 'http', PORT: 'x' })).toHaveLength(2)
  })

  it('misses the server that local mode is a mode of', () => {
    expect(faultsOf({ TELEGRAM_API_LOCAL: '1' })).toEqual([
      expect.stringMatching(/^TELEGRAM_API_ROOT is missing\. TELEGRAM_API_LOCAL=1 needs/),
    ])
    expect(faultsOf({ TELEGRAM_API_LOCAL: ' 1 ', TELEGRAM_API_ROOT: ' ' })).toHaveLength(1)
    expect(faultsOf({ TELEGRAM_API_LOCAL: '0' })).toEqual([])
    const root = 'http://127.0.0.1:8081'
    expect(
      [undefined, '', '0', '1', ' 1 '].map(
        (local) => readConfig({ TELEGRAM_API_ROOT: root, TELEGRAM_API_LOCAL: local }).apiLocal,
      ),
    ).toEqual([false, false, false, true, true])
  })

  it('needs nothing', () => {
    expect(readConfig({})).toMatchObject({
      token: undefined,
      storageChatIds: [],
      databaseUrl: undefined,
      templates: ['new-year-ru', 'new-year-en'],
      port: 8080,
      logLevel: 'info',
      stopMs: 8_000,
      timeDivisor: 1,
      adminIds: [],
      webhook: undefined,
    })
  })

  it('takes blank for absent, as in a filled-in .env template', () => {
    const blank = Object.fromEntries(
      [...Object.keys(wrong), 'GREETINGS_HOME', 'FFMPEG_PATH'].map((name) => [name, ' ']),
    )
    expect(readConfig(blank)).toEqual(readConfig({}))
  })

  it('reads what is given, in our units', () => {
    const config = readConfig({
      TELEGRAM_BOT_TOKEN: '123456:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
      TELEGRAM_API_ROOT: 'http://127.0.0.1:8081//',
      STORAGE_CHAT_IDS: ' -1001, -1002 ,',
      ADMIN_IDS: '7,8',
      WEBHOOK_URL: 'https://example.org/hook',
      STOP_SECONDS: '2',
      CHANNEL_RATE: '30',
      TIME_DIVISOR: '50',
      TEMPLATES: 'b, a',
    })
    expect(config).toMatchObject({
      apiRoot: 'http://127.0.0.1:8081',
      storageChatIds: ['-1001', '-1002'],
      adminIds: ['7', '8'],
      webhook: { url: 'https://example.org/hook', secret: undefined },
      stopMs: 2_000,
      channelRatePerMinute: 30,
      templates: ['b', 'a'],
    })
    expect(config.times.reconcileMs).toBe(200)
  })
})
