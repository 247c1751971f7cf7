import { connect, createServer, type Socket } from 'node:net'
import { freePort } from './ports.ts'
import { createReader, PASSWORD, QUERY, READY, refusal, SYNC, TERMINATE } from './wire-messages.ts'

/**
 * Stands between the product and PostgreSQL and speaks just enough of their protocol to make one statement fail.
 * `refuse`: the statement never arrives, and an error comes back. `cut`: it arrives, and the connection breaks before its
 * answer.
 */
export type WireFault = 'refuse' | 'cut'

export interface WireProxy {
  readonly port: number
  /** The Nth statement, from 1, of transactions whose first statement holds this text. */
  arm(text: string, nth: number, fault: WireFault): void
  /** How many statements such transactions had since it was armed, and whether one was made to fail. */
  disarm(): { readonly statements: number; readonly struck: boolean }
  close(): Promise<void>
}

interface Armed {
  readonly text: string
  readonly nth: number
  readonly fault: WireFault
  statements: number
  struck: boolean
}

export async function openWireProxy(target: number): Promise<WireProxy> {
  const port = await freePort()
  const state: { armed?: Armed } = {}
  const sockets = new Set<Socket>()
  const server = createServer((outside) => {
    const inside = connect(target, '127.0.0.1')
    for (const socket of [outside, inside]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        outside.destroy()
        inside.destroy()
      })
    }
    relay(outside, inside, () => state.armed)
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    port,
    arm: (text, nth, fault) => {
      state.armed = { text, nth, fault, statements: 0, struck: false }
    },
    disarm: () => {
      const { statements = 0, struck = false } = state.armed ?? {}
      delete state.armed
      return { statements, struck }
    },
    close: () => {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

/** One connection: messages are passed on in groups, a statement each. */
function relay(outside: Socket, inside: Socket, armedNow: () => Armed | undefined): void {
  // Groups that were sent and are not answered: an error of ours must come in its turn.
  let open = 0
  let within = false
  let refusing = false
  let group: Buffer[] = []
  const queue: Buffer[] = []
  const send = (statement: Buffer): void => {
    open++
    inside.write(statement)
  }
  const strike = (statement: Buffer, fault: WireFault): void => {
    refusing = fault === 'refuse'
    if (refusing) return
    inside.removeListener('data', back)
    inside.once('data', () => outside.destroy())
    send(statement)
  }
  const take = (statement: Buffer): void => {
    const armed = armedNow()
    const text = statement.toString('latin1')
    within ||= armed !== undefined && text.includes('begin') && text.includes(armed.text)
    if (!armed || !within) send(statement)
    else if (isNext(armed)) strike(statement, armed.fault)
    else send(statement)
    if (/^Q....(commit|rollback)/s.test(text)) within = false
  }
  const settle = (): void => {
    for (;;) {
      if (refusing && open > 0) return
      if (refusing) outside.write(refusal)
      refusing = false
      const statement = queue.shift()
      if (!statement) return
      take(statement)
    }
  }
  const readFront = createReader(true, (type, message) => {
    if (type === undefined || type === PASSWORD || type === TERMINATE) {
      inside.write(message)
      return
    }
    group.push(message)
    if (type !== QUERY && type !== SYNC) return
    queue.push(Buffer.concat(group))
    group = []
    settle()
  })
  const readBack = createReader(false, (type) => {
    if (type === READY && open > 0) open--
  })
  const back = (chunk: Buffer): void => {
    outside.write(chunk)
    readBack(chunk)
    settle()
  }
  outside.on('data', readFront)
  inside.on('data', back)
}

/** Counts a statement; true when it is the one. */
function isNext(armed: Armed): boolean {
  armed.statements++
  armed.struck ||= armed.statements === armed.nth
  return armed.statements === armed.nth
}
