/** A WAV file for the tests; every channel has the same samples. */
export function wav(
  samples: number[],
  { code, bits, channels, rate }: { code: number; bits: number; channels: number; rate: number },
): Buffer {
  const bytes = bits / 8
  const data = Buffer.alloc(samples.length * bytes * channels)
  samples
    .flatMap((value) => Array.from({ length: channels }, () => value))
    .forEach((value, index) => {
      if (code === 3) data.writeFloatLE(value, index * bytes)
      else if (bits === 8) data.writeUInt8(Math.round(value * 127) + 128, index)
      else data.writeIntLE(Math.round(value * (2 ** (bits - 1) - 1)), index * bytes, bytes)
    })
  const header = Buffer.alloc(44)
  header.write('RIFF', 0, 'latin1')
  header.writeUInt32LE(36 + data.length, 4)
  header.write('WAVEfmt ', 8, 'latin1')
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(code, 20)
  header.writeUInt16LE(channels, 22)
  header.writeUInt32LE(rate, 24)
  header.writeUInt32LE(rate * channels * bytes, 28)
  header.writeUInt16LE(channels * bytes, 32)
  header.writeUInt16LE(bits, 34)
  header.write('data', 36, 'latin1')
  header.writeUInt32LE(data.length, 40)
  return Buffer.concat([header, data])
}
