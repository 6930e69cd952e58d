import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import type { Config } from '../../src/config.ts'
import { AssetFault, Outage } from '../../src/errors.ts'
import { openSpeaker } from '../../src/speech/speaker.ts'
import type { Speaker } from '../../src/speech/speaker.ts'
import { wav } from '../audio/wav.ts'

const folder = mkdtempSync(join(tmpdir(), 'greetings-speech-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const none: Config['voice'] = {
  engine: 'espeak',
  voice: undefined,
  url: undefined,
  apiKey: undefined,
  model: undefined,
  piperPath: undefined,
  piperModel: undefined,
}
const free = () => new AbortController().signal
const name = (display: string, say: string | null = null) => ({ display, say })

let speaker: Speaker | undefined
afterEach(async () => {
  await speaker?.close()
  speaker = undefined
})
async function open(voice: Partial<Config['voice']>): Promise<Speaker> {
  speaker = await openSpeaker({ ...none, ...voice }, folder)
  return speaker
}

/** Arguments of every process of this host. */
function commandLines(): string {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map((entry) => {
      try {
        return readFileSync(`/proc/${entry}/cmdline`, 'utf8')
      } catch {
        return ''
      }
    })
    .join('\n')
}

/** Process ids of the bundled voice that this process started. */
const espeakProcesses = () =>
  readdirSync(`/proc/${process.pid}/task`)
    .flatMap((task) => readFileSync(`/proc/${process.pid}/task/${task}/children`, 'utf8').trim().split(' '))
    .filter((pid) => pid !== '' && commandLineOf(pid).includes('espeak-process'))
    .map(Number)
const commandLineOf = (pid: string) => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

describe('the sentence', () => {
  test('of several names says each as it is said alone, unless the list says how to say them all', async () => {
    const { sentence } = await open({})
    expect(sentence('{name}, ура!', name('Амир, Маша и Пётр'), 'ru')).toBe('а-мир, Маша и Пётр, ура!')
    expect(sentence('{name}, ура!', name('Амир и Маша', ' & Ма-ша'), 'ru')).toBe('а-мир и Ма-ша, ура!')
    expect(sentence('{name}!', name('Амир и Маша', 'Дети'), 'ru')).toBe('Дети!')
    expect(sentence('Hi, {name}!', name('Emily and Jack'), 'en')).toBe('Hi, Emily and Jack!')
  })

  test('is the name as it is, or as the operator wants it said', async () => {
    const { sentence } = await open({ engine: 'http', url: 'http://127.0.0.1:9' })
    expect(sentence('С Новым годом, {name}!', name('Маша'), 'ru')).toBe('С Новым годом, Маша!')
    expect(sentence('С Новым годом, {name}!', name('Маша', 'Мария'), 'ru')).toBe('С Новым годом, Мария!')
    expect(sentence('{name}!', name('$&'), 'ru')).toBe('$&!')
  })

  test('has another spelling where the bundled voice needs one, unless the operator gave one', async () => {
    const { sentence } = await open({})
    expect(sentence('{name}!', name('Амир'), 'ru')).toBe('а-мир!')
    expect(sentence('{name}!', name('Амир', 'Амир'), 'ru')).toBe('Амир!')
    expect(sentence('{name}!', name('Амир'), 'en')).toBe('Амир!')
    for (const strange of ['constructor', '__proto__', 'toString'])
      expect(sentence('{name}!', name(strange), 'ru')).toBe(`${strange}!`)
  })
})

test('a name that is written with е and is one with ё is spoken as that one, whoever speaks', async () => {
  const { sentence } = await open({ engine: 'http', url: 'http://127.0.0.1:9' })
  for (const [written, spoken] of [
    ['Артем', 'Артём'],
    ['ПЕТР', 'Пётр'],
    ['Семен Иванов', 'Семён Иванов'],
    ['Алена и Фекла', 'Алёна и Фёкла'],
    ['Лена', 'Лена'],
    ['Семенова', 'Семенова'],
  ])
    expect(sentence('{name}!', name(written ?? ''), 'ru')).toBe(`${spoken}!`)
  expect(sentence('{name}!', name('Артем', 'Ар-тем'), 'ru')).toBe('Ар-тем!')
})

describe('the bundled voice', () => {
  test('speaks Russian and English, one process for all, which ends when it is closed', async () => {
    const voice = await open({})
    const [masha, petya, zoe] = [
      await voice.speak('С Новым годом, Маша!', 'ru', free()),
      await voice.speak('С Новым годом, Петя!', 'ru', free()),
      await voice.speak('Happy New Year, Zoe!', 'en', free()),
    ]
    for (const { samples, rate } of [masha, petya, zoe]) {
      expect(samples.length / rate).toBeGreaterThan(0.8)
      expect(samples.length / rate).toBeLessThan(4)
      expect(samples.some((value) => Math.abs(value) > 0.1)).toBe(true)
    }
    expect(Buffer.from(masha.samples.buffer).equals(Buffer.from(petya.samples.buffer))).toBe(false)
    expect(espeakProcesses()).toHaveLength(1)
    await voice.close()
    expect(espeakProcesses()).toHaveLength(0)
  })

  test('gets no text by its arguments', async () => {
    const voice = await open({})
    await voice.speak('Приметноеимя!', 'ru', free())
    expect(commandLines()).not.toContain('Приметноеимя')
  })

  test('that dies is an outage, and is started again for the next greeting', async () => {
    const voice = await open({})
    await voice.speak('Маша!', 'ru', free())
    const [pid] = espeakProcesses()
    const speaking = voice.speak('С Новым годом, Маша! '.repeat(300), 'ru', free())
    const outcome = expect(speaking).rejects.toMatchObject({ name: 'Outage', step: 'voice' })
    process.kill(pid ?? 0, 'SIGKILL')
    await outcome
    expect((await voice.speak('Маша!', 'ru', free())).samples.length).toBeGreaterThan(5_000)
  })

  test('fails on a greeting it says nothing of, and on a voice it has not', async () => {
    const voice = await open({})
    await expect(voice.speak(' ', 'ru', free())).rejects.toBeInstanceOf(AssetFault)
    await voice.close()
    const wrong = await open({ voice: 'no-such-language' })
    await expect(wrong.speak('Маша!', 'ru', free())).rejects.toMatchObject({ name: 'AssetFault', faultClass: 'voice' })
  })

  test('stops after a minute of sound', async () => {
    const voice = await open({})
    await expect(voice.speak('Маша, с Новым годом! '.repeat(100), 'ru', free())).rejects.toMatchObject({
      name: 'AssetFault',
      faultClass: 'voice',
      message: expect.stringContaining('is longer than 61 s') as string,
    })
    expect((await voice.speak('Маша!', 'ru', free())).samples.length).toBeGreaterThan(1_000)
  })

  test('stops waiting when it is told to', async () => {
    const voice = await open({})
    const abort = new AbortController()
    const reason = new Error('enough')
    const outcome = expect(voice.speak('С Новым годом, Маша!', 'ru', abort.signal)).rejects.toBe(reason)
    abort.abort(reason)
    await outcome
    await expect(voice.speak('Маша!', 'ru', abort.signal)).rejects.toBe(reason)
  })

  test('has another identity with another voice or language', async () => {
    const voice = await open({})
    expect(voice.identity('ru')).toMatch(/^espeak:\d/)
    expect(voice.identity('ru')).not.toBe(voice.identity('en'))
    const other = await openSpeaker({ ...none, voice: 'ru+m3' }, folder)
    expect(other.identity('ru')).not.toBe(voice.identity('ru'))
    await other.close()
  })
})

describe('a voice behind an endpoint', () => {
  async function served(
    answer: (request: IncomingMessage, body: string, response: ServerResponse) => void,
  ): Promise<{ url: string; close: () => Promise<void> }> {
    const server = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => (body += chunk.toString()))
      request.on('end', () => answer(request, body, response))
    })
    await new Promise<void>((go) => server.listen(0, '127.0.0.1', go))
    return {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      close: () =>
        new Promise((go) => {
          server.closeAllConnections()
          server.close(() => go())
        }),
    }
  }
  const tone = wav(
    Array.from({ length: 8_000 }, (_, index) => 0.5 * Math.sin(index * 0.3)),
    { code: 1, bits: 16, channels: 1, rate: 16_000 },
  )

  test("is asked as OpenAI's is, with model, voice and key", async () => {
    const asked: { url: string | undefined; key: string | undefined; body: unknown }[] = []
    const server = await served((request, body, response) => {
      asked.push({ url: request.url, key: request.headers.authorization, body: JSON.parse(body) })
      response.end(tone)
    })
    for (const path of ['', '/v1', '/v1/audio/speech']) {
      const voice = await open({ engine: 'http', url: `${server.url}${path}`, apiKey: 'key', model: 'm', voice: 'v' })
      expect((await voice.speak('С Новым годом, "Маша"!', 'ru', free())).rate).toBe(16_000)
    }
    for (const one of asked)
      expect(one).toEqual({
        url: '/v1/audio/speech',
        key: 'Bearer key',
        body: { model: 'm', voice: 'v', input: 'С Новым годом, "Маша"!', response_format: 'wav' },
      })
    expect(asked).toHaveLength(3)
    await server.close()
  })

  test.each([
    [401, Outage, /Check TTS_API_KEY/],
    [404, Outage, /Check TTS_URL/],
    [429, Outage, /HTTP 429/],
    [500, Outage, /HTTP 500/],
    [400, AssetFault, /does not read this greeting/],
    [422, AssetFault, /HTTP 422/],
  ])('answers %d', async (status, kind, message) => {
    const server = await served((_request, _body, response) =>
      response.writeHead(status, { 'retry-after': '7' }).end('Приметноеимя'),
    )
    const voice = await open({ engine: 'http', url: server.url, apiKey: 'secret-key' })
    const error: unknown = await voice.speak('Приметноеимя!', 'ru', free()).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(kind)
    expect((error as Error).message).toMatch(message)
    expect((error as Error).message).not.toMatch(/Приметноеимя|secret-key/)
    if (status === 429) expect(error).toMatchObject({ retryAfterMs: 7_000 })
    await server.close()
  })

  test('that answers with something else, or not at all, is an outage', async () => {
    const server = await served((_request, _body, response) => response.end('<html>'))
    const voice = await open({ engine: 'http', url: server.url })
    await expect(voice.speak('Маша!', 'ru', free())).rejects.toThrow(
      /is no WAV file\. It must understand "response_format": "wav"/,
    )
    await server.close()
    await expect(voice.speak('Маша!', 'ru', free())).rejects.toMatchObject({
      name: 'Outage',
      step: 'voice',
      message: expect.stringContaining('ECONNREFUSED') as string,
    })
  })

  test('that does not stop is left after a minute of sound, and costs no memory', async () => {
    // Eight bits at 4 kHz: few bytes, that would become hundreds of megabytes at our rate.
    const tooLong = wav([], { code: 1, bits: 8, channels: 1, rate: 4_000 })
    const minutes = Buffer.concat([tooLong, Buffer.alloc(10_000_000, 200)])
    minutes.writeUInt32LE(10_000_000, 40)
    let sent = 0
    const answers: ((response: ServerResponse) => void)[] = [
      (response) => response.end(minutes),
      (response) => response.writeHead(200, { 'content-length': 2_000_000_000 }).write(tooLong),
      (response) => {
        // Without end and without a length.
        const more = () => {
          while (!response.destroyed && response.write(Buffer.alloc(1_000_000))) sent += 1_000_000
        }
        response.on('drain', more).write(tooLong)
        more()
      },
    ]
    const server = await served((_request, _body, response) => answers.shift()?.(response))
    const voice = await open({ engine: 'http', url: server.url })
    const before = process.memoryUsage.rss()
    while (answers.length > 0)
      await expect(voice.speak('Маша!', 'ru', free())).rejects.toMatchObject({
        name: 'AssetFault',
        faultClass: 'voice',
        message: expect.stringContaining('is longer than 61 s') as string,
      })
    expect(process.memoryUsage.rss() - before).toBeLessThan(250_000_000)
    expect(sent).toBeLessThan(100_000_000)
    await server.close()
  })

  test('that never answers is left when the render is aborted', async () => {
    const server = await served(() => undefined)
    const voice = await open({ engine: 'http', url: server.url })
    const reason = new Error('enough')
    const abort = new AbortController()
    const outcome = expect(voice.speak('Маша!', 'ru', abort.signal)).rejects.toBe(reason)
    abort.abort(reason)
    await outcome
    await server.close()
  })
})

