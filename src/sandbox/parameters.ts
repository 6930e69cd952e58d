/** Reads the parameters of a call, in any of the four ways in which the Bot API takes them. */
import { Busboy } from '@fastify/busboy'
import { createHash, randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { Transform, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { badRequest, Refusal } from './refusal.ts'

/** An uploaded file, still under its temporary name. */
export interface Upload {
  path: string
  sha256: string
  size: number
  fileName: string
}

export interface Parameters {
  /** values as they came: strings, or what JSON held */
  values: Record<string, unknown>
  /** by the name of the part */
  uploads: Map<string, Upload>
  /** removes temporary files that nobody kept */
  discard(): Promise<void>
}

const uploadLimit = 50 * 1024 * 1024
const bodyLimit = 10 * 1024 * 1024

/**
 * Reads query string and body. Uploads go to `folder` and nothing of them stays in memory.
 * @throws Refusal 400 for a body that cannot be parsed, 413 for a file above 50 MB (the rest of it is read first,
 * so that the sender hears the answer)
 */
export async function readParameters(request: IncomingMessage, query: URLSearchParams, folder: string): Promise<Parameters> {
  const values: Record<string, unknown> = Object.fromEntries(query)
  const uploads = new Map<string, Upload>()
  const discard = async () => {
    for (const upload of uploads.values()) await rm(upload.path, { force: true })
  }
  const type = request.headers['content-type'] ?? ''
  try {
    if (/^multipart\/form-data/i.test(type)) {
      await readMultipart(request, type, folder, values, uploads)
    } else {
      const body = await readBody(request)
      if (/^application\/json/i.test(type)) Object.assign(values, parseJson(body))
      else if (/^application\/x-www-form-urlencoded/i.test(type)) Object.assign(values, Object.fromEntries(new URLSearchParams(body)))
    }
  } catch (error) {
    await discard()
    throw error
  }
  return { values, uploads, discard }
}

/** The whole body as text. */
export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size <= bodyLimit) chunks.push(chunk)
  }
  if (size > bodyLimit) throw new Refusal(413, 'Request Entity Too Large')
  return Buffer.concat(chunks).toString()
}

function parseJson(body: string): Record<string, unknown> {
  if (body.trim() === '') return {}
  let parsed: unknown
  try {
    parsed = JSON.parse(body)
  } catch {
    throw badRequest("can't parse request body as JSON object")
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw badRequest("can't parse request body as JSON object")
  return parsed as Record<string, unknown>
}

async function readMultipart(request: IncomingMessage, contentType: string, folder: string, values: Record<string, unknown>, uploads: Map<string, Upload>): Promise<void> {
  const written: Promise<void>[] = []
  const cut = new AbortController()
  let tooLarge = false
  let parser: Writable
  try {
    parser = new Busboy({ headers: { ...request.headers, 'content-type': contentType }, limits: { files: 20, fields: 200, fieldSize: bodyLimit, fileSize: uploadLimit } })
      .on('field', (name: string, value: string) => (values[name] = value))
      .on('file', (name, stream, fileName) => {
        const upload: Upload = { path: join(folder, `${randomUUID()}.part`), sha256: '', size: 0, fileName: fileName === '' ? 'file' : fileName }
        const hash = createHash('sha256')
        const measure = new Transform({
          transform(chunk: Buffer, _encoding, done) {
            upload.size += chunk.length
            hash.update(chunk)
            done(null, chunk)
          },
        })
        uploads.set(name, upload)
        stream.on('limit', () => (tooLarge = true))
        // The parser leaves the stream of a part open when the body ends in the middle of it.
        const done = pipeline(stream, measure, createWriteStream(upload.path), { signal: cut.signal }).then(() => {
          upload.sha256 = hash.digest('hex')
        })
        done.catch(() => {}) // told by `written` below
        written.push(done)
      })
  } catch {
    throw badRequest("can't parse multipart body")
  }
  const parsed = new Promise<void>((resolve, reject) => {
    parser.on('finish', resolve)
    parser.on('error', reject)
    request.on('error', reject)
    request.on('close', () => {
      if (!request.complete) reject(new Error('the sender hung up'))
    })
  })
  request.pipe(parser)
  try {
    await parsed
    await Promise.all(written)
  } catch (error) {
    request.unpipe(parser)
    request.resume()
    cut.abort()
    await Promise.allSettled(written)
    if (request.destroyed && !request.complete) throw error
    throw badRequest("can't parse multipart body")
  }
  if (tooLarge) throw new Refusal(413, 'Request Entity Too Large')
}
