/** From words to a picture in SVG: chance seeded by the prompt paints, and what the prompt speaks of says which scene and hour. */
import { createHash } from 'node:crypto'
import type { Pixels } from '../../images/geometry.ts'
import { city } from './city.ts'
import { dunes } from './dunes.ts'
import { forest } from './forest.ts'
import { leaves } from './leaves.ts'
import { meadow } from './meadow.ts'
import { mountains } from './mountains.ts'
import { createPalette, moods } from './palette.ts'
import { paper } from './paper.ts'
import { planets } from './planets.ts'
import { createRandom } from './random.ts'
import { sea } from './sea.ts'
import type { Scene } from './stage.ts'
import { svg } from './stage.ts'
import { tiles } from './tiles.ts'

export interface Subject {
  readonly prompt: string
  /** Another number, another picture. */
  readonly seed: number
}

/**
 * The picture as SVG of `size` pixels. The same subject gives the same elements; another size, the same composition;
 * another `study`, the same scene in the same light with its things elsewhere.
 */
export function drawScene({ prompt, seed }: Subject, { width, height }: Pixels, study = 0): string {
  const chance = (use: string) => createRandom(createHash('sha256').update(`${use}\0${seed}\0${prompt}`).digest())
  const words = prompt.toLowerCase()
  const choice = chance('choice')
  const scene = spokenOf(sceneWords, words) ?? choice.pick(scenes)
  const mood = spokenOf(moodWords, words) ?? choice.pick(moods)
  const unit = 1000 / Math.sqrt(width * height)
  const painted = scene({
    width: width * unit,
    height: height * unit,
    random: chance(`scene ${study}`),
    palette: createPalette(mood, choice),
  })
  return svg`<svg width="${width}" height="${height}" viewBox="0 0 ${width * unit} ${height * unit}" preserveAspectRatio="none">${painted}</svg>`
}

const scenes: readonly [Scene, ...Scene[]] = [
  mountains,
  sea,
  dunes,
  forest,
  meadow,
  leaves,
  tiles,
  paper,
  planets,
  city,
]

const sceneWords: readonly (readonly [RegExp, Scene])[] = [
  [/\b(mountains?|alps|peaks?|valley|cliffs?|volcano)\b/, mountains],
  [/\b(sea|ocean|beach|waves?|sail\w*|boats?|ships?|lake|otters?|whales?|fish|harbou?r|island)\b/, sea],
  [/\b(deserts?|dunes?|sand|cactus|camels?)\b/, dunes],
  [/\b(forests?|woods|pines?|firs?|fox|owls?|bears?|aurora|snow\w*)\b/, forest],
  [/\b(meadows?|fields?|flowers?|farm|village|garden|sheep|cows?|house|cottage)\b/, meadow],
  [/\b(jungle|leaf|leaves|plants?|plantains?|bananas?|fruits?|tropical|parrots?)\b/, leaves],
  [/\b(patterns?|tiles?|geometric|mosaic|bauhaus|logos?|icons?)\b/, tiles],
  [/\b(abstract|paper|minimal\w*|wallpaper|background|gradient)\b/, paper],
  [/\b(space|planets?|galaxy|moons?|rockets?|astronauts?|saturn|universe)\b/, planets],
  [/\b(city|cities|skyline|towns?|streets?|buildings?|skyscrapers?|cyberpunk)\b/, city],
]

const moodWords = [
  [/\b(sunrise|dawn|morning|pastel)\b/, 'dawn'],
  [/\b(noon|day|sunny|bright)\b/, 'day'],
  [/\b(sunset|dusk|evening|golden hour)\b/, 'dusk'],
  [/\b(night|midnight|moonlit|dark|neon|stars)\b/, 'night'],
] as const

function spokenOf<T>(words: readonly (readonly [RegExp, T])[], prompt: string): T | undefined {
  return words.find(([word]) => word.test(prompt))?.[1]
}
