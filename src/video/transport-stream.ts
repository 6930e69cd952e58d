/** MPEG transport streams put one behind the other. */

const packetBytes = 188

/**
 * Joins transport streams whose time stamps already follow each other. Each was written with packet counters of its
 * own; they are renumbered, for a jump makes a reader suspect a lost packet at the seam.
 * @throws RangeError when a part is no transport stream
 */
export function joinTransportStreams(parts: Buffer[]): Buffer {
  const joined = Buffer.concat(parts)
  const next = new Map<number, number>()
  if (joined.length % packetBytes !== 0) throw new RangeError('a part is not made of whole packets')
  for (let at = 0; at < joined.length; at += packetBytes) {
    if (joined[at] !== 0x47) throw new RangeError('a part is no transport stream')
    const stream = joined.readUInt16BE(at + 1) & 0x1fff
    const flags = joined.readUInt8(at + 3)
    const hasPayload = (flags & 0x10) !== 0
    const counter = next.get(stream) ?? 0
    // A packet without payload repeats the counter of the one before.
    joined.writeUInt8((flags & 0xf0) | (hasPayload ? counter : (counter + 15) & 15), at + 3)
    if (hasPayload) next.set(stream, (counter + 1) & 15)
  }
  return joined
}
