import { type Erasure, openErasureRegister, parseErasures } from '../privacy/index.ts'
import { readErasures as readKept, type Store } from '../recovery/index.ts'

/** Who was erased, as this machine and as the store know it: whoever is in one of them stays erased. */
export async function readErasures(dataDirectory: string, store: Store | undefined): Promise<readonly Erasure[]> {
  const kept = store && (await readKept(store))
  return [...(await openErasureRegister(dataDirectory).read()), ...parseErasures(kept ?? '')]
}
