/** What is rendered, and in which steps. */
import type { Sound } from '../audio/sound.ts'
import type { Ffmpeg } from '../ffmpeg/find.ts'
import type { Template } from './template.ts'

/**
 * `prepare`: what all videos of the template share was made, or waited for, before this one. `gate`: the check of the
 * finished file; dashboards know it by that name.
 */
export type Step = 'speech' | 'prepare' | 'draw' | 'encode' | 'join' | 'gate'

/** Everything a render needs. Plain data, so that it can be sent to another process. */
export interface RenderJob {
  ffmpeg: Ffmpeg
  template: Template
  templateRevision: string
  /** what is drawn */
  display: string
  /** what is heard: one sound per entry of the template's `speech`, or a recording alone in the place of the first */
  spoken: Sound[]
  cacheFolder: string
  /** an empty folder for unfinished files, on the same file system as `videoFile` */
  workFolder: string
  videoFile: string
  thumbnailFile: string
}
