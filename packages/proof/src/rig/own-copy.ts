import { join } from 'node:path'
import { copyProduct } from './copy.ts'
import type { Rig } from './rig.ts'
import { launch, type Stack } from './stack.ts'

export interface OwnCopy {
  /** Files of it may be changed: nobody else runs it. */
  readonly product: string
  /** A start that is not waited for. Each has a data directory of its own. */
  launch(environment: Readonly<Record<string, string>>): Promise<Stack>
}

/** A copy of the judged copy, for experiments that change files of the product. */
export function makeOwnCopy(rig: Rig): OwnCopy {
  const product = join(rig.scratch, 'product')
  copyProduct(rig.product, product)
  let starts = 0
  return {
    product,
    launch: async (environment) => {
      const stack = await launch({ product, directory: join(rig.scratch, `data-${++starts}`), environment })
      rig.defer(() => stack.stop())
      return stack
    },
  }
}
