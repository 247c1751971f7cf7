/** The only reader of our own environment: what a program needs to run, and nothing that would steer the product. */
export const searchPath = (): string => process.env.PATH ?? ''

/** For programs that are started: an operator's settings beside them would make every run another one. */
export const bareEnvironment = (): Record<string, string> => ({
  PATH: searchPath(),
  HOME: process.env.HOME ?? '/',
})
