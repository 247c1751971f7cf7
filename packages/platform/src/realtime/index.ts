/** What happens, to whoever may watch, on every process. */
export { type Channel, channel, publish } from './channel.ts'
export { jobsChannel } from './jobs-channel.ts'
export { openSockets, type Sockets, type SocketSettings } from './drivers/socket-io.ts'
export { type Feed, type FeedSettings, openFeed, type StoredEvent } from './feed.ts'
