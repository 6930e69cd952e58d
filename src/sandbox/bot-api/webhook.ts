/** Brings one update to a bot's webhook. */
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Update, Webhook } from '../state/records.ts'

/** Sends one update, as JSON. @throws Error `timeout`, and what the connection throws */
export function postUpdate(
  webhook: Webhook,
  update: Update,
  timeoutMs: number,
  stopped: AbortSignal,
): Promise<{ status: number; body: string }> {
  const body = JSON.stringify(update)
  const send = webhook.url.startsWith('https:') ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const request = send(webhook.url, {
      method: 'POST',
      signal: stopped,
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        ...(webhook.secret_token === undefined ? {} : { 'x-telegram-bot-api-secret-token': webhook.secret_token }),
      },
    })
    const timer = setTimeout(() => request.destroy(new Error('timeout')), timeoutMs)
    request.on('response', (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text.length < 1_000_000 ? (text += chunk) : undefined))
      response.on('end', () => {
        clearTimeout(timer)
        resolve({ status: response.statusCode ?? 0, body: text })
      })
      response.on('error', reject)
    })
    request.on('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    request.end(body)
  })
}
