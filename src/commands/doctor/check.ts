/** What a check is, and what comes of it. */

/** The outcome of one check. */
export interface Check {
  name: string
  state: 'pass' | 'warning' | 'failure'
  message: string
}

/** What a check found; a text alone: all is well. */
export type Finding = { state: Check['state']; message: string } | string

/** Looks, and reports the outcome. What is thrown is a failure. */
export type RunCheck = (name: string, look: () => Promise<Finding>) => Promise<void>
