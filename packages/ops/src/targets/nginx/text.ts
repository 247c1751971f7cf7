/** A line of nginx's language without its end, a comment, an empty line, or a block. */
export type Line = string | Block

export interface Block {
  readonly head: string
  readonly lines: readonly Line[]
}

export const block = (head: string, lines: readonly Line[]): Block => ({ head, lines })

/** As nginx reads it. A value that is quoted may hold everything but a quote of its own kind. */
export const quoted = (value: string): string => {
  if (value.includes("'")) return `"${value.replaceAll('"', '\\"')}"`
  return `'${value}'`
}

/** The lines with their ends, a block's two spaces further in. */
export function toText(lines: readonly Line[], indent = ''): string {
  return lines
    .map((line) => {
      if (typeof line !== 'string') return `${indent}${line.head} {\n${toText(line.lines, `${indent}  `)}${indent}}\n`
      if (line === '') return '\n'
      return line.startsWith('#') ? `${indent}${line}\n` : `${indent}${line};\n`
    })
    .join('')
}
