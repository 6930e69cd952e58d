/**
 * Commit subjects have at most 72 characters: `git log --oneline`, mail and web pages cut longer ones.
 * `node scripts/check-subjects.js` checks all commits since the rule came; with a file (as the commit-msg hook
 * passes one), the message in it.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const longest = 72
/** The rule holds after this commit. */
const since = 'f264cf8afec9b9ef29783378e4a27ffcbe45cede'

const git = (/** @type {string[]} */ ...args) =>
  execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })

function subjects() {
  const file = process.argv[2]
  if (file !== undefined) return [readFileSync(file, 'utf8').split('\n')[0] ?? '']
  try {
    git('merge-base', '--is-ancestor', since, 'HEAD')
  } catch {
    // No repository, or only its newest commits: there is nothing to check.
    return []
  }
  return git('log', '--no-merges', '--format=%s', `${since}..HEAD`).split('\n')
}

const tooLong = subjects().filter((subject) => [...subject].length > longest)
for (const subject of tooLong) console.error(`${[...subject].length} characters, at most ${longest}: ${subject}`)
if (tooLong.length > 0) process.exitCode = 1
