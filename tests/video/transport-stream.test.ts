import { expect, test } from 'vitest'
import { joinTransportStreams } from '../../src/video/transport-stream.ts'

/** A packet of a stream: identifier, counter, with or without payload. */
function packet(stream: number, counter: number, payload = true): Buffer {
  const bytes = Buffer.alloc(188)
  bytes.writeUInt8(0x47, 0)
  bytes.writeUInt16BE(stream, 1)
  bytes.writeUInt8((payload ? 0x10 : 0x20) | counter, 3)
  return bytes
}

test('counters go on across the seam, per stream; a packet without payload repeats the last', () => {
  const joined = joinTransportStreams([
    Buffer.concat([packet(0, 0), packet(256, 0), packet(256, 1)]),
    Buffer.concat([packet(0, 0), packet(256, 0), packet(256, 0, false), packet(256, 1)]),
  ])
  const counters = Array.from({ length: 7 }, (_, index) => (joined[index * 188 + 3] ?? 0) & 15)
  expect(counters).toEqual([0, 0, 1, 1, 2, 2, 3])
})

test('counters wrap at 16', () => {
  const joined = joinTransportStreams([Buffer.concat(Array.from({ length: 17 }, () => packet(256, 0)))])
  expect((joined[16 * 188 + 3] ?? 9) & 15).toBe(0)
})

test('what is no transport stream is refused', () => {
  expect(() => joinTransportStreams([Buffer.alloc(188)])).toThrow(RangeError)
  expect(() => joinTransportStreams([packet(0, 0).subarray(0, 100)])).toThrow(RangeError)
})
