/** What the cells beside a name say. */
import { excerpt } from './rejects.ts'

const maxSay = 200

/** A whole or decimal number, perhaps with blanks between thousands; null for none; undefined for what is no number. */
export function countFrom(cell: string | undefined): number | null | undefined {
  const digits = cell?.replace(/[\s\u00A0\u202F_']/g, '') ?? ''
  if (digits === '') return null
  if (/^\d{1,3}(?:,\d{3})+$/.test(digits)) return Number(digits.replaceAll(',', ''))
  return /^\d{1,15}(?:[.,]\d{1,15})?$/.test(digits) ? Number(digits.replace(',', '.')) : undefined
}

export function genderFrom(cell: string | undefined): string | null {
  return excerpt(cell?.trim() ?? '').slice(0, 20) || null
}

/** Plain text for the voice; null for none; undefined for what is damaged or longer than any name takes to say. */
export function sayFrom(cell: string | undefined): string | null | undefined {
  if (!cell) return null
  const text = cell
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Cs}\p{Default_Ignorable_Code_Point}\s]+/gu, ' ')
    .trim()
  if (text === '') return null
  return text.length > maxSay || text.includes('\uFFFD') ? undefined : text
}
