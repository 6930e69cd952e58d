/** One reading for all who ask at a time, however many they are. */

/**
 * Whoever asks while it is being read waits for that, and gets what was read
 * up to `keepMs` before. A failure is not kept.
 */
export function shared<T>(read: () => Promise<T>, keepMs = 0): () => Promise<T> {
  let last: { result: Promise<T>; until: number } | undefined
  return () => {
    if (last !== undefined && performance.now() < last.until) return last.result
    const mine = { result: read(), until: Infinity }
    last = mine
    mine.result.then(
      () => (mine.until = performance.now() + keepMs),
      () => (mine.until = 0),
    )
    return mine.result
  }
}
