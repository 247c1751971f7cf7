/** Requests whose end two programs might see at different places. What stands behind a broken one must never be answered. */
export interface Shape {
  readonly name: string
  readonly bytes: string
}

/** Answered with 404 by the product, and never asked for: seen in a second answer, it was smuggled. */
const HIDDEN = 'GET /smuggled-marker HTTP/1.1\r\nHost: a\r\n\r\n'
const TWO = '{}'
const END = `0\r\n\r\n${HIDDEN}`

const post = (headers: string, body: string): string =>
  `POST /api/identity/sign-in HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${headers}\r\n${body}`
const chunked = (body: string, value = 'chunked'): string => post(`Transfer-Encoding: ${value}\r\n`, body)
const long = (value: string, name = 'Content-Length:'): string => post(`${name} ${value}\r\n`, TWO + HIDDEN)
const hiddenChunk = `${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n0\r\n\r\n`
const get = (headers: string, rest: string): string => `GET /health HTTP/1.1\r\n${headers}\r\n${rest}`

const shapes: Readonly<Record<string, string>> = {
  'Content-Length and chunked': post(`Content-Length: ${HIDDEN.length + 5}\r\nTransfer-Encoding: chunked\r\n`, END),
  'chunked and a short Content-Length': post('Transfer-Encoding: chunked\r\nContent-Length: 4\r\n', hiddenChunk),
  'two lengths': post(`Content-Length: 2\r\nContent-Length: ${2 + HIDDEN.length}\r\n`, TWO + HIDDEN),
  'two equal lengths': post('Content-Length: 2\r\nContent-Length: 2\r\n', TWO + HIDDEN),
  'list of lengths': long('2, 2'),
  'length with plus': long('+2'),
  'length with minus': long('-1'),
  'length in hex': long('0x2'),
  'length beyond 64 bits': long('18446744073709551618'),
  'length with a space inside': long('2 2'),
  'space before the colon of the length': long('2', 'Content-Length :'),
  'space before the colon of chunked': post('Transfer-Encoding : chunked\r\n', END),
  xchunked: chunked(END, 'xchunked'),
  'identity as coding': chunked(TWO + HIDDEN, 'identity'),
  'chunked, then identity': chunked(END, 'chunked, identity'),
  'two codings': post('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n', END),
  'vertical tab before chunked': chunked(END, '\x0bchunked'),
  'chunked folded': post('Transfer-Encoding:\r\n chunked\r\n', END),
  'chunked in quotes': chunked(END, '"chunked"'),
  'chunked in HTTP/1.0': chunked(END).replace('HTTP/1.1', 'HTTP/1.0'),
  // Nginx takes a bare line feed for an end here and sends the rest on as a request of its own: nothing stands behind these.
  'line feed in a chunk extension': chunked(`2;\n${TWO}\r\n0\r\n\r\n`),
  'space behind the size of a chunk': chunked(`2 \r\n${TWO}\r\n0\r\n\r\n`),
  'size of a chunk in words': chunked(`zz\r\n${TWO}\r\n${END}`),
  'size of a chunk too small': chunked(`1\r\n${TWO}\r\n${END}`),
  'size of a chunk beyond 64 bits': chunked(`ffffffffffffffff2\r\n${TWO}\r\n${END}`),
  'chunks that end in bare line feeds': chunked(`2\n${TWO}\n0\n\n`),
  'length in a trailer': chunked(`2\r\n${TWO}\r\n0\r\nContent-Length: 5\r\n\r\n`),
  'carriage return inside a header': post('X: a\rContent-Length: 2\r\n', ''),
  'NUL inside a header': post('X: a\0b\r\nContent-Length: 2\r\n', TWO + HIDDEN),
  'folded header': post('X: a\r\n Content-Length: 2\r\n', ''),
  'two hosts': get('Host: a\r\nHost: b\r\n', HIDDEN),
  'no host': get('', HIDDEN),
  'GET with a body': get(`Host: a\r\nContent-Length: ${HIDDEN.length}\r\n`, HIDDEN),
  'GET in chunks': get('Host: a\r\nTransfer-Encoding: chunked\r\n', hiddenChunk),
  'unknown address with a body': `POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: ${HIDDEN.length}\r\n\r\n${HIDDEN}`,
  'unknown address with a broken chunk': `POST /nowhere HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n${HIDDEN}`,
  'another kind of content': post(`Content-Length: ${HIDDEN.length}\r\n`, HIDDEN).replace(
    'application/json',
    'text/plain',
  ),
  'Expect with a body': post(`Expect: 100-continue\r\nContent-Length: ${HIDDEN.length}\r\n`, HIDDEN),
  'an upgrade with a body': get(
    `Host: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: ${HIDDEN.length}\r\n`,
    HIDDEN,
  ),
  CONNECT: `CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n${HIDDEN}`,
}

export const smugglingShapes: readonly Shape[] = Object.entries(shapes).map(([name, bytes]) => ({ name, bytes }))
