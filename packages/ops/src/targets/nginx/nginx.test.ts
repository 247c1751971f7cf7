import { describe, expect, it } from 'vitest'
import { system } from '../../../../../seaworthy.config.ts'
import { describe as describeSystem } from '../../description/index.ts'
import { nginx } from './nginx.ts'
import { slotSocket } from './upstream.ts'

const description = describeSystem(system, '1.0.0')
const files = nginx.render(description)
const textOf = (name: string): string => files.find(({ path }) => path === `deploy/nginx/${name}.conf`)?.text ?? ''
const all = ['host', 'compose', 'development']
/** The lines of a block, without its own. */
const blockAt = (text: string, head: string): string =>
  new RegExp(`${head.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')} \\{([\\s\\S]*?)\\n    \\}`).exec(text)?.[1] ?? ''
const settingOf = (text: string, name: string): string => new RegExp(`^ *${name} (.*);$`, 'm').exec(text)?.[1] ?? ''

describe('nginx', () => {
  it.each(all)('lets a body through that the service refuses with words, and not much more (%s)', (name) => {
    const { jsonBytes, formBytes, uploads } = description.http
    const json = Number(settingOf(textOf(name), 'client_max_body_size'))
    expect(json).toBeGreaterThan(jsonBytes)
    expect(json).toBeLessThanOrEqual(jsonBytes + 65_536)
    for (const { address, maxBytes } of uploads) {
      const location = address.includes('{')
        ? `location ~ ^${address.replace(/\{\w+\}/, '[^/]+')}$`
        : `location = ${address}`
      const bytes = Number(settingOf(blockAt(textOf(name), location), 'client_max_body_size'))
      expect(bytes).toBeGreaterThan(maxBytes + formBytes)
      expect(bytes).toBeLessThanOrEqual(maxBytes + formBytes + 65_536)
    }
  })

  it.each(all)('passes bodies on while they come, and believes no forwarding header (%s)', (name) => {
    const text = textOf(name)
    expect(settingOf(text, 'proxy_request_buffering')).toBe('off')
    expect(settingOf(text, 'proxy_set_header X-Forwarded-For')).toBe('$remote_addr')
    expect(text).not.toContain('proxy_add_x_forwarded_for')
    // A block with one of its own would have none of the others.
    expect([...text.matchAll(/^( *)proxy_set_header /gm)].every(([, indent]) => indent === '  ')).toBe(true)
  })

  it.each(all)('adds headers only to what it answers itself, so that none is there twice (%s)', (name) => {
    const text = textOf(name)
    const outside = text.replace(/location ~ \^\/\\\.own[\s\S]*?\n {4}\}/g, '')
    expect(outside).not.toContain('add_header')
    expect(text.match(/add_header strict-transport-security/g)?.length).toBeGreaterThan(0)
  })

  it.each(['host', 'compose'])('speaks TLS 1.2 and 1.3 only, with forward secrecy (%s)', (name) => {
    const text = textOf(name)
    expect(text.match(/ssl_protocols .*;/g)).toEqual(['ssl_protocols TLSv1.2 TLSv1.3;'])
    for (const suite of settingOf(text, 'ssl_ciphers').split(':')) expect(suite).toMatch(/^ECDHE-.*(GCM|POLY1305)/)
    expect(text).toContain('return 308 https://app.example.com$request_uri;')
    expect(text).toContain('location ~ ^(/api|/media|/socket)(/|$) {\n      return 403;')
  })

  it('divides requests on a host between ten links, and asks no second one', () => {
    const text = textOf('host')
    const slots = Array.from({ length: 10 }, (_, slot) => `server unix:${slotSocket(description, slot)} max_fails=0;`)
    for (const slot of slots) expect(text).toContain(slot)
    expect(settingOf(text, 'proxy_next_upstream')).toBe('off')
    expect(text).not.toContain('keepalive ')
  })

  it('limits a network by more than the service does', () => {
    const burst = Number(/burst=(\d+)/.exec(textOf('host'))?.[1])
    expect(burst).toBeGreaterThan(description.http.networkRequests)
  })

  it('say what is between them and the service', () => {
    expect(textOf('host')).toContain('# By Unix sockets')
    for (const name of ['compose', 'development']) expect(textOf(name)).toContain('# In clear, on a network')
  })
})
