/** What a model is told of a mask that it is shown as a picture, since its upstream takes none. */

/** How the two are called in the message: `The next picture`, `picture 1`. */
export interface MaskNames {
  /** At the beginning of a sentence. */
  readonly mask: string
  readonly picture: string
}

export const maskLabel = ({ mask, picture }: MaskNames): string =>
  `${mask} is a mask of ${picture}, pixel for pixel. Paint ${picture} again and change it only where the mask is white. ` +
  'Where the mask is black, leave everything as it is and where it is. Do not paint the mask.'
