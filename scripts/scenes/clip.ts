/** The whole clip, moment by moment: which scene is seen, from where, in which light. */
import { clamp, mix, smooth, softer, wander } from './ease.ts'
import { drawFireworks, drawRisingSparks, flashAt } from './fireworks.ts'
import { drawLettering, setLine, type Lettering } from './lettering.ts'
import {
  bloom,
  halved,
  layerOf,
  newPicture,
  put,
  vignette,
  type Layer,
  type Picture,
  type Place,
  type Rgb,
} from './light.ts'
import { drawCandle, drawFrame, drawRoom, drawSprig, layMist, makePane, throughMist, type Pane } from './pane.ts'
import { drawSnow, makeSnow } from './snow.ts'
import {
  drawEnd,
  drawHero,
  drawNear,
  drawVillage,
  frameHeight,
  frameWidth,
  heroNearness,
  heroPane,
  makeVillage,
  placeOf,
  type Camera,
  type Mood,
  type Village,
} from './village.ts'

export const fps = 30
export const seconds = 20
/** The name is written on the glass between these moments. */
const nameFrom = 8
const nameTo = 12
/** Before this moment all editions look the same. */
export const wordsFrom = 12.2

export type Edition = { id: string; greeting: [string, string]; wish: string }

export const editions: Edition[] = [
  { id: 'new-year-ru', greeting: ['С Новым', 'годом!'], wish: 'Пусть сбудется самое заветное' },
  { id: 'new-year-en', greeting: ['Happy', 'New Year!'], wish: 'May your dearest wish come true' },
]

const corners = vignette(frameWidth, frameHeight, 0.5)
const whole: Place = { scale: 1, x: 0, y: 0 }
const snowLight: Rgb = [0.72, 0.84, 1]
const day: Rgb = [1, 1, 1]
const mistTint: Rgb = [0.012, 0.021, 0.047]

export type Clip = {
  village: Village
  pane: Pane
  snow: ReturnType<typeof makeSnow>
  letters: Map<string, Lettering[]>
  outside?: Picture
}

/** Paints all that stands still. */
export function makeClip(): Clip {
  const letters = new Map(
    editions.map(({ id, greeting, wish }) => [
      id,
      [
        setLine(
          { text: greeting[0], baseline: 288, size: 158, face: 'greeting', from: 14.1, seconds: 0.8, weight: 1.4 },
          151,
          600,
        ),
        setLine(
          { text: greeting[1], baseline: 436, size: 158, face: 'greeting', from: 14.7, seconds: 0.8, weight: 1.4 },
          152,
          500,
        ),
        setLine({ text: wish, baseline: 538, size: 44, face: 'wish', from: 16.6, seconds: 1.1, weight: 0.7 }, 153, 110),
      ],
    ]),
  )
  return { village: makeVillage(), pane: makePane(), snow: makeSnow(1500, 161), letters }
}

/** How much larger the window looks than from afar: 1 at first, and at last the pane fills the frame. */
function nearing(time: number): number {
  const share = 0.92 * softer(2.2, 6.2, time) + 0.08 * smooth(4.4, 8, time)
  return (frameWidth / heroPane.width) ** share
}

function arriving(time: number): Camera {
  const scale = nearing(time)
  const turned = softer(2, 5.4, time)
  const descent = softer(-0.6, 3.9, time)
  const offsetX = heroPane.x + heroPane.width / 2 - 360
  const offsetY = heroPane.y + heroPane.height / 2 - 640
  return {
    x: (offsetX - (offsetX * (1 - turned)) / scale) / heroNearness,
    y: (offsetY - (offsetY * (1 - turned)) / scale) / heroNearness - 150 * (1 - descent),
    z: (1 - 1 / scale) / heroNearness,
    tilt: 430 * (1 - descent),
  }
}

function leaving(time: number): Camera {
  const on = softer(12.2, 16, time)
  return {
    x: mix(-16, 10, smooth(12, 20, time)),
    y: 4 * wander(time * 0.4, 2),
    z: 0.52 + 0.2 * on + 0.07 * smooth(13, 20, time),
    tilt: 0,
  }
}

const close = newPicture(frameWidth, frameHeight)
const closeData = new Float32Array(frameWidth * frameHeight * 4)

/** The close view of the window, before anybody comes out: 4 to 12 s. */
function drawClose(picture: Picture, clip: Clip, time: number): void {
  const near = smooth(3, 7, time)
  drawRoom(
    picture,
    clip.pane,
    time,
    near,
    mix(1, 0.5, smooth(9.5, 12, time)) * mix(1, 1.25, smooth(6, 8, time)),
    mix(1, 0.34, smooth(6, 8.4, time)) * mix(1, 0.4, smooth(9, 12, time)),
  )
  drawCandle(picture, clip.pane, time, 1)
  const coming = smooth(6, 7.95, time) * 0.9 + 0.1 * clamp((time - 6) / 1.95)
  if (coming > 0) {
    const behind = throughMist(picture)
    const out = smooth(9.2, 12, time)
    if (out > 0) {
      const night = outside(clip)
      for (let at = 0; at < behind.data.length; at++)
        behind.data[at] = behind.data[at]! * (1 - out * 0.4) + night.data[at]! * out * 0.5
    }
    layMist(picture, clip.pane, behind, coming, 0, mistTint)
  }
  drawFrame(picture, clip.pane, whole, mix(0.82, 1, smooth(5, 9, time)), 0, day, day)
  drawSprig(picture, clip.pane, whole, 1)
}

