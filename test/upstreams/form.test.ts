/** The reader of forms takes what all readers take, and nothing else. */
import { expect, test } from 'vitest'
import { boundary, formBytes, formType, textParts } from '../helpers/forms.ts'
import { readForm, sha256 } from './form.ts'

const picture = Buffer.from([0, 13, 10, 45, 45, 255, 13, 10])
const good = formBytes([
  ...textParts({ prompt: 'naïve\r\n--lines' }),
  { name: 'image[]', value: picture, fileName: 'ä.png', type: 'image/png' },
])

test('parts in order, their bytes untouched', () => {
  expect(readForm(formType, good)).toEqual([
    expect.objectContaining({
      name: 'prompt',
      fileName: null,
      contentType: null,
      bytes: Buffer.from('naïve\r\n--lines'),
    }),
    { name: 'image[]', fileName: 'ä.png', contentType: 'image/png', bytes: picture, sha256: sha256(picture) },
  ])
})

const text = good.toString('latin1')
test.each([
  ['no boundary', 'multipart/form-data', text],
  ['another boundary', 'multipart/form-data; boundary=other', text],
  ['something before the first boundary', formType, `hello\r\n${text}`],
  ['something behind the last', formType, `${text}hello`],
  ['no end', formType, text.slice(0, -boundary.length)],
  ['a part without a name', formType, text.replace('name="prompt"', 'title="prompt"')],
  [
    'a part with a transfer encoding',
    formType,
    text.replace('form-data; name="prompt"\r\n', 'form-data; name="prompt"\r\nContent-Transfer-Encoding: binary\r\n'),
  ],
  ['bare line feeds', formType, text.replaceAll('\r\n', '\n')],
  ['a boundary that runs on', formType, text.replace(`${boundary}--`, `${boundary}x--`)],
])('%s is refused', (_, type, form) => {
  expect(() => readForm(type, Buffer.from(form, 'latin1'))).toThrow()
})
