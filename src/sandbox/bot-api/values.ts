/** Reads single parameters of a call, as forms or JSON bring them. */
import { badRequest } from '../refusal.ts'
import type { Parameters } from './parameters.ts'

export function raw({ values }: Parameters, name: string): unknown {
  return values[name]
}

export function text(parameters: Parameters, name: string): string {
  const value = raw(parameters, name)
  if (typeof value === 'string') return value
  return value === undefined || value === null ? '' : JSON.stringify(value)
}

export function number(parameters: Parameters, name: string): number {
  const value = text(parameters, name)
  return /^-?\d+$/.test(value) ? Number(value) : 0
}

export function flag(parameters: Parameters, name: string): boolean {
  return ['true', 'yes', '1'].includes(text(parameters, name).toLowerCase())
}

/** A structured parameter: JSON itself, or JSON within a string as forms bring it. */
export function structure(parameters: Parameters, name: string): unknown {
  const value = raw(parameters, name)
  if (typeof value !== 'string') return value ?? undefined
  if (value === '') return undefined
  try {
    return JSON.parse(value) as unknown
  } catch {
    throw badRequest(`can't parse ${name.replaceAll('_', ' ')} JSON object`)
  }
}