describe('Piper', () => {
  const model = join(folder, 'voice.onnx')
  writeFileSync(model, 'a model')
  /** Writes down what it was given, and a sound unless the text asks for none. */
  const piper = join(folder, 'piper')
  writeFileSync(
    join(folder, 'tone.wav'),
    wav(
      Array.from({ length: 8_000 }, (_, index) => 0.5 * Math.sin(index * 0.3)),
      { code: 1, bits: 16, channels: 1, rate: 16_000 },
    ),
  )
  writeFileSync(
    piper,
    `#!/bin/sh\ncat > ${folder}/stdin\nprintf '%s\\n' "$@" > ${folder}/arguments\ngrep -q nothing ${folder}/stdin && exit 1\ncp ${folder}/tone.wav "$4"\n`,
  )
  chmodSync(piper, 0o755)

  test('reads the text from its input and never from its arguments', async () => {
    const voice = await open({ engine: 'piper', piperPath: piper, piperModel: model })
    expect((await voice.speak('С Новым годом,\nМаша!', 'ru', free())).samples.length).toBeGreaterThan(5_000)
    expect(readFileSync(join(folder, 'stdin'), 'utf8')).toBe('С Новым годом, Маша!\n')
    expect(readFileSync(join(folder, 'arguments'), 'utf8')).not.toContain('Маша')
    expect(readdirSync(folder).filter((file) => file.startsWith('speech-'))).toEqual([])
  })

  test('that fails is a fault of the greeting; one that is not there an outage', async () => {
    const voice = await open({ engine: 'piper', piperPath: piper, piperModel: model })
    await expect(voice.speak('nothing', 'ru', free())).rejects.toBeInstanceOf(AssetFault)
    const missing = await open({ engine: 'piper', piperPath: join(folder, 'nowhere'), piperModel: model })
    await expect(missing.speak('Маша!', 'ru', free())).rejects.toMatchObject({
      name: 'Outage',
      message: expect.stringContaining('Install it, or set PIPER_PATH') as string,
    })
    await expect(
      open({ engine: 'piper', piperPath: piper, piperModel: join(folder, 'nowhere.onnx') }),
    ).rejects.toBeInstanceOf(Outage)
  })

  test('that does not stop is stopped, and its file goes', async () => {
    const endless = join(folder, 'endless')
    writeFileSync(endless, '#!/bin/sh\ncat > /dev/null\nexec cat /dev/zero > "$4"\n')
    chmodSync(endless, 0o755)
    const voice = await open({ engine: 'piper', piperPath: endless, piperModel: model })
    await expect(voice.speak('Маша!', 'ru', free())).rejects.toMatchObject({
      name: 'AssetFault',
      faultClass: 'voice',
      message: expect.stringContaining('is longer than 61 s') as string,
    })
    // All at once, and too much of it.
    const large = join(folder, 'large')
    writeFileSync(large, '#!/bin/sh\ncat > /dev/null\nhead -c 40000000 /dev/zero > "$4"\n')
    chmodSync(large, 0o755)
    const other = await open({ engine: 'piper', piperPath: large, piperModel: model })
    await expect(other.speak('Маша!', 'ru', free())).rejects.toMatchObject({
      name: 'AssetFault',
      message: expect.stringContaining('is longer than 61 s') as string,
    })
    expect(readdirSync(folder).filter((file) => file.startsWith('speech-'))).toEqual([])
  })

  test('with another model is another voice', async () => {
    const first = (await open({ engine: 'piper', piperPath: piper, piperModel: model })).identity('ru')
    writeFileSync(model, 'another model')
    expect((await open({ engine: 'piper', piperPath: piper, piperModel: model })).identity('ru')).not.toBe(first)
  })
})

test.runIf(process.platform === 'linux')("the system's voice is an outage where there is none", async () => {
  await expect(open({ engine: 'say' })).rejects.toMatchObject({
    name: 'Outage',
    step: 'voice',
    message: expect.stringContaining('macOS and Windows only') as string,
  })
})
