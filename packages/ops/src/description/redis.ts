/** A setting of Redis; `why` stands above it wherever a target can write comments. */
interface RedisSetting {
  readonly name: string
  readonly value: string
  readonly why?: string
}

/** Redis as every target has it: what it keeps, for how long, and who may ask it for what. */
export interface RedisUse {
  readonly settings: readonly RedisSetting[]
  /** What the processes are to Redis. */
  readonly user: string
  /** May hear that Redis is there and do nothing else; it has no password. */
  readonly probe: string
  /** Rules of the user, as Redis writes them. */
  readonly rights: string
}

/** The lines of the list of access, for the service's name and the SHA-256 of its password in hex. */
export const redisAccess = ({ probe, rights }: RedisUse, user: string, passwordHash: string): readonly string[] => [
  'user default off',
  `user ${probe} on nopass resetkeys resetchannels -@all +ping`,
  `user ${user} on #${passwordHash} ${rights}`,
]

/** Only keys of limits, and only what the two scripts of the store and its driver call. */
const rights =
  'resetkeys ~seaworthy:rate:* resetchannels -@all +evalsha +eval +hmget +hset +pexpire +ping +info +client|setname'

/**
 * The platform uses Redis for one thing: limits that all web processes share, a few numbers for each caller until its
 * window ends. So it is no cache, which may forget, and no store, which must not. A second use (a cache, sessions) would
 * need a Redis of its own: what is thrown out when memory ends is decided for a whole server.
 */
export const redisFor = (name: string): RedisUse => ({ settings, user: name, probe: 'probe', rights })

const settings: readonly RedisSetting[] = [
  {
    name: 'maxmemory',
    value: '64mb',
    why: 'Each key ends with its window. A hundred thousand callers take a third of this.',
  },
  {
    name: 'maxmemory-policy',
    value: 'noeviction',
    why: `Full, it refuses: the service then counts in its own processes and says so. To forget keys would let whoever fills
the memory start their own limits anew.`,
  },
  {
    name: 'save',
    value: '',
    why: 'What is lost with a restart is at most one window of counting; a disk would hold the pseudonyms of callers for nothing.',
  },
  { name: 'appendonly', value: 'no' },
  { name: 'maxclients', value: '512' },
  { name: 'timeout', value: '0' },
  { name: 'tcp-keepalive', value: '60' },
]
