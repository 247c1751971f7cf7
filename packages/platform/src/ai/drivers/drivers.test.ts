import { Secret } from '@seaworthy/core'
import { type FakeEngine, openFakeEngine, until } from '@seaworthy/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { EngineFailure, type Question } from '../engine.ts'
import { geminiDriver } from './gemini.ts'
import { openAiDriver } from './openai-compatible.ts'
import { v0Driver } from './v0.ts'

const schema = {
  type: 'object',
  properties: { title: { type: 'string' } },
  required: ['title'],
  additionalProperties: false,
}
const question: Question = {
  instructions: 'Give it a title.',
  text: 'Milk 1.20',
  images: [{ type: 'image/png', bytes: Uint8Array.of(137, 80, 78, 71) }],
  schema,
  temperature: 0,
  answerTokensMax: 60,
}
const drivers = { openai: openAiDriver('openai'), gemini: geminiDriver(), v0: v0Driver() } as const

describe.each(Object.entries(drivers))('the engine %s', (name, driver) => {
  let fake: FakeEngine
  beforeAll(async () => {
    fake = await openFakeEngine(() => ({ text: '{"title":"Milk"}', tokensIn: 12, tokensOut: 7 }))
  })
  beforeEach(() => fake.play(() => ({ text: '{"title":"Milk"}', tokensIn: 12, tokensOut: 7 })))
  afterAll(() => fake.close())
  const at = () => ({ url: fake.url, key: new Secret('the-key-of-the-engine'), model: 'some-model' })
  const ask = (signal = AbortSignal.timeout(20_000), given = question) => driver.ask(at(), given, signal)
  const failureOf = async (signal?: AbortSignal): Promise<EngineFailure> => {
    const error = await ask(signal).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(EngineFailure)
    return error as EngineFailure
  }

  it('asks in the words of its protocol, and reads text and tokens', async () => {
    expect(await ask()).toEqual({ text: '{"title":"Milk"}', tokensIn: 12, tokensOut: 7, cut: false })
    const call = fake.calls.at(-1)
    const messages = call?.body.messages as unknown[] | undefined
    expect(call?.path).not.toContain('the-key-of-the-engine')
    const sent = JSON.stringify(call?.body)
    expect(sent).toContain('Milk 1.20')
    expect(sent).toContain('iVBORw')
    if (name === 'gemini') {
      expect(call?.path).toBe('/v1/models/some-model:generateContent')
      expect(call?.headers['x-goog-api-key']).toBe('the-key-of-the-engine')
      expect(call?.body).toMatchObject({
        systemInstruction: { parts: [{ text: 'Give it a title.' }] },
        generationConfig: { maxOutputTokens: 60, temperature: 0, responseMimeType: 'application/json' },
      })
    } else {
      expect(call?.path).toBe('/v1/chat/completions')
      expect(call?.headers.authorization).toBe('Bearer the-key-of-the-engine')
      expect(call?.body).toMatchObject({ model: 'some-model', max_tokens: 60, temperature: 0 })
      expect(messages?.[0]).toEqual({ role: 'system', content: 'Give it a title.' })
      expect(call?.body.response_format).toMatchObject(
        name === 'openai' ? { type: 'json_schema', json_schema: { schema } } : { type: 'json_object' },
      )
    }
    expect(sent).not.toContain('"tools"')
  })

  it('shows its own answer back when it is to be mended', async () => {
    await ask(undefined, { ...question, mend: { answer: 'Milk!', fault: 'It is not JSON.' } })
    const sent = JSON.stringify(fake.calls.at(-1)?.body)
    expect(sent.indexOf('Milk 1.20')).toBeLessThan(sent.indexOf('Milk!'))
    expect(sent.indexOf('Milk!')).toBeLessThan(sent.indexOf('It is not JSON.'))
  })

  it('says when the answer stopped at its bound', async () => {
    fake.play(() => ({ text: '{"title":"Mi', finish: 'length' }))
    expect((await ask()).cut).toBe(true)
  })

  it.each([
    [429, { 'retry-after': '3' }, 'busy', 3_000, false],
    [503, { 'retry-after': '2' }, 'busy', 2_000, false],
    [500, {}, 'failed', undefined, false],
    [502, {}, 'failed', undefined, false],
    [401, {}, 'refused', undefined, false],
    [400, {}, 'refused', undefined, false],
  ] as const)('understands an answer of %s %j', async (status, headers, kind, retryAfterMs, mayCost) => {
    fake.play(() => ({ status, headers }))
    expect(await failureOf()).toMatchObject({ kind, retryAfterMs, mayCost })
  })

  it('does not follow to where it is sent on', async () => {
    fake.play(() => ({ status: 307, headers: { location: 'http://127.0.0.1:1/' } }))
    const before = fake.calls.length
    await failureOf()
    expect(fake.calls.length).toBe(before + 1)
  })

  it.each(['reset', 'cut', 'garbage', 'foreign'] as const)(
    'takes %s for a failure that may have cost something',
    async (how) => {
      fake.play(() => how)
      expect(await failureOf()).toMatchObject({ kind: 'failed', mayCost: true })
    },
  )

  it('reads no more of an answer than its bound', async () => {
    fake.play(() => 'huge')
    expect(await failureOf()).toMatchObject({ kind: 'too-long', mayCost: true })
    await until('the engine sees that nobody reads', () => fake.calls.at(-1)?.left)
  })

  it.each(['hang', 'drip'] as const)('ends when nobody waits any more for %s', async (how) => {
    fake.play(() => how)
    await failureOf(AbortSignal.timeout(200))
  })

  it('knows that a call which never arrived cost nothing', async () => {
    const gone = await openFakeEngine(() => 'hang')
    await gone.close()
    const { url } = gone
    const error = await driver.ask({ ...at(), url }, question, AbortSignal.timeout(5_000)).catch((e: unknown) => e)
    expect(error).toMatchObject({ kind: 'failed', mayCost: false })
  })

  it('believes no count that cannot be true', async () => {
    fake.play(() => ({ text: '{}', tokensIn: -5, tokensOut: 1e15 }))
    const told = await ask()
    expect(told.tokensIn).toBeUndefined()
    expect(told.tokensOut).toBe(10_000_000)
  })

  it('gives a text piece by piece, and its tokens at the end', async () => {
    fake.play(() => ({ text: 'one two three', tokensIn: 4, tokensOut: 3 }))
    const pieces = []
    for await (const piece of driver.stream(at(), { ...question, schema: undefined }, AbortSignal.timeout(5_000)))
      pieces.push(piece)
    expect(pieces.map(({ text = '' }) => text).join('')).toBe('one two three')
    expect(pieces.length).toBeGreaterThan(2)
    expect(pieces.at(-1)?.end).toEqual({ tokensIn: 4, tokensOut: 3, cut: false })
  })

  it('says when a stream breaks off', async () => {
    fake.play(() => 'cut')
    const read = async () => {
      for await (const _ of driver.stream(at(), { ...question, schema: undefined }, AbortSignal.timeout(5_000)));
    }
    await expect(read()).rejects.toMatchObject({ kind: 'failed', mayCost: true })
  })
})
