/** How a name is capitalised: what no rule can know. Everything here is lower case, as keys are. */

/** Given names whose usual spelling has a capital inside. */
const withInnerCapital = [
  'DeAndre', 'DeAngelo', 'DeJuan', 'DeMarco', 'DeMarcus', 'DeMario', 'DeQuan', 'DeShaun', 'DeShawn', 'DeVante', 'DeVonte',
  'JaMarcus', 'JaQuan', 'JaVale', 'JoAnn', 'JoBeth', 'JoEllen', 'JoLynn',
  'KeShawn', 'KeyShawn', 'LaDonna', 'LaKeisha', 'LaMarcus', 'LaMelo', 'LaQuan', 'LaShawn', 'LaToya', 'LaVar', 'LeAnn', 'LeBron', 'LeSean', 'LeVar',
  'MaryAnn', 'MaryBeth', 'MaryEllen', 'MaryKate', 'MaryLou', 'RaShawn', 'RayShawn', 'ReShawn', 'TaShawn', 'TyShawn',
]

/** key of a name's part → its display, for parts with a capital inside */
export const innerCapitals: ReadonlyMap<string, string> = new Map(withInnerCapital.map((name) => [name.toLowerCase(), name]))

/** Small after the first word, when something follows: "Людвиг ван Бетховен", but "Анна Ван". */
export const leadingParticles: ReadonlySet<string> = new Set([
  'аль', 'бен', 'бин', 'бинт', 'ван', 'да', 'де', 'дел', 'дела', 'делла', 'ден', 'дер', 'ди', 'дос', 'ду', 'дю', 'ибн', 'тер', 'уль', 'фон', 'цу', 'эль',
  'al', 'av', 'bin', 'bint', 'da', 'das', 'de', 'del', 'della', 'den', 'der', 'di', 'dos', 'du', 'el', 'ibn', 'ten', 'ter', 'van', 'von', 'zu',
])

/** Small after the first word, when a hyphen follows: "Абд ар-Рахман", but "Нгуен Ан Туан". */
export const hyphenatedParticles: ReadonlySet<string> = new Set(['ад', 'ан', 'ар', 'ас', 'ат', 'аш', 'уд', 'ун', 'ур', 'ус', 'эд', 'эн', 'эр', 'эс', 'эт', 'эш'])

/** Small after the first word, wherever they stand: "Полад Бюльбюль оглы". */
export const trailingParticles: ReadonlySet<string> = new Set([
  'гызы', 'заде', 'кизи', 'кызы', 'оглу', 'оглы', 'угли', 'уулу', 'ұлы', 'қызы', 'улы', 'ogly', 'oglu', 'kyzy', 'qizi', 'uulu',
])

/** Small only behind `de`: "Maria de la Cruz", but "Anna La". */
export const articles: ReadonlySet<string> = new Set(['la', 'las', 'le', 'los', 'ла', 'лас', 'ле', 'лос'])
