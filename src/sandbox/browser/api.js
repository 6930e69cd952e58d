/** The sandbox's control API, as the page uses it. */

/**
 * @param {string} path below `/sandbox/`
 * @returns {Promise<unknown>}
 */
export async function get(path) {
  return answerOf(await fetch(`/sandbox/${path}`))
}

/**
 * @param {string} path below `/sandbox/`
 * @param {unknown} body
 * @returns {Promise<unknown>}
 */
export async function post(path, body) {
  const headers = { 'content-type': 'application/json' }
  return answerOf(await fetch(`/sandbox/${path}`, { method: 'POST', headers, body: JSON.stringify(body) }))
}

/**
 * @param {Response} response
 * @returns {Promise<unknown>}
 */
async function answerOf(response) {
  if (!response.ok) throw new Error(await response.text())
  return response.json()
}

/** @param {string} unique a file's `file_unique_id` */
export function fileUrl(unique) {
  return `/sandbox/files/${encodeURIComponent(unique)}`
}
