/** Programs that we start lead a group of their own, so that all they started ends with them. */

/** Ends the group that the process leads, or on Windows the process, at once. */
export function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL')
  } catch {
    // It has ended meanwhile.
  }
}
