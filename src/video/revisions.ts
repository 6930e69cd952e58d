/** What a video is made of, as a content hash: known without making anything. */
import { createHash } from 'node:crypto'
import { openRecordings, type Recording } from '../speech/recordings.ts'
import type { Speaker } from '../speech/speaker.ts'
import { encodingRevision, partOptions, soundOptions } from './encoding.ts'
import { templateRevision } from './load-templates.ts'
import type { Template } from './template.ts'

export interface VideoName {
  /** lookup and dedup */
  key: string
  /** what is drawn, and spoken unless `say` is given */
  display: string
  /** how the operator's list wants it spoken */
  say: string | null
}

export interface Revisions {
  /** What is heard in the place of the voice; undefined: the voice. */
  recordingOf(template: Template, name: VideoName): Promise<Recording | undefined>
  /**
   * Of all that goes into the video: template, encoder settings, voice and spoken text, or the recording, drawn text.
   */
  of(template: Template, name: VideoName, recording: Recording | undefined): Promise<string>
  /** The same, with the recording there is now. */
  now(template: Template, name: VideoName): Promise<string>
  /** Of the template alone; read once. */
  ofTemplate(template: Template): Promise<string>
}

/** The revisions of videos that this voice, or an actor of `recordingsFolder`, speaks. */
export function createRevisions(
  speaker: Pick<Speaker, 'identity' | 'sentence'>,
  recordingsFolder: string | undefined,
): Revisions {
  const recordings = recordingsFolder === undefined ? undefined : openRecordings(recordingsFolder)
  const ofTemplates = new Map<string, Promise<string>>()
  const ofTemplate = (template: Template) => {
    let revision = ofTemplates.get(template.id)
    if (revision === undefined) ofTemplates.set(template.id, (revision = templateRevision(template)))
    return revision
  }
  const revisions: Revisions = {
    ofTemplate,
    now: async (template, name) => revisions.of(template, name, await revisions.recordingOf(template, name)),
    recordingOf: async (template, { key }) =>
      template.speech.length === 0 ? undefined : recordings?.find(template, key),
    async of(template, name, recording) {
      const heard =
        recording === undefined
          ? template.speech.map(({ text, language }) => [
              speaker.identity(language),
              speaker.sentence(text, name, language),
            ])
          : ['recording', recording.revision]
      const parts = [
        await ofTemplate(template),
        encodingRevision,
        partOptions(template, 0),
        soundOptions,
        heard,
        name.display,
      ]
      return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)
    },
  }
  return revisions
}
