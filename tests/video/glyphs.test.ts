import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { FontFault, missingGlyphs } from '../../src/video/glyphs.ts'
import { temporaryFolder } from './tiny.ts'

const caveat = createRequire(import.meta.url).resolve('@expo-google-fonts/caveat/700Bold/Caveat_700Bold.ttf')

test('characters a font has not are named once each, in order', () => {
  expect(missingGlyphs(caveat, 'Маша Анна-Мария')).toEqual([])
  expect(missingGlyphs(caveat, '太Маша太郎')).toEqual(['太', '郎'])
  expect(missingGlyphs(caveat, '😀')).toEqual(['😀'])
})

test('a letter with its mark apart counts as the composed one', () => {
  expect(missingGlyphs(caveat, 'Йод'.normalize('NFD'))).toEqual([])
})

test('what is no font is said to be none', () => {
  const file = join(temporaryFolder(), 'font.ttf')
  writeFileSync(file, Buffer.alloc(300, 7))
  expect(() => missingGlyphs(file, 'a')).toThrow(FontFault)
})
