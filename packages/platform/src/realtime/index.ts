/** What happens, to whoever may watch, on every process. */
export { type Channel, channel, publish } from './channel.ts'
export { openSockets, SOCKET_PATH, type SocketSettings, type Sockets } from './drivers/socket-io.ts'
export { type Feed, type FeedSettings, openFeed, type StoredEvent } from './feed.ts'
export { jobsChannel } from './jobs-channel.ts'
