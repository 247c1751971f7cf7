import type { StoredEvent } from './feed.ts'

export interface CatchUps {
  /** From now on events of this room are held for the socket. False when it is catching up there already. */
  begin(room: string, socketId: string): boolean
  /** Holds an event for those who are catching up. Returns them: nobody else may hand it to them. */
  hold(room: string, event: StoredEvent): readonly string[]
  /** What happened meanwhile, in the order in which it was delivered; from now on the socket hears for itself. */
  end(room: string, socketId: string): readonly StoredEvent[]
}

/**
 * A socket is given what it missed before it is given anything new. A new event that overtook the old ones would move
 * the reader's cursor past what it has not got yet, and a connection that broke then would lose it for good.
 */
export function createCatchUps(): CatchUps {
  const rooms = new Map<string, Map<string, StoredEvent[]>>()
  return {
    begin: (room, socketId) => {
      const sockets = rooms.get(room) ?? new Map<string, StoredEvent[]>()
      if (sockets.has(socketId)) return false
      rooms.set(room, sockets.set(socketId, []))
      return true
    },
    hold: (room, event) => {
      const sockets = rooms.get(room)
      if (!sockets) return nobody
      for (const held of sockets.values()) held.push(event)
      return [...sockets.keys()]
    },
    end: (room, socketId) => {
      const sockets = rooms.get(room)
      const held = sockets?.get(socketId) ?? []
      sockets?.delete(socketId)
      if (sockets?.size === 0) rooms.delete(room)
      return held
    },
  }
}

const nobody: readonly string[] = []
