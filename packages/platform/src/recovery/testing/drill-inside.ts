import { text } from 'node:stream/consumers'
import { attempt, type Order } from '../drill/attempt.ts'

/** The inside of a drill, from source. */
const order = JSON.parse(await text(process.stdin)) as Order
await attempt(order, (line) => void process.stdout.write(`${JSON.stringify(line)}\n`))
