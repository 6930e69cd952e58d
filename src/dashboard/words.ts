/** Numbers, times and commands as a person reads them. */

/** `97.5 %`. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(share === 1 || share === 0 ? 0 : 1)} %`
}

/** `0.4 s`, `12 s`, `3 min`, `2.5 h`, `4 d`. */
export function span(seconds: number): string {
  if (seconds < 10) return `${Number(seconds.toFixed(1))} s`
  if (seconds < 60) return `${Math.round(seconds)} s`
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`
  if (seconds < 172_800) return `${Number((seconds / 3_600).toFixed(1))} h`
  return `${Math.round(seconds / 86_400)} d`
}

/** `1 person`, `12 people`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`
}

/** One argument of a command, so that a shell takes it as it is. */
export function quoted(argument: string): string {
  return /^[\p{L}\p{M}\d_./][\p{L}\p{M}\d_./-]*$/u.test(argument) ? argument : `'${argument.replaceAll("'", String.raw`'\''`)}'`
}
