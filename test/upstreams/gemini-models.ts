/** Google's image models as its documents describe them; each vendor that resells them has its own ids and bounds. */
import type { SandboxModel } from '../../src/sandbox/model.ts'

export const tenRatios = ['1:1', '2:3', '3:2', '3:4', '4:3', '4:5', '5:4', '9:16', '16:9', '21:9']
const fourteenRatios = [...tenRatios, '1:4', '4:1', '1:8', '8:1']

export const flash25: SandboxModel = {
  id: 'gemini-2.5-flash-image',
  displayName: 'Nano Banana',
  ratios: tenRatios,
  tiers: [],
  mediaType: 'image/png',
  maxReferences: null,
  search: false,
  thinking: false,
  thinkingLevels: [],
  tokensPerImage: 1290,
}

export const flash31: SandboxModel = {
  id: 'gemini-3.1-flash-image',
  displayName: 'Nano Banana 2',
  ratios: fourteenRatios,
  tiers: ['512', '1K', '2K', '4K'],
  mediaType: 'image/jpeg',
  maxReferences: 14,
  search: true,
  thinking: true,
  thinkingLevels: ['minimal', 'high'],
  tokensPerImage: { '512': 747, '1K': 1120, '2K': 1680, '4K': 2520 },
}

export const pro3: SandboxModel = {
  ...flash31,
  id: 'gemini-3-pro-image',
  displayName: 'Nano Banana Pro',
  ratios: tenRatios,
  tiers: ['1K', '2K', '4K'],
  thinkingLevels: [],
  tokensPerImage: { '1K': 1120, '2K': 1120, '4K': 2000 },
}

export const nano21: SandboxModel = {
  ...flash31,
  id: 'gemini-nano-banana-2.1',
  displayName: 'Nano Banana 2.1',
  // One user's note says that 512 is taken; the documentation has none.
  tiers: ['1K', '2K', '4K'],
  thinkingLevels: ['minimal', 'medium', 'high'],
  tokensPerImage: { '1K': 1120, '2K': 1680, '4K': 3780 },
}

export const lite31: SandboxModel = {
  ...flash31,
  id: 'gemini-3.1-flash-lite-image',
  displayName: 'Nano Banana 2 Lite',
  // Sources disagree on ten or fourteen.
  ratios: tenRatios,
  tiers: ['1K'],
  search: false,
  tokensPerImage: { '1K': 1120 },
}

export const googleModels = [nano21, flash31, pro3, lite31, flash25]
