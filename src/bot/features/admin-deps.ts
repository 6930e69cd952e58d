/** What the admins' commands need. */
import type { Times } from '../../config.ts'
import type { RespondDeps } from '../respond.ts'

/** Whoever answers people can answer admins, and knows how long things take. */
export interface AdminDeps extends RespondDeps {
  times: Times
}
