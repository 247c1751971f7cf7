import { expect, it } from 'vitest'
import { system } from '../../../../../seaworthy.config.ts'
import { describe as describeSystem } from '../../description/index.ts'
import { vercel } from './vercel.ts'

it('keeps assets for a year with the headers of the service, and leads everything else there', () => {
  const [file] = vercel.render(describeSystem({ ...system, deployment: { host: 'app.example.com' } }, '1.0.0'))
  const { headers, rewrites } = JSON.parse(file?.text ?? '')
  expect(headers[0].source).toBe('/assets/(.*)')
  expect(headers[0].headers).toContainEqual({ key: 'x-content-type-options', value: 'nosniff' })
  expect(headers[0].headers).toContainEqual({ key: 'cache-control', value: 'public, max-age=31536000, immutable' })
  expect(rewrites).toEqual([{ source: '/(.*)', destination: 'https://service.app.example.com/$1' }])
})
