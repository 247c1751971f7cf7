/** One statement of an SQL file. */
export interface Statement {
  /** Without comments, spaces collapsed, without its semicolon. Quoted text is as it was written. */
  readonly text: string
  /** The comments before and within it, one line each. */
  readonly comments: readonly string[]
  /** Where its first word stands, from 1. */
  readonly line: number
}

/** What text can consist of. Comments and quoted text come first: a semicolon in them ends nothing. */
const pieces =
  /(?<comment>--[^\n]*|\/\*(?:[^*]|\*(?!\/))*\*\/)|(?<quoted>[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(?<tag>\w*)\$(?:.|\n)*?\$\k<tag>\$)|(?<space>\s+)|(?<word>[A-Za-z_][\w$]*)|(?<other>.)/gs

/** The statements of an SQL file in their order. Knows comments, quotes, dollar quotes and bodies that `begin atomic`. */
export function splitStatements(sql: string): readonly Statement[] {
  const statements: Statement[] = []
  const body = createBody()
  let [draft, line] = [emptyDraft(), 1]
  for (const { 0: piece, groups = {} } of sql.matchAll(pieces)) {
    if (groups.word || groups.other) body.enter(piece.toLowerCase())
    if (piece === ';' && !body.isOpen()) {
      if (draft.text) statements.push({ ...draft, text: draft.text.trim() })
      draft = emptyDraft()
    } else addPiece(draft, piece, groups, line)
    line += piece.split('\n').length - 1
  }
  return draft.text ? [...statements, { ...draft, text: draft.text.trim() }] : statements
}

const emptyDraft = () => ({ text: '', comments: [] as string[], line: 0 })

function addPiece(
  draft: ReturnType<typeof emptyDraft>,
  piece: string,
  groups: Readonly<Record<string, string | undefined>>,
  line: number,
): void {
  if (groups.comment) draft.comments.push(...linesOf(piece))
  else if (groups.space) draft.text += draft.text ? ' ' : ''
  else {
    draft.line ||= line
    draft.text += piece
  }
}

/** Within a function body that is not quoted, a semicolon ends only a part of it. */
function createBody() {
  let [depth, before] = [0, '']
  return {
    isOpen: () => depth > 0,
    enter: (word: string): void => {
      if (word === 'atomic' && before === 'begin') depth = 1
      else if (depth > 0 && word === 'case') depth++
      else if (depth > 0 && word === 'end') depth--
      before = word
    },
  }
}

const linesOf = (comment: string): string[] =>
  comment
    .replace(/^--|^\/\*|\*\/$/g, '')
    .split('\n')
    .map((line) => line.trim())
