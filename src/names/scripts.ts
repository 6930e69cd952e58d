/** Which script a name is written in, and one script for a name in which letters of two were mixed up. */

/** A Unicode script by its name: `Cyrillic`, `Latin`, or an extra one the caller asked for, such as `Georgian`. */
export type Script = 'Cyrillic' | 'Latin' | (string & Record<never, never>)

/** Letters of living languages only: no phonetic and no historical letters, which look like others. */
const cyrillic = /^[\u0300-\u036F\u0400-\u0481\u048A-\u052F' -]+$/
const latin = /^[\u0300-\u036FA-Za-zÀ-ÖØ-öø-ƚƜ-ƿǍ-ȹȻ-ȽɁ-ɏɓɔɖɗəɛɠɣɨɩɯɲɵʀʃʈʉʊʋʌʒḀ-ỿ' -]+$/
const anyCyrillic = /\p{Script=Cyrillic}/u
const anyLatin = /\p{Script=Latin}/u
const cyrillicOrLatin = /^[\p{Script=Cyrillic}\p{Script=Latin}\u0300-\u036F' -]+$/u

/** Pairs that look the same in print, Latin first. */
const lookAlikes = [
  'AА',
  'BВ',
  'CС',
  'EЕ',
  'HН',
  'IІ',
  'JЈ',
  'KК',
  'MМ',
  'OО',
  'PР',
  'TТ',
  'XХ',
  'YУ',
  'aа',
  'cс',
  'eе',
  'iі',
  'jј',
  'kк',
  'oо',
  'pр',
  'xх',
  'yу',
]
const toCyrillic = new Map(lookAlikes.map((pair) => [pair.charAt(0), pair.charAt(1)]))
const toLatin = new Map(lookAlikes.map((pair) => [pair.charAt(1), pair.charAt(0)]))

/**
 * A text of letters, blanks, hyphens and apostrophes with the one script it is written in.
 *
 * @throws RangeError or SyntaxError when an extra script's name is none that Unicode knows
 */
export function inOneScript(
  text: string,
  extraScripts: readonly string[],
): { text: string; script: Script } | { reason: 'characters' | 'mixed_scripts' | 'unsupported_script' } {
  if (text === '') return { reason: 'characters' }
  if (cyrillic.test(text)) return { text, script: 'Cyrillic' }
  if (latin.test(text)) return { text, script: 'Latin' }
  const hasCyrillic = anyCyrillic.test(text)
  const hasLatin = anyLatin.test(text)
  if (hasCyrillic && hasLatin)
    return (cyrillicOrLatin.test(text) && withoutLookAlikes(text)) || { reason: 'mixed_scripts' }
  for (const script of extraScripts) if (lettersOf(script).test(text)) return { text, script }
  if (hasCyrillic || hasLatin) return { reason: cyrillicOrLatin.test(text) ? 'characters' : 'mixed_scripts' }
  return { reason: 'unsupported_script' }
}

/**
 * "Владимиp" with a Latin p, and the reverse. Letters are exchanged without their marks: a Latin ë is an e.
 * What could be either becomes Cyrillic, so that one look has one key.
 */
function withoutLookAlikes(text: string): { text: string; script: Script } | undefined {
  const letters = [...text.normalize('NFD')]
  const asCyrillic = letters
    .map((letter) => toCyrillic.get(letter) ?? letter)
    .join('')
    .normalize('NFC')
  if (cyrillic.test(asCyrillic)) return { text: asCyrillic, script: 'Cyrillic' }
  const asLatin = letters
    .map((letter) => toLatin.get(letter) ?? letter)
    .join('')
    .normalize('NFC')
  return latin.test(asLatin) ? { text: asLatin, script: 'Latin' } : undefined
}

const scriptPatterns = new Map<string, RegExp>()

function lettersOf(script: string): RegExp {
  const known = scriptPatterns.get(script)
  if (known) return known
  if (!/^\w+$/.test(script)) throw new RangeError(`${script} is not the name of a script`)
  const made = new RegExp(`^[\\p{Script_Extensions=${script}}\\p{Script=Inherited}' -]+$`, 'u')
  scriptPatterns.set(script, made)
  return made
}
