/**
 * Russian cases. Names that ship are looked up in a table (`names/cases-ru.csv`); here is what can be told by the
 * ending alone: known names that are in no table, and surnames and patronymics, which are never listed.
 */

/** An oblique case of a Russian noun. */
export type Case = 'gen' | 'dat' | 'acc' | 'ins' | 'prep'

/** What a form may have been led from. */
interface Origin {
  nominative: string
  case: Case
  gender?: 'm' | 'f'
}

/** Each: the ending of a form, its cases, the ending of the nominative, and a gender where that is certain. */
const endings: readonly [string, readonly Case[], string, ('m' | 'f')?][] = [
  ['а', ['gen', 'acc'], '', 'm'],
  ['я', ['gen', 'acc'], 'й', 'm'],
  ['я', ['gen', 'acc'], 'ь', 'm'],
  ['у', ['dat'], '', 'm'],
  ['у', ['acc'], 'а'],
  ['ю', ['dat'], 'й', 'm'],
  ['ю', ['dat'], 'ь', 'm'],
  ['ю', ['acc'], 'я'],
  ['ы', ['gen'], 'а'],
  ['и', ['gen'], 'а'],
  ['и', ['gen'], 'я'],
  ['и', ['gen', 'dat', 'prep'], 'ь', 'f'],
  ['ии', ['gen', 'dat', 'prep'], 'ия'],
  ['е', ['dat', 'prep'], 'а'],
  ['е', ['dat', 'prep'], 'я'],
  ['е', ['prep'], '', 'm'],
  ['ой', ['ins'], 'а'],
  ['ей', ['ins'], 'а'],
  ['ей', ['ins'], 'я'],
  ['ом', ['ins'], '', 'm'],
  ['ем', ['ins'], 'й', 'm'],
  ['ем', ['ins'], 'ь', 'm'],
  ['ью', ['ins'], 'ь', 'f'],
]

/** What a form of at least three letters may be a case of, by its ending. */
export function nominativesOf(form: string): Origin[] {
  if (form.length < 3) return []
  return endings.flatMap(([ending, cases, nominative, gender]) =>
    form.endsWith(ending)
      ? cases.map((inCase) => ({
          nominative: form.slice(0, form.length - ending.length) + nominative,
          case: inCase,
          ...(gender && { gender }),
        }))
      : [],
  )
}

/** Whether a name changes its ending at all: Нино and Мухаммадали do not. */
export function declined(key: string): boolean {
  return /[а-я]$/u.test(key) && !/[еиоуыэю]$/u.test(key)
}

/** Endings of surnames and patronymics: in the nominative, and in the other cases. */
const surnames: Record<'m' | 'f', readonly [nominative: string, others: readonly string[]][]> = {
  m: [
    ['ов', ['ова', 'ову', 'овым', 'ове']],
    ['ев', ['ева', 'еву', 'евым', 'еве']],
    ['ин', ['ина', 'ину', 'иным', 'ине']],
    ['ын', ['ына', 'ыну', 'ыным', 'ыне']],
    ['ский', ['ского', 'скому', 'ским', 'ском']],
    ['цкий', ['цкого', 'цкому', 'цким', 'цком']],
    ['ич', ['ича', 'ичу', 'ичем', 'иче']],
    ['ук', ['ука', 'уку', 'уком', 'уке']],
    ['юк', ['юка', 'юку', 'юком', 'юке']],
    ['ян', ['яна', 'яну', 'яном', 'яне']],
  ],
  f: [
    ['ова', ['овой', 'ову']],
    ['ева', ['евой', 'еву']],
    ['ина', ['иной', 'ину']],
    ['ына', ['ыной', 'ыну']],
    ['ская', ['ской', 'скую']],
    ['цкая', ['цкой', 'цкую']],
    ['вна', ['вны', 'вне', 'вну', 'вной']],
    ['ична', ['ичны', 'ичне', 'ичну', 'ичной']],
  ],
}

const everySurname = [...surnames.m, ...surnames.f]

/** Endings that no case changes, or that are too short to be sure about. */
const unchanging = /(?:ко|ых|их|дзе|швили|ия|уа|аго|ово|оглы|кызы|заде)$/u

/** Whether a word ends like a Russian surname or patronymic, in any case. */
export function isSurnameLike(word: string): boolean {
  if (word.length < 4) return false
  return (
    unchanging.test(word) || everySurname.some(([end, others]) => [end, ...others].some((form) => endsSo(word, form)))
  )
}

/** The surname or patronymic that stands behind a declined name of that gender. */
export function surnameInNominative(word: string, gender: 'm' | 'f'): string {
  for (const [nominative, others] of surnames[gender])
    for (const form of others) if (endsSo(word, form)) return word.slice(0, word.length - form.length) + nominative
  return word
}

/** An ending needs a stem of two letters before it. */
function endsSo(word: string, ending: string): boolean {
  return word.length >= ending.length + 2 && word.endsWith(ending)
}
