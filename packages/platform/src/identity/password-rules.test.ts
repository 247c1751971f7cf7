import { describe, expect, it } from 'vitest'
import { hashOfNothing } from './drivers/argon2.ts'
import { createPasswordRules } from './password-rules.ts'
import { createPasswords } from './passwords.ts'

const rules = createPasswordRules(['seaworthy', 'cosnap', 'Photo Effects'])
const check = (password: string, email = 'ann.miller@boats.example.com'): Promise<void> => rules.check(password, email)

describe('a new password', () => {
  it.each([
    ['one that many people use', 'password1'],
    ['the same in another case', 'PassWord1'],
    ['one character again and again', '77777777'],
    ['a few characters again and again', 'boatboatboat'],
    ['a piece of the alphabet', 'cdefghijk'],
    ['a row of the keyboard', 'qwertyuiop'],
    ['a row backwards', 'lkjhgfds'],
    ['digits in turn', '6789012345'],
    ['a birthday', '24121987'],
    ['a birthday of America', '12241987'],
    ['a birthday with the year in front', '19871224'],
    ['the name of the product', 'Seaworthy'],
    ['the name of the product and a year', 'seaworthy2026!'],
    ['the name of an app, twice', 'cosnap-cosnap'],
    ['the title of an app', 'photo effects 1'],
    ['the own address', 'ann.miller@boats.example.com'],
    ['the own name and a number', 'AnnMiller99'],
    ['the domain of the own address', 'boatsexample1'],
  ])('is refused when it is %s', async (_, password) => {
    await expect(check(password)).rejects.toMatchObject({
      code: 'password_too_common',
      status: 422,
      fields: [{ path: 'body.password', message: expect.any(String) }],
    })
  })

  it.each([
    ['a few words', 'a boat for everyone'],
    ['letters only', 'wrexhamplover'],
    ['digits only that are no day', '83920174'],
    ['any characters there are', 'høstnætter 夜 🛶'],
    ['spaces at the ends', '  a quiet harbour  '],
    ['a name of ours among other words', 'a seaworthy boat for everyone'],
    ['the own name among other words', 'miller sails in autumn'],
    ['words that hold a short piece of the own address', 'annual planning for cannes'],
    ['128 characters', `${'x y'.repeat(42)}zw`],
  ])('may be %s', async (_, password) => {
    await check(password)
  })
})

describe('a stored password', () => {
  const passwords = createPasswords()

  it('is compared whole, in its case and with its spaces', async () => {
    const long = `${'a long way to go '.repeat(7)}and here`
    const { hash, matches } = passwords
    const hashed = await hash(long)
    expect(long.length).toBeGreaterThan(120)
    expect(await matches(hashed, long)).toBe(true)
    for (const other of [long.slice(0, 72), long.slice(0, -1), `${long} `, long.toUpperCase(), ` ${long}`])
      expect(await matches(hashed, other), other).toBe(false)
  })

  it('is the same however the keyboard writes its accents', async () => {
    const { hash, matches } = passwords
    const hashed = await hash('cafe\u0301 au lait')
    expect(await matches(hashed, 'caf\u00e9 au lait')).toBe(true)
    expect(await matches(hashed, 'cafe au lait')).toBe(false)
  })

  it('is one of argon2id with the parameters of today, or is made again', async () => {
    const { hash, needsRehash } = passwords
    const hashed = await hash('a boat for everyone')
    expect(hashed).toMatch(/^\$argon2id\$v=19\$m=32768,t=8,p=1\$/)
    expect(needsRehash(hashed)).toBe(false)
    expect(needsRehash(hashed.replace('t=8', 't=2'))).toBe(true)
  })

  it('of nobody costs the same work to compare as that of somebody, and is nothing', async () => {
    const { hash, matches } = passwords
    const form = (hashed: string) => hashed.split('$').map((part, i) => (i > 3 ? part.length : part))
    expect(form(hashOfNothing())).toEqual(form(await hash('a boat for everyone')))
    expect(hashOfNothing()).not.toBe(hashOfNothing())
    expect(await matches(undefined, 'a boat for everyone')).toBe(false)
  })
})
