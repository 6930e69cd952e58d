/**
 * How our videos are encoded: the arguments for ffmpeg as data. One set of settings for every part of a video,
 * so that parts encoded at different times can be joined without encoding again.
 */
import { sampleRate } from '../audio/sound.ts'
import type { Template } from './template.ts'

/** Raised whenever the drawing, the mix or the arguments here change what a video looks or sounds like. */
export const encodingRevision = 2

/**
 * H.264 High, level 4.0 at most, as Telegram's players want it. `stitchable` keeps x264 from tuning the headers to
 * a part's content; a closed GOP at each part's start makes it independent. One thread costs the least in all: several
 * videos are made side by side, and a window has too few frames to share out.
 */
const videoOptions = (fps: number): string[] => [
  '-r',
  String(fps),
  '-c:v',
  'libx264',
  '-preset',
  'faster',
  '-crf',
  '24',
  '-profile:v',
  'high',
  '-level:v',
  '4.0',
  '-pix_fmt',
  'yuv420p',
  '-bf',
  '2',
  '-g',
  String(fps * 2),
  '-threads',
  '2',
  '-x264-params',
  'stitchable=1:open-gop=0:force-cfr=1:colorprim=bt709:transfer=bt709:colormatrix=bt709',
  '-color_range',
  'tv',
]

/** Constant quality has no bound on size; this keeps a restless clip below 10 MB at 20 s. */
const peakOptions = ['-maxrate', '3M', '-bufsize', '3M']

/**
 * Parts are MPEG transport streams with the time stamps they have in the whole, 10 s later, so that none is negative.
 */
export function partOptions(template: Template, startFrame: number): string[] {
  return [
    '-an',
    ...videoOptions(template.fps),
    ...peakOptions,
    '-f',
    'mpegts',
    '-muxdelay',
    '0',
    '-muxpreload',
    '0',
    '-output_ts_offset',
    (10 + startFrame / template.fps).toFixed(6),
    ...nameless,
  ]
}

/** Raw frames of the template's size on a pipe. */
export function rawFrames(template: Template): string[] {
  return [
    '-f',
    'rawvideo',
    '-pix_fmt',
    'yuv420p',
    '-video_size',
    `${template.size.width}x${template.size.height}`,
    '-framerate',
    String(template.fps),
  ]
}

/** Stereo samples on a pipe, 32-bit floating point, little endian. */
export const rawSound = ['-f', 'f32le', '-ar', String(sampleRate), '-ac', '2']

export const soundOptions = [
  '-c:a',
  'aac',
  '-profile:a',
  'aac_low',
  '-b:a',
  '160k',
  '-ar',
  String(sampleRate),
  '-ac',
  '2',
]

/** Nothing about this host, the program or the time in the file. */
export const nameless = [
  '-map_metadata',
  '-1',
  '-map_chapters',
  '-1',
  '-fflags',
  '+bitexact',
  '-flags:v',
  '+bitexact',
  '-flags:a',
  '+bitexact',
]

export const mp4Options = ['-movflags', '+faststart', '-f', 'mp4']

/** Bytes of one yuv420p frame. */
export function frameBytes(size: { width: number; height: number }): number {
  return (size.width * size.height * 3) / 2
}
