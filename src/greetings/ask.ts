/** What is asked of the door. */

/** A name asked for. */
export interface Ask {
  template: string
  key: string
  display: string
  /** how the operator's list wants it spoken */
  say?: string | null
}

/** Tells asks and assets apart. */
export const askKey = ({ template, key }: { template: string; key: string }) => `${template}\n${key}`
