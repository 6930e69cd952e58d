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

const reasons: Record<string, string> = {
  no_text: 'a picture, a voice message, or the like',
  empty: 'empty',
  too_long_input: 'far too long a text',
  not_text: 'characters that are no text',
  several_names: 'several names at once',
  digits: 'digits',
  emoji: 'an emoji',
  characters: 'characters of no name',
  misplaced: 'a hyphen or apostrophe out of place',
  marks: 'too many accents on a letter',
  mixed_scripts: 'letters of several alphabets',
  unsupported_script: 'an alphabet no template serves',
  too_short: 'one letter',
  too_long: 'too long a name',
  too_many_words: 'too many words',
  offensive: 'an offensive word',
  blocked: 'a blocked word',
  no_template: 'letters no template has',
  too_many_waiting: 'too many names at once by one person',
  too_many_today: 'too many names a day by one person',
}

/** Why a text was not served, in a few words. A reason that is new here is shown as it is called. */
export function refusalText(reason: string): string {
  return reasons[reason] ?? reason.replaceAll('_', ' ')
}

const outcomes: Record<string, string> = {
  name: 'a name, sure',
  unsure: 'a name to be asked about',
  several: 'several names',
  talk: 'talk, answered in words',
  refused: 'not served',
  confirmed: 'confirmed with a tap',
}

/** How a text was understood, in a few words. */
export function outcomeText(outcome: string): string {
  return outcomes[outcome] ?? outcome
}

/** One argument of a command, so that a shell takes it as it is. */
export function quoted(argument: string): string {
  return /^[\p{L}\p{M}\d_./][\p{L}\p{M}\d_./-]*$/u.test(argument)
    ? argument
    : `'${argument.replaceAll("'", String.raw`'\''`)}'`
}
