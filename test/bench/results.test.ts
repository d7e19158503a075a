import { expect, test } from 'vitest'
import { withSection } from '../../bench/results.ts'

test('each command replaces its own section of the results and leaves the others', () => {
  const both = withSection(withSection('', 'npm run bench', '# One\n'), 'npm run bench:limits', '# Two\n')
  const again = withSection(both, 'npm run bench', '# One, anew\n')
  expect(again).toBe(both.replace('# One\n', '# One, anew\n'))
  expect(withSection(again, 'npm run bench', '# One\n')).toBe(both)
})
