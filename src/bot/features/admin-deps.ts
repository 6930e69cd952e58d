/** What the admins' commands need. */
import type { Times } from '../../config.ts'
import type { RespondDeps } from '../respond.ts'
import type { WarmRuns } from '../warm-runs.ts'

/** Whoever answers people can answer admins, with the times of this installation and the lists at work. */
export interface AdminDeps extends RespondDeps {
  times: Times
  warmRuns: WarmRuns
}
