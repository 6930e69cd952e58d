/** Answers over HTTP, in the forms in which the Bot API and the proxies before it give them. */
import type { ServerResponse } from 'node:http'
import type { Refusal } from './refusal.ts'

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body)
  response
    .writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
    .end(text)
}

export function refuse(response: ServerResponse, { code, description, parameters }: Refusal): void {
  sendJson(response, code, {
    ok: false,
    error_code: code,
    description,
    ...(parameters === undefined ? {} : { parameters }),
  })
}

export function sendText(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent) response.destroy()
  else response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(text)
}

/** What a proxy answers when the server behind it does not. */
export function sendHtml(response: ServerResponse, code: number): void {
  const names: Record<number, string> = {
    500: 'Internal Server Error',
    502: 'Bad Gateway',
    503: 'Service Unavailable',
    504: 'Gateway Time-out',
  }
  const title = `${code} ${names[code] ?? 'Error'}`
  const body = `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n<hr><center>nginx/1.18.0</center>\r\n</body>\r\n</html>\r\n`
  response.writeHead(code, { 'content-type': 'text/html', 'content-length': Buffer.byteLength(body) }).end(body)
}
