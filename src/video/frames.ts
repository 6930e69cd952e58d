/** Raw yuv420p frames on their way: out of the cache, into an encoder, out of a decoder, onto a picture. */
import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { Readable, Writable } from 'node:stream'
import { frameBytes } from './encoding.ts'
import type { Template } from './template.ts'

/** One frame of a window without the name. */
export async function windowFrame(file: string, template: Template, index: number): Promise<Buffer> {
  const handle = await open(file, 'r')
  try {
    const frame = Buffer.alloc(frameBytes(template.size))
    await handle.read(frame, 0, frame.length, index * frame.length)
    return frame
  } finally {
    await handle.close()
  }
}

/** Reads a frame at a position of a file. */
export async function fill(handle: FileHandle, frame: Buffer, position: number): Promise<void> {
  const { bytesRead } = await handle.read(frame, 0, frame.length, position)
  if (bytesRead !== frame.length) throw new Error('a window of the cache ends too early')
}

/**
 * A stream of frames, each made when the one before it is on its way. Frames share a few buffers: the stream asks for
 * the next one only when the pipe has taken the last but one.
 */
export function frameStream(
  count: number,
  bytes: number,
  make: (frame: Buffer, index: number) => Promise<void>,
): Readable {
  const ring = Array.from({ length: 4 }, () => Buffer.allocUnsafe(bytes))
  let index = 0
  return new Readable({
    highWaterMark: 1,
    read() {
      if (index === count) {
        this.push(null)
        return
      }
      const frame = ring[index % ring.length] as Buffer
      make(frame, index++).then(
        () => this.push(frame),
        (error: unknown) => this.destroy(error as Error),
      )
    },
  })
}

/** Takes bytes as they come and hands them out a frame at a time; takes no more than a frame ahead. */
export function frameSource(bytes: number): { sink: Writable; next: () => Promise<Buffer> } {
  let gathered: Buffer[] = []
  let held = 0
  let taken: (() => void) | undefined
  let arrived: (() => void) | undefined
  let ended: Error | undefined
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      gathered.push(chunk)
      held += chunk.length
      if (held >= bytes) taken = done
      else done()
      arrived?.()
    },
    destroy(error, done) {
      ended = error ?? new Error('the clip ends too early')
      arrived?.()
      done(error)
    },
    final(done) {
      ended = new Error('the clip ends too early')
      arrived?.()
      done()
    },
  })
  return {
    sink,
    next: async () => {
      while (held < bytes) {
        if (ended !== undefined) throw ended
        await new Promise<void>((go) => {
          arrived = go
        })
      }
      const all = Buffer.concat(gathered)
      gathered = [all.subarray(bytes)]
      held -= bytes
      const go = held < bytes ? taken : undefined
      if (go !== undefined) taken = undefined
      go?.()
      return all.subarray(0, bytes)
    },
  }
}

/** A smaller picture, each pixel the mean of `factor` × `factor` of the frame's. BT.709, limited range. */
export function toSmallRgba(
  frame: Uint8Array,
  size: { width: number; height: number },
  factor: number,
  small: { width: number; height: number },
  to: Uint8ClampedArray,
): void {
  const chroma = size.width * size.height
  const mean = (offset: number, stride: number, left: number, top: number, side: number) => {
    let sum = 0
    for (let row = top; row < top + side; row++)
      for (let column = left; column < left + side; column++) sum += frame[offset + row * stride + column] as number
    return sum / (side * side)
  }
  const half = Math.max(1, factor >> 1)
  for (let y = 0; y < small.height; y++) {
    for (let x = 0; x < small.width; x++) {
      const luma = 1.1644 * (mean(0, size.width, x * factor, y * factor, factor) - 16)
      const [left, top] = [(x * factor) >> 1, (y * factor) >> 1]
      const u = mean(chroma, size.width >> 1, left, top, half) - 128
      const v = mean(chroma + (chroma >> 2), size.width >> 1, left, top, half) - 128
      const at = (y * small.width + x) * 4
      to[at] = luma + 1.7927 * v
      to[at + 1] = luma - 0.2132 * u - 0.5329 * v
      to[at + 2] = luma + 2.1124 * u
      to[at + 3] = 255
    }
  }
}
