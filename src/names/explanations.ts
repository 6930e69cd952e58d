/** Why something is not taken as a name, in words for the operator of a list. Who typed it reads `rejected-…` of `texts.ts`. */
import { maxGraphemes, maxInput, maxWords, type NameRejection } from './name.ts'

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
