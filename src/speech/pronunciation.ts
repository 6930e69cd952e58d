/**
 * Spellings with which the bundled voice stresses a Russian name where people do. Only for names it gets wrong
 * otherwise. It knows no stress mark; but it stresses the last part of a word that a hyphen divides.
 */

const russian: Record<string, string> = {
  аделина: 'а-делина',
  адель: 'а-дэль',
  айгуль: 'ай-гуль',
  айдар: 'ай-дар',
  айлин: 'а-йлин',
  айша: 'ай-ша',
  али: 'а-ли',
  амир: 'а-мир',
  ариана: 'а-риана',
  асель: 'а-сель',
  гордей: 'гор-дей',
  гузель: 'гу-зель',
  дамир: 'да-мир',
  дана: 'данна',
  заур: 'за-ур',
  ильдар: 'иль-дар',
  ильнур: 'иль-нур',
  карим: 'ка-рим',
  любомир: 'любо-мир',
  малика: 'ма-лика',
  марьям: 'марь-ям',
  радмир: 'рад-мир',
  самир: 'са-мир',
  умар: 'у-мар',
  фатима: 'фа-тима',
  эмин: 'э-мин',
}

/** The name as the bundled voice should read it. Compared as a whole name, whatever its case. */
export function respelled(display: string, language: string): string {
  const table = language.startsWith('ru') ? russian : {}
  const key = display.toLowerCase()
  return Object.hasOwn(table, key) ? (table[key] ?? display) : display
}
