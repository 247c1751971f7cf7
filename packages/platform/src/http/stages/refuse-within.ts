import { Socket } from 'node:net'
import { fault } from '@seaworthy/core'
import { fileTypesOf, type Route } from '../../definition/index.ts'
import type { Before } from '../exchange.ts'

/** A file may be longer than memory: it is sent as it is made, and cannot be a part of another answer. */
export function refuseWithin(route: Route): Before | undefined {
  if (!Object.values(route.reply).some((schema) => schema && fileTypesOf(schema))) return undefined
  return ({ incoming }) => {
    if (incoming.socket instanceof Socket) return undefined
    throw fault('invalid_input', { detail: 'A file cannot be a part of a batch: ask for it by itself.' })
  }
}
