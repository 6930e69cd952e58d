/** Values of options, from the text that was given. */
import { InvalidArgumentError } from 'commander'
import { parseAddress, type Address } from '../http/address.ts'

/** A whole number above 0. */
export const whole = (text: string) => {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('It must be a whole number above 0.')
  return value
}

/** `0.95` or `95%`, as a part of 1. */
export function share(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(%)?$/.exec(text.trim())
  const value = match === null ? NaN : Number(match[1]) / (match[2] === undefined ? 1 : 100)
  if (!(value > 0 && value <= 1))
    throw new InvalidArgumentError('It must be a share above 0 and at most 1, such as 0.95, or 95%.')
  return value
}

/** A whole number. */
export const wholeOrNone = (text: string) => {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.')
  return Number(text)
}

/** Rows are held until the header is found. */
export function headerRow(text: string): number {
  const value = whole(text)
  if (value > 1_000) throw new InvalidArgumentError('It must be a line, 1 to 1000.')
  return value
}

/** A port to listen on; 0 is any free one. */
export function port(text: string): number {
  const value = wholeOrNone(text)
  if (value > 65_535) throw new InvalidArgumentError('It must be a port, 0 to 65535.')
  return value
}

/** `90s`, `30m`, `8h` or `90d`, as milliseconds. A number alone could be any of them. */
export function duration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?$/.exec(text.trim())
  if (match === null) throw new InvalidArgumentError('It must be a duration such as 90s, 30m, 8h or 90d.')
  if (match[2] === undefined)
    throw new InvalidArgumentError(`It needs a unit: ${match[1]}s for seconds, ${match[1]}m for minutes, or h or d.`)
  return (
    Number(match[1]) *
    { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[match[2] as 'ms' | 's' | 'm' | 'h' | 'd']
  )
}

/** `9464`, or `0.0.0.0:9464`. */
export function address(text: string): Address {
  const value = parseAddress(text)
  if (value === undefined)
    throw new InvalidArgumentError('It must be a port, or host:port, such as 9464 or 0.0.0.0:9464.')
  return value
}
