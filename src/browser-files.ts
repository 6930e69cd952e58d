/**
 * Files made for a browser: styles, scripts and markup in a folder named `browser`, which the build copies as it is.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface BrowserFile {
  /** MIME type, without a charset; all are UTF-8 */
  type: string
  body: string
}

const types: Record<string, string> = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.svg': 'image/svg+xml',
}

/** All files of a folder, by name. */
export function readBrowserFiles(folder: URL): Map<string, BrowserFile> {
  const path = fileURLToPath(folder)
  return new Map(
    readdirSync(path).map((name) => {
      const type = types[extname(name)] ?? 'application/octet-stream'
      return [name, { type, body: readFileSync(join(path, name), 'utf8') }]
    }),
  )
}
