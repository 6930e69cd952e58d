/** Why something is not taken as a name, in words: for who typed it, and for the operator of a list. */
import { maxGraphemes, maxInput, maxWords, type NameRejection } from './name.ts'

const explanations: Record<NameRejection, { ru: string; en: string }> = {
  empty: {
    ru: 'Пришлите, пожалуйста, имя ребёнка: просто напишите его буквами, например «Маша».',
    en: 'There is no name here. A name written in letters is needed, for example “Emma”.',
  },
  too_long_input: {
    ru: 'Это слишком длинное сообщение. Пришлите, пожалуйста, только имя, например «Маша».',
    en: 'This is far too long for a name. Only the name is needed, for example “Emma”.',
  },
  not_text: {
    ru: 'Имя пришло с повреждёнными символами. Наберите его, пожалуйста, на клавиатуре ещё раз.',
    en: 'The name arrived with damaged characters. Please type it once more.',
  },
  several_names: {
    ru: 'Похоже, здесь несколько имён. Давайте по одному: пришлите сначала первое, потом следующее, и у каждого будет своё поздравление.',
    en: 'There seems to be more than one name here. One name at a time, please: each gets a greeting of its own.',
  },
  digits: {
    ru: 'В имени есть цифры. Напишите его, пожалуйста, одними буквами.',
    en: 'There are digits in the name. Please write it in letters only.',
  },
  emoji: {
    ru: 'Какой милый значок! Но нарисовать и произнести получится только буквы: пришлите имя без смайликов.',
    en: 'What a nice emoji! But only letters can be drawn and spoken: please write the name without it.',
  },
  characters: {
    ru: 'В имени есть знак, который не получится произнести. Подойдут буквы, пробел, дефис и апостроф.',
    en: 'The name has a character that cannot be spoken. Letters, a space, a hyphen and an apostrophe are fine.',
  },
  misplaced: {
    ru: 'Дефис или апостроф стоит не на своём месте. Он хорош внутри имени, как в «Анна-Мария»: проверьте, пожалуйста.',
    en: 'A hyphen or an apostrophe is out of place. It belongs inside a name, as in “Anna-Maria”: please have a look.',
  },
  marks: {
    ru: 'Над одной из букв слишком много значков. Напишите имя, пожалуйста, обычными буквами.',
    en: 'One of the letters carries too many accents. Please write the name in plain letters.',
  },
  mixed_scripts: {
    ru: 'В имени смешались русские и латинские буквы. Наберите его, пожалуйста, целиком на одной раскладке.',
    en: 'The name mixes letters of different alphabets. Please write all of it in one.',
  },
  unsupported_script: {
    ru: 'На этом алфавите пока не получится. Напишите имя, пожалуйста, русскими или латинскими буквами.',
    en: 'This alphabet cannot be drawn and spoken yet. Please write the name in Latin or Cyrillic letters.',
  },
  too_short: {
    ru: 'Одной буквы маловато. Напишите имя полностью, пожалуйста.',
    en: 'One letter is too short for a name. Please write all of it.',
  },
  too_long: {
    ru: 'Такое длинное имя не поместится на экране: нужно не больше 40 букв. Может быть, есть покороче?',
    en: 'Such a long name does not fit on the screen: 40 letters at most. Is there a shorter form?',
  },
  too_many_words: {
    ru: 'Слишком много слов: в имени их может быть не больше четырёх. Пришлите, пожалуйста, только имя.',
    en: 'There are too many words: a name has four at most. Only the name is needed, please.',
  },
  offensive: {
    ru: 'С таким словом поздравление не получится. Пришлите, пожалуйста, имя ребёнка.',
    en: 'A greeting cannot be made with this word. Please send the name of a child.',
  },
  blocked: {
    ru: 'С таким словом поздравление не получится. Пришлите, пожалуйста, имя ребёнка.',
    en: 'A greeting cannot be made with this word. Please send the name of a child.',
  },
}

/** One kind sentence or two for whoever typed it: what to do. */
export function explainRejection(reason: NameRejection, language: 'ru' | 'en'): string {
  return explanations[reason][language]
}

const descriptions: Record<NameRejection, string> = {
  empty: 'The cell of the name is empty.',
  too_long_input: `The cell is longer than ${maxInput} characters and was not looked at.`,
  not_text:
    'It has control characters, characters that change the direction of text, or ones that a wrong encoding left behind.',
  several_names: 'It holds more than one name: one name a row.',
  digits: 'It has digits.',
  emoji: 'It has an emoji.',
  characters: 'It has a character that is no letter, blank, hyphen or apostrophe.',
  misplaced: 'A hyphen or an apostrophe is in the wrong place.',
  marks: 'One of the letters carries more than three accents.',
  mixed_scripts: 'It mixes letters of different alphabets.',
  unsupported_script: 'No enabled template and voice serve its alphabet.',
  too_short: 'It has one letter only.',
  too_long: `It is longer than ${maxGraphemes} letters.`,
  too_many_words: `It has more than ${maxWords} words.`,
  offensive: 'It is on a list of offensive words. If it is a name, add it to the file that ALLOWED_NAMES names.',
  blocked: 'It is in the file set by BLOCKED_NAMES.',
}

/** What is wrong, for the operator of a list. */
export function describeRejection(reason: NameRejection): string {
  return descriptions[reason]
}
