/** Rows of letters that are no word of any language: a cat on the keyboard, or a child. */

const rows = ['йцукенгшщзхъ', 'фывапролджэ', 'ячсмитьбю', 'qwertyuiop', 'asdfghjkl', 'zxcvbnm']
const walks = [...rows, ...rows.map((row) => [...row].reverse().join(''))]
/** Shorter walks along a row that nobody is called. */
const shortWalks =
  /^(?:asdf|qwer|zxcv|hjkl|ghjk|dfgh|sdfg|fghj|фыва|йцук|цуке|ячсм|ывап|олдж|впро|апро|лдж|фыв|йцу|asd|qwe|zxc)+$/

const vowels = /[аеёиоуыэюяіїєәөүұaeiouyà-æè-ïò-öø-üýÿœāăąēĕėęěīĭįıōŏőūŭůűųȳỳỹ]/u
/** Hard and soft signs are no sound of their own. */
const silent = /[ьъ'-]/g

/** as many consonants in a row as no name has */
const mostConsonants = { cyrillic: 6, latin: 7 }

/** Whether a word is a nonsense row of letters. @param word in lower case */
export function isNonsense(word: string): boolean {
  if (!/^[\p{Script=Latin}\p{Script=Cyrillic}\p{M}'-]+$/u.test(word)) return false
  const letters = [...word.normalize('NFC').replace(silent, '')]
  if (letters.length === 0) return true
  if (/(.)\1{3}/u.test(word)) return true
  if (letters.length >= 3 && new Set(letters).size === 1) return true
  if (/^[ьъы]/u.test(word)) return true
  if (shortWalks.test(word) || isWalk(word) || isRepeated(word)) return true
  return !isSpeakable(letters)
}

/** A way along one row of the keyboard, five keys or more: йцукен, ролдж. */
function isWalk(word: string): boolean {
  if (word.length < 5) return false
  for (let at = 0; at + 5 <= word.length; at++) {
    const part = word.slice(at, at + 5)
    if (walks.some((walk) => walk.includes(part))) return true
  }
  return false
}

/** лалала, бубубу, asdasd: two letters three times, or three and more that end where they began. */
function isRepeated(word: string): boolean {
  return /^(\p{L}{2})\1{2,}\p{L}?$/u.test(word) || /^(\p{L}{3,4})\1{2,}$/u.test(word)
}

function isSpeakable(letters: readonly string[]): boolean {
  const most = /[a-z]/.test(letters[0] ?? '') ? mostConsonants.latin : mostConsonants.cyrillic
  let consonants = 0
  let inRow = 0
  let vowelsInRow = 0
  for (const letter of letters) {
    if (vowels.test(letter.normalize('NFD').charAt(0)) || vowels.test(letter)) {
      inRow = 0
      if (++vowelsInRow >= 6) return false
    } else {
      vowelsInRow = 0
      consonants++
      if (++inRow >= most) return false
    }
  }
  return consonants < letters.length || consonants < 5
}
