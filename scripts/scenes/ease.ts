/** Curves of movement. Times are seconds of the clip. */

export function clamp(value: number, low = 0, high = 1): number {
  return value < low ? low : value > high ? high : value
}

export function mix(from: number, to: number, share: number): number {
  return from + (to - from) * share
}

/** 0 before `from`, 1 after `to`, at rest at both ends. */
export function smooth(from: number, to: number, time: number): number {
  const share = clamp((time - from) / (to - from))
  return share * share * (3 - 2 * share)
}

/** Like `smooth`, with softer ends. */
export function softer(from: number, to: number, time: number): number {
  const share = clamp((time - from) / (to - from))
  return share * share * share * (share * (share * 6 - 15) + 10)
}

/** Quick at first, then settling. */
export function settle(from: number, to: number, time: number, power = 3): number {
  return 1 - (1 - clamp((time - from) / (to - from))) ** power
}

/** A slow wander in [-1, 1] that never repeats within a clip. */
export function wander(time: number, phase: number): number {
  return (
    (Math.sin(time * 1.7 + phase * 6.1) +
      Math.sin(time * 2.9 + phase * 11.3) * 0.6 +
      Math.sin(time * 0.83 + phase * 3.7) * 0.8) /
    2.4
  )
}
