/** The chat page: the files of `browser/`, with the headers that keep everything else out of it. */
import { readBrowserFiles } from '../browser-files.ts'

interface PageFile {
  headers: Record<string, string>
  body: string
}

// Nothing but this server's own files, no code within the page, no frame around it.
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** The files that are not served under their own name. */
const paths: Record<string, string> = { 'page.html': '/', 'icon.svg': '/favicon.ico' }

/** The page's files, by the path at which they are served. */
export function readPage(): Map<string, PageFile> {
  const files = readBrowserFiles(new URL('./browser/', import.meta.url))
  return new Map(
    [...files].map(([name, { type, body }]) => {
      const headers = {
        'content-type': `${type}; charset=utf-8`,
        'content-security-policy': policy,
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'cache-control': 'no-cache',
      }
      return [paths[name] ?? `/${name}`, { headers, body }]
    }),
  )
}
