/** An action of somebody else, pinned: a tag can be moved to another commit, a commit cannot be changed. */
export interface PinnedAction {
  /** `owner/name`, with the folder of the action where it has one. */
  readonly name: string
  readonly commit: string
  readonly version: string
  /** Where the commit was read: the tag of the action's own repository, and others that pin the same. */
  readonly seenIn: readonly string[]
}

/**
 * Every action that the workflows use. Each commit was read from the tag in the action's own repository, never from
 * memory, and compared with what other repositories pin. To renew one: fetch its repository, `git rev-parse <tag>^{commit}`,
 * look for others that pin the same, write both here.
 */
export const actions = {
  checkout: {
    name: 'actions/checkout',
    commit: 'de0fac2e4500dabe0009e67214ff5f5447ce83dd',
    version: 'v6.0.2',
    seenIn: ['actions/checkout tag v6.0.2', 'vercel/vercel', 'docker/login-action', 'actions/attest-build-provenance'],
  },
  setupNode: {
    name: 'actions/setup-node',
    commit: '48b55a011bda9f5d6aeb4c2d9c7362e8dae4041e',
    version: 'v6.4.0',
    seenIn: ['actions/setup-node tag v6.4.0', 'github/codeql-action', 'docker/login-action'],
  },
  uploadArtifact: {
    name: 'actions/upload-artifact',
    commit: 'bbbca2ddaa5d8feaa63e36b76fdaad77386f024f',
    version: 'v7.0.0',
    seenIn: ['actions/upload-artifact tag v7.0.0', 'vercel/vercel'],
  },
  cache: {
    name: 'actions/cache',
    commit: '27d5ce7f107fe9357f9df03efb73ab90386fccae',
    version: 'v5.0.5',
    seenIn: ['actions/cache tag v5.0.5', 'and the same commit with this version in ten files of public repositories'],
  },
  attest: {
    name: 'actions/attest-build-provenance',
    commit: 'a2bbfa25375fe432b6a289bc6b6cd05ecd0c4c32',
    version: 'v4.1.0',
    seenIn: ['actions/attest-build-provenance tag v4.1.0', 'txn2/kubefwd'],
  },
  codeqlInit: {
    name: 'github/codeql-action/init',
    commit: '8aad20d150bbac5944a9f9d289da16a4b0d87c1e',
    version: 'v4.36.2',
    seenIn: [
      'github/codeql-action tag v4.36.2',
      'and the same commit with this version in files of public repositories',
    ],
  },
  codeqlAnalyze: {
    name: 'github/codeql-action/analyze',
    commit: '8aad20d150bbac5944a9f9d289da16a4b0d87c1e',
    version: 'v4.36.2',
    seenIn: [
      'github/codeql-action tag v4.36.2',
      'and the same commit with this version in files of public repositories',
    ],
  },
} as const satisfies Record<string, PinnedAction>

/** As a step names it; the version follows as a comment. */
export const pinOf = ({ name, commit }: PinnedAction): string => `${name}@${commit}`
