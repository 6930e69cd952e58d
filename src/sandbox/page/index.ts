/** The chat page's files. They are texts within modules, so that a built package needs nothing beside its code. */

export interface PageFile {
  headers: Record<string, string>
  body: string
}

/** What lies at a path; undefined when nothing does. */
export function page(_path: string): PageFile | undefined {
  return undefined
}
