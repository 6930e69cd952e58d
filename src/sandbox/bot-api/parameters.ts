/** Reads the parameters of a call, in any of the four ways in which the Bot API takes them. */
import { createHash, randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { realpath, rm, stat } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { basename, join } from 'node:path'
import { Transform, type Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Busboy } from '@fastify/busboy'
import { badRequest, Refusal } from '../refusal.ts'
import type { Upload } from '../state/records.ts'

export interface Parameters {
  /** values as they came: strings, or what JSON held */
  values: Record<string, unknown>
  /** by the name of the part */
  uploads: Map<string, Upload>
  /** bytes of the request's body */
  bodyBytes: number
  /** removes temporary files that nobody kept */
  discard(): Promise<void>
}

/** Parameters that came with no body of their own. */
export function plainParameters(values: Record<string, unknown>): Parameters {
  return { values, uploads: new Map(), bodyBytes: 0, discard: async () => {} }
}

const megabyte = 1024 * 1024
const uploadLimit = 50 * megabyte
const localUploadLimit = 2_000 * megabyte
const bodyLimit = 10 * 1024 * 1024

/**
 * Reads query string and body. Uploads go to `folder` and nothing of them stays in memory.
 * @param local whether the server is in local mode, which takes 2,000 MB instead of 50
 * @throws Refusal 400 for a body that cannot be parsed, 413 for a file above the limit (the rest of it is read first,
 * so that the sender hears the answer)
 */
export async function readParameters(
  request: IncomingMessage,
  query: URLSearchParams,
  folder: string,
  local = false,
): Promise<Parameters> {
  const values: Record<string, unknown> = Object.fromEntries(query)
  const uploads = new Map<string, Upload>()
  const discard = async () => {
    for (const upload of uploads.values()) await rm(upload.path, { force: true })
  }
  const type = request.headers['content-type'] ?? ''
  let bodyBytes: number
  try {
    if (/^multipart\/form-data/i.test(type)) {
      bodyBytes = await readMultipart(request, type, folder, local ? localUploadLimit : uploadLimit, values, uploads)
    } else {
      const body = await readBody(request)
      bodyBytes = Buffer.byteLength(body)
      if (/^application\/json/i.test(type)) Object.assign(values, parseJson(body))
      else if (/^application\/x-www-form-urlencoded/i.test(type))
        Object.assign(values, Object.fromEntries(new URLSearchParams(body)))
    }
  } catch (error) {
    await discard()
    throw error
  }
  return { values, uploads, bodyBytes, discard }
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
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw badRequest("can't parse request body as JSON object")
  return parsed as Record<string, unknown>
}

/** Gives the bytes of the body. */
async function readMultipart(
  request: IncomingMessage,
  contentType: string,
  folder: string,
  limit: number,
  values: Record<string, unknown>,
  uploads: Map<string, Upload>,
): Promise<number> {
  const written: Promise<void>[] = []
  const cut = new AbortController()
  let tooLarge = false
  let bodyBytes = 0
  request.on('data', (chunk: Buffer) => (bodyBytes += chunk.length))
  let parser: Writable
  try {
    parser = new Busboy({
      headers: { ...request.headers, 'content-type': contentType },
      limits: { files: 20, fields: 200, fieldSize: bodyLimit, fileSize: limit },
    })
      .on('field', (name: string, value: string) => (values[name] = value))
      .on('file', (name, stream, fileName) => {
        // The parser leaves the stream of a part open when the body ends in the middle of it.
        const { upload, done } = receive(stream, folder, fileName === '' ? 'file' : fileName, cut.signal)
        uploads.set(name, upload)
        stream.on('limit', () => (tooLarge = true))
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
  return bodyBytes
}

/** Writes a file as it comes to a temporary one. `upload` is complete when `done`. */
function receive(
  stream: Readable,
  folder: string,
  fileName: string,
  signal?: AbortSignal,
): { upload: Upload; done: Promise<void> } {
  const upload: Upload = { path: join(folder, `${randomUUID()}.part`), sha256: '', size: 0, fileName }
  const hash = createHash('sha256')
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, next) {
      upload.size += chunk.length
      hash.update(chunk)
      next(null, chunk)
    },
  })
  const done = pipeline(stream, measure, createWriteStream(upload.path), { signal }).then(() => {
    upload.sha256 = hash.digest('hex')
  })
  return { upload, done }
}

/**
 * Reads a file of this machine as a server in local mode does, given all that follows `file:/`. The server's own
 * wording: https://github.com/tdlib/telegram-bot-api, `get_local_file_path`, and TDLib's `check_full_local_location`.
 * @throws Refusal 400 when there is no such file, 413 above 2,000 MB
 */
export async function readLocalFile(address: string, folder: string): Promise<Upload> {
  // `file:/` may be followed by an empty host or by `/localhost`; without a third slash the path is a relative one.
  const encoded = address.startsWith('/localhost') ? address.slice('/localhost'.length) : address.replace(/^\//, '')
  const path = await realpath(decodeUri(encoded)).catch(() => {
    throw badRequest("can't find real file path")
  })
  const about = await stat(path)
  if (!about.isFile()) throw badRequest('file must be a regular file')
  if (about.size > localUploadLimit) throw new Refusal(413, 'Request Entity Too Large')
  const { upload, done } = receive(createReadStream(path), folder, basename(path))
  await done
  return upload
}

function decodeUri(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
