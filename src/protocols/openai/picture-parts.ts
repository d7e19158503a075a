/** Which parts of a form hold pictures, by their names. */

// `image`, `image[]`, `image[0]` and `image[0][image_url]` are spellings of one list.
const listName =
  /^(image|images|image_urls|imageUrls|input_references|inputReferences)(?:\[\d*\])?(?:\[(?:image_url|url)\])?$/

/** The list that a part belongs to, as it is spelt; absent for a part of none. */
export const pictureListOf = (name: string): string | undefined => listName.exec(name)?.[1]

/** Text in it may be a picture as base64, and weigh as much. */
export const holdsPicture = (name: string): boolean => pictureListOf(name) !== undefined || name === 'mask'
