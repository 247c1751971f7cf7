import { combine, split } from 'shamir-secret-sharing'

/** Shamir's scheme over GF(256): any `needed` of the pieces give the secret, fewer say nothing about it. 2 to 255 of each. */
export const splitSecret = async (secret: Buffer, needed: number, all: number): Promise<readonly Buffer[]> =>
  (await split(new Uint8Array(secret), all, needed)).map((piece) => Buffer.from(piece))

/** Whatever is put in gives something: whether it is the secret, only what is sealed with it can say. */
export const joinSecret = async (pieces: readonly Buffer[]): Promise<Buffer> =>
  Buffer.from(await combine(pieces.map((piece) => new Uint8Array(piece))))