/** What will be seen when the mist clears, out of focus. */
function outside(clip: Clip): Picture {
  if (!clip.outside) {
    const picture = newPicture(frameWidth, frameHeight)
    drawOutside(picture, clip, nameTo)
    clip.outside = throughMist(picture)
  }
  return clip.outside
}

function drawOutside(picture: Picture, clip: Clip, time: number): void {
  const camera = leaving(time)
  const mood: Mood = { night: day, flash: flashAt(time), lights: 0.16 + 0.84 * smooth(13.4, 17.6, time), hero: false }
  drawVillage(picture, clip.village, camera, mood, time, (place) => drawFireworks(picture, place, time, 1))
  const snow = smooth(12, 13, time) * 0.1 + 0.42
  drawSnow(picture, clip.snow, camera, time, snowLight, snow, 1.5)
  drawEnd(picture, clip.village, camera, mood, time)
  drawSnow(picture, clip.snow, camera, time, snowLight, snow * smooth(12.8, 14.5, time), 0.3, 1.5)
}

function layerFrom(picture: Picture): Layer {
  for (let at = 0, from = 0; at < closeData.length; at += 4, from += 3) {
    closeData[at] = picture.data[from]!
    closeData[at + 1] = picture.data[from + 1]!
    closeData[at + 2] = picture.data[from + 2]!
    closeData[at + 3] = 1
  }
  return layerOf(frameWidth, frameHeight, closeData, heroPane.x, heroPane.y, frameWidth / heroPane.width)
}

function drawArrival(picture: Picture, clip: Clip, time: number): void {
  const camera = arriving(time)
  const mood: Mood = { night: day, flash: [0, 0, 0], lights: 0, hero: true }
  const scale = placeOf(camera, heroNearness).scale
  const wide = 1 - smooth(4.2, 5.2, scale)
  if (scale < 5.2) {
    drawVillage(picture, clip.village, camera, mood, time)
    drawSnow(picture, clip.snow, camera, time, snowLight, 0.46 * wide, 1.5)
  }
  drawHero(picture, clip.village, camera, mood, time, (place) => {
    if (heroPane.y * place.scale + place.y > frameHeight) return
    close.data.fill(0)
    drawClose(close, clip, time)
    let layer = layerFrom(close)
    while (layer.density / place.scale > 1.6) layer = halved(layer)
    put(picture, layer, place)
  })
  drawSnow(picture, clip.snow, camera, time, snowLight, 0.46, 0.3, Math.min(1.5, 1 / heroNearness - camera.z))
  drawNear(picture, clip.village, camera, mood)
}

/** One moment without lettering. `picture` is overwritten. */
export function drawMoment(picture: Picture, clip: Clip, time: number): void {
  picture.data.fill(0)
  if (time < nameFrom) drawArrival(picture, clip, time)
  else if (time < nameTo) drawClose(picture, clip, time)
  else {
    drawOutside(picture, clip, time)
    const going = softer(11.9, 13.5, time)
    if (going < 1) {
      const room = newPicture(frameWidth, frameHeight)
      drawRoom(room, clip.pane, time, 1, 0.625, 0.136)
      drawCandle(room, clip.pane, time, 1)
      const behind = throughMist(room)
      const night = outside(clip)
      for (let at = 0; at < behind.data.length; at++)
        behind.data[at] = behind.data[at]! * 0.6 * (1 - going) + night.data[at]! * (0.5 + 0.5 * going)
      layMist(picture, clip.pane, behind, 1, going, mistTint)
    }
    const through = softer(12.7, 15.1, time)
    if (through < 1) {
      const scale = 1 + 1.5 * through ** 1.25
      const place = { scale, x: 360 - 360 * scale, y: 760 - 760 * scale }
      const gone = 1 - smooth(0.55, 0.95, through)
      drawCandle(picture, clip.pane, time, smooth(12.05, 13.2, time) * gone, place)
      drawFrame(picture, clip.pane, place, gone, smooth(0.02, 0.5, through), day, day, gone)
      drawSprig(picture, clip.pane, place, gone)
    }
    drawRisingSparks(picture, time, nameTo)
  }
}

/** The lettering of one edition, on a picture that `drawMoment` drew. */
export function drawWords(picture: Picture, clip: Clip, edition: string, time: number): void {
  if (time < wordsFrom) return
  for (const line of clip.letters.get(edition) ?? []) drawLettering(picture, line, time, 1)
}

/** The lens: bright things spill light. */
export function throughLens(picture: Picture): void {
  bloom(picture, 0.32)
}

/** How light the film is exposed: the clip comes out of the dark and goes back into it. */
export function exposureAt(time: number): number {
  return 1.12 * (0.1 + 0.9 * smooth(0, 0.9, time)) * (1 - smooth(18.9, 19.9, time)) ** 1.5
}

export { corners }
