export const keysQueryKey = ['vault', 'provider-keys'] as const
