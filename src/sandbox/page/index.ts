/** The chat page's files. They are texts within modules, so that a built package needs nothing beside its code. */
import { icon, markup } from './markup.ts'
import { script } from './script.ts'
import { style } from './style.ts'

export interface PageFile {
  headers: Record<string, string>
  body: string
}

// Nothing but this server's own files, no code within the page, no frame around it.
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const files: Record<string, PageFile> = {
  '/': file('text/html', markup),
  '/page.css': file('text/css', style),
  '/page.js': file('text/javascript', script),
  '/favicon.ico': file('image/svg+xml', icon),
}

function file(type: string, body: string): PageFile {
  return {
    headers: {
      'content-type': `${type}; charset=utf-8`,
      'content-security-policy': policy,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'no-cache',
    },
    body,
  }
}

/** What lies at a path; undefined when nothing does. */
export function page(path: string): PageFile | undefined {
  return Object.hasOwn(files, path) ? files[path] : undefined
}
