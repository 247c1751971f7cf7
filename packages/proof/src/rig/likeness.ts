import sharp from 'sharp'

const BLOCK = 8
const LEVELS = 255
const [C1, C2] = [(0.01 * LEVELS) ** 2, (0.03 * LEVELS) ** 2]

/** Structural similarity (SSIM) of two pictures of the same size, on their brightness, in blocks of 8 x 8; 1 is the same. */
export async function likeness(one: Uint8Array, other: Uint8Array): Promise<number> {
  const read = (bytes: Uint8Array) => sharp(bytes).greyscale().raw().toBuffer({ resolveWithObject: true })
  const [a, b] = [await read(one), await read(other)]
  const { width, height } = a.info
  if (b.info.width !== width || b.info.height !== height) throw new Error('the pictures are not of the same size')
  let [sum, blocks] = [0, 0]
  for (let y = 0; y + BLOCK <= height; y += BLOCK)
    for (let x = 0; x + BLOCK <= width; x += BLOCK, blocks++) sum += ofBlock(a.data, b.data, y * width + x, width)
  return sum / blocks
}

function ofBlock(a: Uint8Array, b: Uint8Array, start: number, stride: number): number {
  let [sumA, sumB, squaresA, squaresB, products] = [0, 0, 0, 0, 0]
  for (let i = 0; i < BLOCK * BLOCK; i++) {
    const at = start + Math.floor(i / BLOCK) * stride + (i % BLOCK)
    const [p, q] = [a[at] ?? 0, b[at] ?? 0]
    sumA += p
    sumB += q
    squaresA += p * p
    squaresB += q * q
    products += p * q
  }
  const n = BLOCK * BLOCK
  const [meanA, meanB] = [sumA / n, sumB / n]
  const [varianceA, varianceB, covariance] = [
    squaresA / n - meanA ** 2,
    squaresB / n - meanB ** 2,
    products / n - meanA * meanB,
  ]
  return (
    ((2 * meanA * meanB + C1) * (2 * covariance + C2)) / ((meanA ** 2 + meanB ** 2 + C1) * (varianceA + varianceB + C2))
  )
}
