import { type Erasure, openErasureRegister, parseErasures } from '../privacy/index.ts'
import { ERASURES, type Store } from '../recovery/index.ts'

/** Who was erased, as this machine and as the store know it: whoever is in one of them stays erased. */
export async function readErasures(dataDirectory: string, store: Pick<Store, 'read'>): Promise<readonly Erasure[]> {
  const kept = await store.read(ERASURES)
  return [...(await openErasureRegister(dataDirectory).read()), ...parseErasures(kept?.toString() ?? '')]
}
