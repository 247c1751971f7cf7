import { text } from 'node:stream/consumers'
import { type AttemptLine, attempt, type Order } from '@seaworthy/platform/recovery'

/** The inside of a drill: all that it knows comes by its input, and all that it found goes out line by line. */
const order = JSON.parse(await text(process.stdin)) as Order
const tell = (line: AttemptLine): void => void process.stdout.write(`${JSON.stringify(line)}\n`)
await attempt(order, tell)
