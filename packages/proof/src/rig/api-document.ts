/** As much as claims read of `/openapi.json`. */
interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

interface Operation {
  readonly operationId: string
  /** Who may call: `public`, a role of an account, or `operator`. */
  readonly 'x-role'?: string
  /** What an API key must be made for; absent where none is taken. */
  readonly 'x-scope'?: string
  /** Only shortly after somebody has shown who they are. */
  readonly 'x-fresh'?: boolean
  readonly 'x-audit'?: string
  readonly parameters: readonly {
    readonly name: string
    readonly in: string
    readonly schema: JsonSchema
    readonly required: boolean
  }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>> }
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: JsonSchema }>> }>
  >
}

/** The part of JSON Schema that the document uses. */
export interface JsonSchema {
  readonly type?: string
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | JsonSchema
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly format?: string
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
}

export interface DocumentedRoute {
  readonly method: string
  readonly path: string
  readonly operation: Operation
}

/** Every route that the product documents. */
export async function documentedRoutes(url: string): Promise<DocumentedRoute[]> {
  const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as ApiDocument
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  )
}
