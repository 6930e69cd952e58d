/** What all videos of a template share is made when a worker starts: no family waits for it. */
import { Outage, placeOf } from '../../errors.ts'
import { emit } from '../../events.ts'
import type { Renderer } from '../../video/renderer.ts'

/**
 * Prepares the enabled templates, one after the other, beside the first jobs; one that needs the same waits for it. Ends
 * early when it is aborted. What does not work is met again, and told, by the first job that needs it.
 */
export async function prepareTemplates(
  renderer: Pick<Renderer, 'warmUp'>,
  log: Record<'info' | 'warn', (fields: object, message: string) => void>,
  closing: AbortSignal,
): Promise<void> {
  try {
    await renderer.warmUp(closing, (template, ms) => {
      emit({ what: 'step', step: 'prepare', template, seconds: ms / 1_000 })
      log.info({ template, seconds: Math.round(ms / 100) / 10 }, 'the template is prepared')
    })
  } catch (error) {
    if (closing.aborted) return
    const reason = error instanceof Outage ? error.message : placeOf(error)
    log.warn({ trouble: 'preparing', reason }, 'a template could not be prepared now; its first video tries again')
  }
}
