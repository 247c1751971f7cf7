/** Every address of a file in an answer, also those in `srcset` lists, once. */
export function mediaUrlsIn(answer: unknown): string[] {
  const found = JSON.stringify(answer).match(/\/media\/[^", ]+/g)
  return [...new Set(found ?? [])]
}

export interface DeliveredFile {
  readonly url: string
  readonly status: number
  readonly type: string
  readonly bytes: Uint8Array
}

/** What anybody with the address gets. */
export async function deliver(
  service: string,
  url: string,
  headers: Record<string, string> = {},
): Promise<DeliveredFile> {
  const response = await fetch(`${service}${url}`, { headers })
  return {
    url,
    status: response.status,
    type: response.headers.get('content-type') ?? '',
    bytes: new Uint8Array(await response.arrayBuffer()),
  }
}
