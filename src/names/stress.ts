/** Where a Russian name may be stressed. */

// A letter alone is the “и” between two names.
const vowel = /(?<=\p{L})[аеёиоуыэюяіїєәөүұ]|[аеёиоуыэюяіїєәөүұ](?=\p{L})/giu
const acute = '\u0301'
/** More than anybody would read through. */
const mostChoices = 10

/** The name once for each of its vowels, which is stressed: `Ма́ша`, `Маша́`. Empty: there is nothing to choose. */
export function stressChoices(display: string): string[] {
  const ends = [...display.matchAll(vowel)].map(({ index }) => index + 1)
  if (ends.length < 2 || ends.length > mostChoices) return []
  return ends.map((end) => `${display.slice(0, end)}${acute}${display.slice(end)}`)
}
