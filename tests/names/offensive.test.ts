import { expect, test } from 'vitest'
import { parseName } from '../../src/names/name.ts'

const isTaken = (raw: string) => parseName(raw).ok

test.each([
  'Ванесса',
  'Хуан',
  'Нахида',
  'Хулио',
  'Хуэй',
  'Нигар',
  'Нигина',
  'Кончита',
  'Ипполит',
  'Антипа',
  'Себастьян',
  'Сукайна',
  'Семен',
  'Semen',
  'Huy',
  'Dick',
  'Joi',
  'Cassandra',
  'Titus',
  'Assia',
  'Dikembe',
  'Вагинак',
  'Ибалы',
  'Нига',
  'Нигая',
  'Siska',
  'Kike',
  'Swastik',
  'Dyke',
  'Bonner',
  'Damne',
  'Ebanie',
  'Analia',
  'Fuchsia',
  'Essex',
])('%s is a name', (name) => {
  expect(isTaken(name)).toBe(true)
})

test.each([
  'хуй',
  'ХУЙ',
  'xуй',
  'нахуй',
  'пизда',
  'ПИЗДЕЦ',
  'ебать',
  'блядь',
  'сука',
  'мразь',
  'идиот',
  'х у й',
  'с-у-к-а',
  'суууука',
  'курва',
  'suka',
  'fuck',
  'Fucker',
  'cunt',
  'ass hole',
  'niggers',
  'нигга',
  'ниггер',
  'вагина',
  'сиська',
])('%s is refused', (word) => {
  expect(isTaken(word)).toBe(false)
})

test.each([
  'убей себя',
  'Сдохни',
  'умрите',
  'ты дура',
  'Тварь',
  'твари',
  'дебилу',

  'козлина',
  'ублюдком',
  'Маша Дура',
  'Анна-Сука',
  'Гитлер',
  'Адольф Гитлер',
  'Чикатило',
  'пошёл вон',
  'kill yourself',
  'Die',
  'idiots',
  'Stupid Emma',
  'shut up',
  'Hitler',
])('%s, an insult, a threat or an attack, is refused', (words) => {
  expect(isTaken(words)).toBe(false)
})

test.each([
  'Адольф',
  'Козлов',
  'Дуров',
  'Лохматов',
  'Попко',
  'Ануся',
  'Тупак',
  'Isis',
  'Адольф Козлов',
  'Dick Killian',
  'Убейд',
  'Смертин',
  'Хачик',
])('%s is a name, although an insult is in it', (name) => {
  expect(isTaken(name)).toBe(true)
})

test('a word inside a name is no reason', () => {
  expect(isTaken('Ебала')).toBe(false)
  expect(isTaken('Ребала')).toBe(true)
  expect(isTaken('Сукарно')).toBe(true)
})
